#!/bin/sh
# Installs Debian packages that are missing, where that needs no password; otherwise says which one
# command does it. Never fails: without them live-ser and its tests say what they miss.
if ! command -v apt-get >/dev/null; then
    exit 0 # not Debian: `live-ser doctor` names the command of other systems
fi
missing=""
for package in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then
    as_root="env"
elif sudo -n true 2>/dev/null; then
    as_root="sudo -n env"
else
    echo "system packages are missing; to install them: sudo apt install$missing" >&2
    exit 0
fi
echo "installing$missing" >&2
log=$(mktemp)
# shellcheck disable=SC2086 # words are packages
if ! { $as_root apt-get update -q &&
    $as_root DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing; } \
    >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "system packages could not be installed; to try again: sudo apt install$missing" >&2
fi
rm -f "$log"

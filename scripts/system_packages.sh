#!/bin/sh
# Installs Debian packages that are missing, where that needs no password; otherwise says which one
# command does it. Never fails: without them live-ser and its tests say what they miss.
PATIENCE=600 # seconds to wait for another apt, such as the updates after a boot

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
    by_hand="apt install$missing"
elif sudo -n true 2>/dev/null; then
    as_root="sudo -n env"
    by_hand="sudo apt install$missing"
else
    echo "system packages are missing; to install them: sudo apt install$missing" >&2
    exit 0
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# apt-get ARGUMENTS, once nobody else holds apt's locks; `update` does not wait for its own lock.
apt() {
    end=$(($(date +%s) + PATIENCE))
    until $as_root DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q \
        -o "DPkg::Lock::Timeout=$PATIENCE" "$@" >"$log" 2>&1; do
        if ! grep -q "Could not get lock" "$log" || [ "$(date +%s)" -ge "$end" ]; then
            return 1
        fi
        [ -n "$waits" ] || echo "waiting for another apt to finish" >&2
        waits=yes
        sleep 2
    done
}

waits=""
echo "installing$missing" >&2
# shellcheck disable=SC2086 # words are packages
if ! { apt update && apt install -y --no-install-recommends $missing; }; then
    tail -n 5 "$log" >&2
    echo "system packages could not be installed; to try again: $by_hand" >&2
fi

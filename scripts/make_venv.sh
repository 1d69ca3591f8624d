#!/bin/sh
# make_venv.sh PYTHON FOLDER: makes a virtual environment; where Debian's Python comes without the
# module for it, installs that or says how.
python=$1
folder=$2
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "live-ser needs Python 3.11 or newer; \"$python\" is $("$python" --version 2>&1)" >&2
    echo "try: make PYTHON=python3.12" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    sh "$(dirname "$0")/system_packages.sh" python3-venv
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "without the modules venv and ensurepip, $python cannot set live-ser up" >&2
    exit 1
fi
exec "$python" -m venv "$folder"

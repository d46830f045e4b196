#!/bin/sh
# Makes this checkout ready to use: Debian packages, .venv, the locked Python packages, the `kahn` command.
# Repeating it costs nothing: what it made is written down in .venv/.kahn-setup.
set -eu
cd "$(dirname "$0")/.."
. .ci/pip.sh
python=$(sh .ci/python.sh)
"$python" .ci/packages.py add

mark=.venv/.kahn-setup
want=$(cat requirements.lock pyproject.toml | sha256sum | cut -d' ' -f1)-$(pwd -P | sha256sum | cut -c1-12)
if [ -x .venv/bin/python ] && [ "$(cat "$mark" 2>/dev/null || true)" = "$want" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo "Making .venv with $("$python" --version)."
    rm -rf .venv
    "$python" -m venv .venv
fi

count=$(grep -c '^[a-z0-9].*==' requirements.lock)
echo "Installing $count locked Python packages into .venv, those that lack (all: 160 MB to download, 680 MB on disk)."
pip_install .venv/bin/python --require-hashes --prefer-binary -r requirements.lock
echo "Linking this checkout into .venv."
pip_install .venv/bin/python --no-deps --no-build-isolation --quiet --editable .
echo "$want" > "$mark"
echo "Ready: .venv/bin/kahn"

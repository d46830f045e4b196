#!/bin/sh
# Resolves the dependencies: requirements.lock (to build, test and run), requirements-run.lock (only to run, same versions).
set -eu
cd "$(dirname "$0")/.."
if ! command -v uv >/dev/null 2>&1; then
    echo "make lock needs uv (a Python resolver); everything else works without it." >&2
    exit 1
fi
resolve() { uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --python-version 3.11 "$@"; }
resolve pyproject.toml --extra dev -o requirements.lock
resolve pyproject.toml --constraint requirements.lock -o requirements-run.lock
for file in requirements.lock requirements-run.lock; do
    if grep -nE '://|^-' "$file"; then
        echo "$file names a registry; it must not." >&2
        exit 1
    fi
    echo "$file: $(grep -c '^[a-z0-9].*==' "$file") packages"
done

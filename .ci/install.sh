#!/bin/sh
# Installs Kahn below PREFIX, or with "remove" takes it away. Says what it does; writes nothing else.
# With DESTDIR everything is laid out below it for a package: no user is made and systemd is not called.
set -eu
cd "$(dirname "$0")/.."
. .ci/pip.sh
PREFIX=${PREFIX:-/opt/kahn}
DESTDIR=${DESTDIR:-}
STATE=/var/lib/kahn
UNITS=/etc/systemd/system
OUR_UNITS="kahn.service kahn-watch.service kahn-watch.timer kahn-netbox@.service kahn-netbox@.timer"
say() { printf '%s\n' "$*"; }

case "$PREFIX" in
    /*[!/]*) ;;
    *) say "PREFIX must be an absolute directory other than /, not '$PREFIX'." >&2; exit 2 ;;
esac
case "$PREFIX$DESTDIR" in
    *[!A-Za-z0-9/._-]*) say "PREFIX and DESTDIR may hold letters, digits and / . _ - only." >&2; exit 2 ;;
esac
if [ -z "$DESTDIR" ] && [ "$(id -u)" -ne 0 ]; then
    say "Installing into $PREFIX makes the system user kahn, $STATE and units in $UNITS: that needs root." >&2
    say "Run it as root, or lay the files out for a package with: make install DESTDIR=/some/empty/directory" >&2
    exit 1
fi
place=$DESTDIR$PREFIX
service_is_ours() { [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; }

if [ "${1:-}" = remove ]; then
    if service_is_ours; then
        systemctl disable --now kahn.service kahn-watch.timer 2>/dev/null || true
        systemctl stop 'kahn-netbox@*.timer' 2>/dev/null || true
        systemctl disable kahn-netbox@.timer 2>/dev/null || true
    fi
    for unit in $OUR_UNITS; do set -- "$@" "$DESTDIR$UNITS/$unit"; done
    shift
    for path in "$@" "$place/venv" "$place/bin/kahn"; do
        if [ -e "$path" ] || [ -L "$path" ]; then rm -rf "$path"; say "removed  $path"; fi
    done
    rmdir "$place/bin" "$place" 2>/dev/null || true
    if service_is_ours; then systemctl daemon-reload; fi
    say "kept     $DESTDIR$STATE and the user kahn: they hold the journal. As root: userdel kahn; rm -r $STATE"
    exit 0
fi

python=$(sh .ci/python.sh system)
# The service's user must be able to reach this Python: one below somebody's home would not start.
case "$python" in
    /root/* | /home/*) say "note     $python lies in a home; the service needs a Python that user kahn can reach." ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say "building the wheel"
.venv/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$work" .

say "making   $place/venv with $("$python" --version), $(grep -c '^[a-z0-9].*==' requirements-run.lock) locked packages (100 MB to download at most, 345 MB on disk)"
rm -rf "$place/venv"
mkdir -p "$place/bin"
"$python" -m venv "$place/venv"
pip_install "$place/venv/bin/python" --require-hashes --prefer-binary -r requirements-run.lock
pip_install "$place/venv/bin/python" --no-deps --no-index "$work"/spreekahn-*.whl
if [ -n "$DESTDIR" ]; then
    # Scripts name their interpreter in full: let them name the place where they will stand.
    grep -rlIF "$place/venv" "$place/venv/bin" "$place/venv/pyvenv.cfg" | while read -r file; do
        sed -i "s|$place/venv|$PREFIX/venv|g" "$file"
    done
    find "$place/venv" -name __pycache__ -type d -prune -exec rm -rf {} +
fi
ln -sfn "$PREFIX/venv/bin/kahn" "$place/bin/kahn"
say "made     $place/bin/kahn"

if [ -z "$DESTDIR" ]; then
    if ! id kahn >/dev/null 2>&1; then
        shell=/usr/sbin/nologin
        [ -x "$shell" ] || shell=/bin/false
        useradd --system --user-group --home-dir "$STATE" --no-create-home --shell "$shell" kahn
        say "made     system user and group kahn"
    fi
    install -d -m 0700 -o kahn -g kahn "$STATE"
else
    install -d -m 0700 "$DESTDIR$STATE"
    say "left out system user kahn (home $STATE, which it must own): the package's own script makes it"
fi
say "made     $DESTDIR$STATE (mode 0700)"

install -d "$DESTDIR$UNITS"
for unit in $OUR_UNITS; do
    sed -e "s|@PREFIX@|$PREFIX|g" -e "s|@STATE@|$STATE|g" ".ci/$unit.in" > "$DESTDIR$UNITS/$unit"
    chmod 0644 "$DESTDIR$UNITS/$unit"
    say "made     $DESTDIR$UNITS/$unit"
done
if service_is_ours; then
    systemctl daemon-reload
    say "told     systemd to read its units again (nothing was started)"
fi
say ""
say "Next:    runuser -u kahn -- $PREFIX/bin/kahn init $STATE"
say "         systemctl enable --now kahn.service kahn-watch.timer"
say "         for each tenant that has a NetBox: systemctl enable --now kahn-netbox@TENANT.timer"

# To be sourced: pip_install PYTHON ARGUMENTS... installs and shows one line a package, so that a wait is never silent.
pip_install() {
    pip_python=$1
    shift
    pip_failed=$(mktemp)
    { "$pip_python" -m pip install --no-input --disable-pip-version-check --progress-bar off "$@" 2>&1 \
        || echo failed > "$pip_failed"; } | awk '
        /^ *(Requirement already satisfied|Looking in |Using cached |Downloading |Successfully installed )/ { next }
        /^WARNING: Location .* is ignored/ { next }
        /^(Collecting|Processing) / { sub(/.*\//, "", $2); printf "  [%d] %s\n", ++seen, $2; fflush(); next }
        /^Installing collected packages/ { print "  unpacking"; fflush(); next }
        { print "  " $0; fflush() }'
    if [ -s "$pip_failed" ]; then
        rm -f "$pip_failed"
        return 1
    fi
    rm -f "$pip_failed"
}

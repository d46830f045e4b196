#!/bin/sh
# Prints the Python to build with: 3.11 if there is one, else any newer python3. "system" as argument: only the machine's own.
own="/usr/bin/python3.11 /usr/bin/python3"
case "${1:-}" in
    system) candidates="$own python3.11 python3" ;;
    *) candidates="python3.11 python3 $own" ;;
esac
for one in $candidates; do
    command -v "$one" >/dev/null 2>&1 || continue
    "$one" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    "$one" -c 'import sys; print(sys.executable)'
    exit 0
done
echo "Kahn needs Python 3.11 or newer, and none was found on this machine's PATH." >&2
exit 1

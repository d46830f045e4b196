# Says whether this machine can work: a few numbers, nothing about people. Changes nothing, needs no Python.
LC_ALL=C
export LC_ALL
echo 'kahn-look 1'
if [ "$(id -u)" = 0 ]; then echo 'become 1'
elif [ "$become" = 1 ] && sudo -n true 2>/dev/null; then echo 'become 1'
else echo 'become 0'; fi
echo "time $(date +%s)"
echo "free_kib $(df -Pk / 2>/dev/null | awk 'NR == 2 { print $4 }')"
echo "root $(awk '$2 == "/" { found = $4 } END { split(found, parts, ","); print parts[1] }' /proc/mounts)"
echo "load_percent $(awk '{ printf "%d", $1 * 100 }' /proc/loadavg)"
echo "cores $(grep -c '^processor' /proc/cpuinfo)"
packages=free
for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/rpm/.rpm.lock; do
    inode=$(stat -c %i "$lock" 2>/dev/null) || continue
    if grep -q ":$inode " /proc/locks 2>/dev/null; then packages=locked; fi
done
echo "packages $packages"
if [ -x /usr/bin/python3 ]; then echo 'python here'; else echo 'python none'; fi

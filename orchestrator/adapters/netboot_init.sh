#!/bin/busybox sh
# What a bare machine boots over the network: asks whether it may write, writes the image to the disk, tells how it went.
# Sent to its own disk (kahn.mode=disk), it starts the system that is there. Needs busybox and the modules beside it.
/bin/busybox mkdir -p /bin /proc /sys /dev /tmp /mnt /run
/bin/busybox --install -s /bin
export PATH=/bin
set -o pipefail
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev

say() { echo "kahn: $(cut -d' ' -f1 /proc/uptime) s: $*"; }
word() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^kahn\.$1=//p" | tail -n 1; }
value() { sed -n "s/^$1=//p" /tmp/told | head -n 1; }

away() {
  say "$1; starting again in 10 s"
  sleep 10
  reboot -f
}

report() {
  tries=0
  until timeout 20 wget -q -O /dev/null --post-data "mac=$mac&token=$token&$1" "$url/report"; do
    tries=$((tries + 1))
    [ "$tries" -lt 5 ] || return 1
    sleep 2
  done
}

fail() {
  say "failed: $1"
  report "state=failed&cause=$1"
  away "nothing was installed"
}

wait_for() {
  tries=0
  until [ -b "$1" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || return 1
    sleep 0.2
  done
}

own_card() {
  for one in /sys/class/net/*; do
    [ "$(cat "$one/address")" = "$mac" ] && basename "$one"
  done
}

while read -r module; do
  insmod "/modules/$module" 2>/dev/null || true
done < /modules/order
mac=$(word mac)
url=$(word url)
token=$(word token)

if [ "$(word mode)" = disk ]; then
  root=$(word root)
  wait_for "$root" && mount -o ro "$root" /mnt || away "there is no system on $root"
  say "starting from $root"
  umount /proc /sys
  mount --move /dev /mnt/dev || umount -l /dev
  exec switch_root /mnt /sbin/init
fi

cat > /tmp/lease << 'LEASE'
#!/bin/busybox sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip addr flush dev "$interface"
ip addr add "$ip/$mask" dev "$interface"
for one in $router; do ip route add default via "$one" dev "$interface"; break; done
LEASE
chmod +x /tmp/lease
card=$(own_card)
[ -n "$card" ] || away "no network card has the address $mac"
ip link set "$card" up
udhcpc -q -n -t 10 -i "$card" -s /tmp/lease > /dev/null || away "no address by DHCP"

# From here on the release is spent: this answer is given once, and a machine that starts again gets no installer.
timeout 20 wget -q -O /tmp/told --post-data "mac=$mac&token=$token" "$url/begin" || away "this disk is not released"
disk=$(value disk)
root=$(value root)
say "writing $disk"
wait_for "$disk" || fail no_disk
report "state=progress&percent=5"
mkfifo /tmp/copy
sha256sum < /tmp/copy > /tmp/sum &
timeout 3000 wget -q -O - "$(value image)" | tee /tmp/copy > "$disk" || fail no_image
wait
sync
report "state=progress&percent=80"
[ "$(cut -d' ' -f1 /tmp/sum)" = "$(value sha256)" ] || fail bad_image
say "written"
blockdev --rereadpt "$disk" 2> /dev/null
wait_for "$root" && mount "$root" /mnt || fail no_root

mkdir -p /mnt/etc/ssh /mnt/root/.ssh /mnt/etc/systemd/network
rm -f /mnt/etc/ssh/ssh_host_*
umask 077
value host_key | base64 -d > /mnt/etc/ssh/ssh_host_ed25519_key || fail no_root
value admin_keys | base64 -d > /mnt/root/.ssh/authorized_keys || fail no_root
umask 022
chmod 700 /mnt/root/.ssh
value name > /mnt/etc/hostname
{
  echo "[Match]"
  echo "MACAddress=$mac"
  echo "[Network]"
  echo "Address=$(value address)"
  [ -z "$(value gateway)" ] || echo "Gateway=$(value gateway)"
} > /mnt/etc/systemd/network/10-kahn.network
value order > /mnt/etc/kahn-installed || fail no_root
sync
umount /mnt || fail no_root
report "state=installed" || away "nobody heard that it is installed"
say "installed"
reboot -f

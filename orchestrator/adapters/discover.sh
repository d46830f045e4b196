# Looks at this machine and changes nothing: POSIX sh, no temporary file, no Python. What it prints is bounded.
# It reads no list of users, no session, no command line, no crontab's content and no name of anybody's file.
# Each section begins with "@@ NAME"; every other line with a blank. Few programs are started, as each costs a
# millisecond and more: the shell reads small files itself, and one awk at the end cuts, masks and sifts for all.
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin; export PATH
umask 077
exec 2>/dev/null
M="@@$$"
have() { command -v "$1" >/dev/null; }
T=
if have timeout; then T='timeout 10'; fi
part() { echo "$M $1 $2"; }
one() { if [ -r "$2" ] && read -r v < "$2"; then echo "$1$v"; fi; }

look() {
part host 6
if [ -r /proc/sys/kernel/hostname ]; then one '' /proc/sys/kernel/hostname; else hostname; fi
set -- $(uname -srm); echo "$1"; echo "$2"; echo "$3"
hostname -f
part clock 1; date +%s
part release 40; cat /etc/os-release /etc/redhat-release /etc/SuSE-release
part debian 1; one '' /etc/debian_version
part dmi 10
for f in sys_vendor product_name product_serial product_uuid chassis_asset_tag chassis_type; do
  one "$f " /sys/class/dmi/id/$f
done
part firmware 1; [ -d /sys/firmware/efi ] && echo efi
part cpu 1; grep -c '^processor' /proc/cpuinfo
part memory 1; one '' /proc/meminfo
part disks 200
for f in /sys/block/*/size; do
  case $f in */loop*|*/ram*|*/zram*|*/sr*|*/fd*|'/sys/block/*'*) continue;; esac
  d=${f%/size}; one "${d##*/} " "$f"
done
part volumes 200; v=$($T df -Pkl); [ "$v" ] || v=$($T df -Pk); echo "$v"
part mounts 100; grep -E ' (nfs4?|cifs|smb3|smbfs|ncpfs) ' /proc/mounts
part adapters 200; for f in /sys/class/net/*/address; do d=${f%/address}; one "${d##*/} " "$f"; done
part addresses 200; if have ip; then ip -o addr show; else ifconfig -a; fi
part packages 6000
if have dpkg-query; then dpkg-query -W -f '${Status} ${Package} ${Version}\n'
elif have rpm; then rpm -qa --qf '%{NAME} %{VERSION}-%{RELEASE}\n'
elif have apk; then apk info -v; elif have pacman; then pacman -Q; fi
part units 500
if have systemctl && systemctl list-units --type=service --state=running --no-legend --no-pager; then :
else for f in /etc/rc3.d/S* /etc/rc2.d/S* /etc/rc.d/rc3.d/S*; do [ -e "$f" ] && echo "${f##*/S[0-9][0-9]}"; done; fi
part sockets 20000; grep -s '' /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 /dev/null
part holders 40000; ls -ln /proc/[0-9]*/fd
part processes 5000; grep -s '^Name:' /proc/[0-9]*/status /dev/null
part jobs 200
for f in /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/*; do
  case ${f##*/} in '*'|0anacron|placeholder) ;; *) echo "${f##*/}";; esac
done
part timers 200; have systemctl && systemctl list-timers --all --no-legend --no-pager
part shares 200
[ -r /etc/exports ] && sed -n 's/^\(\/[^ ]*\).*/nfs \1/p' /etc/exports
[ -r /etc/samba/smb.conf ] && sed -n 's/^ *\[\([^]]*\)\].*/smb \1/p' /etc/samba/smb.conf
part sites 100
set --; for f in /etc/apache2/sites-enabled /etc/httpd/conf.d /etc/nginx/sites-enabled /etc/nginx/conf.d; do
  [ -d $f ] && set -- "$@" $f
done
[ $# -gt 0 ] && grep -rhsiE '^[[:space:]]*(ServerName|ServerAlias|server_name)[[:space:]]' "$@"
part certificates 50
if have openssl; then
  for f in /etc/letsencrypt/live/*/cert.pem /etc/ssl/*.crt /etc/ssl/*.pem /etc/ssl/certs/ssl-cert-snakeoil.pem \
    /etc/pki/tls/certs/localhost.crt /etc/apache2/ssl/*.crt /etc/nginx/ssl/*.crt /etc/nginx/*.crt; do
    [ -f "$f" ] && echo $(openssl x509 -noout -enddate -subject -in "$f")
  done
fi
part python 6; for p in python3 python2 python; do have $p && { echo "$p"; $T $p -V 2>&1; }; done
part end 0
}

echo "KAHN-DISCOVERY 1"
look </dev/null | awk -v mark="$M" '
  $1 == mark { name = $2; most = $3; lines = 0; print "@@ " name; next }
  most <= lines { next }
  name == "addresses" && !/inet/ { next }
  name == "packages" && /^[a-z]+ [a-z]+ [a-z-]+ / { if ($3 != "installed") next; $0 = $4 " " $5 }
  name == "units" { sub(/^[^A-Za-z0-9]*/, ""); sub(/ .*/, "") }
  name == "timers" { if (!match($0, /[^ ]*\.timer /)) next; $0 = substr($0, RSTART, RLENGTH - 1) }
  name == "sockets" { sub(/^\/proc\/net\//, ""); sub(/:/, " ") }
  name == "holders" && /^\/proc\/[0-9]+\/fd:$/ { split($0, part, "/"); holder = part[3]; next }
  name == "holders" {
    if (!match($0, /socket:\[[0-9]+\]/)) next
    if (!(holder in holds)) { holds[holder] = 1; print " " holder; lines++ }
    $0 = "s" substr($0, RSTART + 8, RLENGTH - 9)
  }
  name == "processes" { split($0, part, "/"); if (!(part[3] in holds)) next; sub(/^.*:Name:/, part[3] " ") }
  name == "sites" { sub(/#.*/, "") }
  { sub(/\/home\/.*/, "/home/*"); sub(/\/run\/user\/.*/, "/run/user/*"); print " " substr($0, 1, 300); lines++ }'

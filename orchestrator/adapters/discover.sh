# Looks at this machine and changes nothing: POSIX sh, no temporary file, no Python. What it prints is bounded.
# It reads no list of users, no session, no command line, no crontab's content and no name of anybody's file.
# Each section begins with "@@ NAME"; every other line with a blank.
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin; export PATH
umask 077
T=
if command -v timeout >/dev/null 2>&1; then T='timeout 10'; fi
out() { echo "@@ $1"; sed -e 's,/home/.*,/home/*,' -e 's,/run/user/.*,/run/user/*,' -e 's/^\(.\{300\}\).*$/\1/' -e 's/^/ /' -e "$2q"; }
have() { command -v "$1" >/dev/null 2>&1; }

echo "KAHN-DISCOVERY 1"
{ hostname; uname -s; uname -r; uname -m; hostname -f; } 2>/dev/null </dev/null | out host 6
date +%s | out clock 1
cat /etc/os-release /etc/redhat-release /etc/SuSE-release 2>/dev/null | out release 40
[ -r /etc/debian_version ] && out debian 1 < /etc/debian_version
for f in sys_vendor product_name product_serial product_uuid chassis_asset_tag chassis_type; do
  [ -r /sys/class/dmi/id/$f ] && { printf '%s ' "$f"; cat /sys/class/dmi/id/$f; }
done 2>/dev/null | out dmi 10
[ -d /sys/firmware/efi ] && echo efi | out firmware 1
grep -c '^processor' /proc/cpuinfo 2>/dev/null | out cpu 1
out memory 1 </proc/meminfo 2>/dev/null
for f in /sys/block/*/size; do
  case $f in */loop*|*/ram*|*/zram*|*/sr*|*/fd*|'/sys/block/*'*) continue;; esac
  read -r s < "$f" && d=${f%/size} && echo "${d##*/} $s"
done 2>/dev/null | out disks 200
$T df -Pkl 2>/dev/null | out volumes 200
grep -E ' (nfs4?|cifs|smb3|smbfs|ncpfs) ' /proc/mounts 2>/dev/null | out mounts 100
for f in /sys/class/net/*/address; do read -r a < "$f" && d=${f%/address} && echo "${d##*/} $a"; done 2>/dev/null | out adapters 200
if have ip; then ip -o addr show 2>/dev/null; else ifconfig -a 2>/dev/null; fi | grep inet | out addresses 200
{ if have dpkg-query; then dpkg-query -W -f '${Status} ${Package} ${Version}\n' | sed -n 's/^.* installed //p'
  elif have rpm; then rpm -qa --qf '%{NAME} %{VERSION}-%{RELEASE}\n'
  elif have apk; then apk info -v; elif have pacman; then pacman -Q; fi; } 2>/dev/null | out packages 6000
{ if have systemctl && systemctl list-units --type=service --state=running --no-legend --no-pager 2>/dev/null; then :
  else for f in /etc/rc3.d/S* /etc/rc2.d/S* /etc/rc.d/rc3.d/S*; do [ -e "$f" ] && echo "${f##*/S[0-9][0-9]}"; done; fi; } |
  sed -e 's/^[^A-Za-z0-9]*//' -e 's/ .*//' | sort -u | out units 500
for f in tcp tcp6 udp udp6; do [ -r /proc/net/$f ] && sed "s/^/$f /" /proc/net/$f; done | out sockets 20000
ls -l /proc/[0-9]*/fd 2>/dev/null | sed -n -e 's,^/proc/\([0-9]*\)/fd:$,\1,p' -e 's,^.*socket:\[\([0-9]*\)\].*$,s\1,p' | out holders 40000
grep -s '^Name:' /proc/[0-9]*/status 2>/dev/null | sed -e 's,^/proc/,,' -e 's,/status:Name:, ,' | out processes 5000
{ ls /etc/cron.d /etc/cron.hourly /etc/cron.daily /etc/cron.weekly /etc/cron.monthly
  have systemctl && systemctl list-timers --all --no-legend --no-pager | sed -n 's/^.* \([^ ]*\.timer\) .*$/\1/p'; } 2>/dev/null |
  grep -v -e '^/' -e '^$' -e '^0anacron$' -e '^placeholder$' | sort -u | out jobs 200
{ sed -n 's/^\(\/[^ ]*\).*/nfs \1/p' /etc/exports; sed -n 's/^ *\[\([^]]*\)\].*/smb \1/p' /etc/samba/smb.conf; } 2>/dev/null | out shares 200
grep -rhsiE '^[[:space:]]*(ServerName|ServerAlias|server_name)[[:space:]]' /etc/apache2/sites-enabled /etc/httpd/conf.d \
  /etc/nginx/sites-enabled /etc/nginx/conf.d 2>/dev/null | sed 's/#.*//' | out sites 100
if have openssl; then
  for f in /etc/letsencrypt/live/*/cert.pem /etc/ssl/*.crt /etc/ssl/*.pem /etc/ssl/certs/ssl-cert-snakeoil.pem \
    /etc/pki/tls/certs/localhost.crt /etc/apache2/ssl/*.crt /etc/nginx/ssl/*.crt /etc/nginx/*.crt; do
    [ -f "$f" ] && echo "$(openssl x509 -noout -enddate -subject -in "$f" 2>/dev/null </dev/null | tr '\n' ' ')"
  done | out certificates 50
fi
for p in python3 python2 python; do have $p && { echo "$p"; $T $p -V 2>&1; } </dev/null; done | out python 6
echo "@@ end"

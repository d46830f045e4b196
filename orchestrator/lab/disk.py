"""A host's disk: a size-limited writable layer over the shared base, filled with the host's identity."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from orchestrator.lab.host import Host
from orchestrator.lab.kernel import mount, run

HOST_KEY = "etc/ssh/ssh_host_ed25519_key"
_SSHD = """\
# Written for this lab host.
Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
UsePAM no
UseDNS no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 200:30:400
MaxSessions 100
AllowTcpForwarding {forwarding}
AllowAgentForwarding no
X11Forwarding no
PrintMotd no
Subsystem sftp internal-sftp
"""
_POWEROFF = """\
#!/bin/sh
# PID 1 of this host is sshd: it ends a moment later, so that the caller's session can end cleanly.
case "${0##*/}" in reboot) echo "this host cannot restart itself" >&2; exit 1 ;; esac
wait_s=1
for word in "$@"; do
    case "$word" in
        -c) pkill -f kahn-lab-poweroff; exit 0 ;;
        -r|--reboot) echo "this host cannot restart itself" >&2; exit 1 ;;
        +[0-9]*) wait_s=$((${word#+} * 60 + 1)) ;;
        [0-9]*:[0-9]*) echo "a time of day is not supported here" >&2; exit 1 ;;
        now|[0-9]*|-*) ;;
        *) break ;;
    esac
done
setsid sh -c "sleep $wait_s; sync; kill -TERM 1" kahn-lab-poweroff </dev/null >/dev/null 2>&1 &
exit 0
"""


def make_disk(host: Host, *, user_key: str) -> str:
    """Mounts and fills the writable layer; the answer is the host's public ssh key. Raises OSError, LabToolFailed."""
    _directory(host.disk, 0o755)
    mount("tmpfs", host.disk, options=f"size={host.disk_mib}m,mode=755")
    for below in ("work", "upper", "upper/etc", "upper/etc/ssh", "upper/home"):
        _directory(host.disk / below, 0o755)
    _directory(host.upper / "root", 0o700)
    _directory(host.upper / "root/.ssh", 0o700)
    _file(host.upper / "root/.ssh/authorized_keys", user_key, 0o600)
    _write_identity(host)
    if host.init == "sshd":
        _write_power_commands(host)
    return make_host_key(host)


def make_host_key(host: Host) -> str:
    """Writes a new ssh host key into the layer and gives its public half, type and key only."""
    path = host.upper / HOST_KEY
    for old in (path, path.with_suffix(".pub")):
        old.unlink(missing_ok=True)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", host.name, "-f", path)
    return public_key(path.with_suffix(".pub"))


def public_key(path: Path) -> str:
    """Type and key of a public key file, without its comment."""
    return " ".join(path.read_text().split()[:2])


def _write_identity(host: Host) -> None:
    etc = host.upper / "etc"
    seed = f"{host.lab}\0{host.tenant}\0{host.name}"
    _file(etc / "hostname", f"{host.name}\n", 0o644)
    _file(etc / "hosts", f"127.0.0.1 localhost\n{host.address} {host.name}\n", 0o644)
    _file(etc / "resolv.conf", "", 0o644)
    _file(etc / "machine-id", hashlib.sha256(seed.encode()).hexdigest()[:32] + "\n", 0o444)
    _file(etc / "ssh/sshd_config", _SSHD.format(forwarding="yes" if host.is_jump else "no"), 0o644)


def _write_power_commands(host: Host) -> None:
    for below in ("usr", "usr/sbin"):
        _directory(host.upper / below, 0o755)
    for name in ("poweroff", "shutdown", "halt", "reboot"):
        _file(host.upper / "usr/sbin" / name, _POWEROFF, 0o755)


def _directory(path: Path, mode: int) -> None:
    path.mkdir(parents=True, exist_ok=True)
    os.chmod(path, mode)


def _file(path: Path, text: str, mode: int) -> None:
    path.write_text(text)
    os.chmod(path, mode)

"""How a machine is reached by ssh, as an argument list in which no value can become an option or a shell command."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import shlex
from dataclasses import dataclass

from inventory.errors import ExpectedError
from inventory.psrp_options import LOGINS, Psrp, is_account, is_certificate

_DNS_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.I)
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_PATH = re.compile(r"/[A-Za-z0-9._/+@=,-]{1,400}")
_HOST_KEY = re.compile(r"[a-z0-9-]{1,40} [A-Za-z0-9+/]{20,8000}={0,2}")
_LABEL = re.compile(r"[a-z0-9-]{1,80}")
MAX_SOCKET_PATH = 90
"""Bytes of a control socket's path: a Unix socket allows 108, and ssh appends up to 17 while it opens one."""


class CannotEmit(ExpectedError):
    """A value that must not reach ssh or Ansible."""

    code, says = "RUN-101", "{what} {value!r} cannot be used to reach a machine: {why}."
    remedy = "Correct it in the inventory or the access profile and propose the wave again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """The host in between. Raises CannotEmit."""

    address: str
    port: int
    user: str
    host_key: str

    def __post_init__(self) -> None:
        check_endpoint(address=self.address, port=self.port, user=self.user, host_key=self.host_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Everything needed to reach one machine: address, account, key file, its host key, and the hop before it.

    ``host_key`` is ``type base64``; without it a machine cannot be reached at all. With ``psrp`` it is reached by
    that, its host key is a certificate, and there is no sudo and no hop. Raises CannotEmit.
    """

    address: str
    port: int
    user: str
    become: bool
    key_file: str
    host_key: str
    hop: Hop | None = None
    psrp: Psrp | None = None

    def __post_init__(self) -> None:
        account = "kahn" if self.psrp and is_account(self.user) else self.user
        check_endpoint(address=self.address, port=self.port, user=account, host_key=self.host_key)
        check_path("key file", self.key_file)
        if is_certificate(self.host_key) != (self.psrp is not None):
            why = "PSRP needs a certificate (x509 ...), ssh a host key of ssh"
            raise CannotEmit(what="host key of", value=self.address, why=why)
        if self.psrp is not None:
            _check_psrp(self.psrp, plain=not self.become and self.hop is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlaces:
    """Where a run keeps what ssh needs: its own known_hosts file, and a short directory for control sockets."""

    known_hosts: str
    sockets: str

    def __post_init__(self) -> None:
        check_path("known_hosts file", self.known_hosts)
        check_path("socket directory", self.sockets)
        if len(self.sockets) + 12 > MAX_SOCKET_PATH:
            raise CannotEmit(what="socket directory", value=self.sockets, why="its path is too long for a socket")


def _check_psrp(way: Psrp, *, plain: bool) -> None:
    if not plain:
        raise CannotEmit(what="way by", value="PSRP", why="it knows neither sudo nor a jump host")
    if way.login not in LOGINS:
        raise CannotEmit(what="login", value=way.login[:40], why=f"use {', '.join(LOGINS)}")
    if way.login == "certificate":
        check_path("certificate file", way.certificate_file)


def check_endpoint(*, address: str, port: int, user: str, host_key: str) -> None:
    """Refuse whatever ssh or a shell could read as something else. Raises CannotEmit."""
    if not (_DNS_NAME.fullmatch(address) or _is_ip(address)):
        raise CannotEmit(what="address", value=address[:80], why="it is neither an IP address nor a DNS name")
    if isinstance(port, bool) or not 1 <= port <= 65535:
        raise CannotEmit(what="port", value=port, why="ports lie between 1 and 65535")
    if not _USER.fullmatch(user):
        raise CannotEmit(what="account", value=user[:40], why="it is no account name")
    if not _HOST_KEY.fullmatch(host_key):
        raise CannotEmit(what="host key of", value=address, why="there is none, or it is not `type base64`")


def check_path(what: str, path: str) -> None:
    """Refuse paths that ssh would expand or split (%, ~, $, blanks, quotes). Raises CannotEmit."""
    if not _PATH.fullmatch(path) or "/../" in f"{path}/":
        raise CannotEmit(what=what, value=path[:80], why="use an absolute path of letters, digits and . _ - + @ = ,")


def ssh_options(reach: Reach, *, label: str, places: RunPlaces, shared: bool) -> tuple[str, ...]:
    """Options common to every connection to the machine. ``label`` is unique per machine within the run.

    With ``shared`` the connection may become the one that later ones use; without, it only joins an open one.
    """
    if not _LABEL.fullmatch(label):
        raise CannotEmit(what="label", value=label[:80], why="only a-z, 0-9 and -")
    master = ("ControlMaster=auto", "ControlPersist=60s") if shared else ("ControlMaster=no",)
    options = [*_strict(label, places), *master, f"ControlPath={places.sockets}/{label}"]
    if reach.hop is not None:
        options.append(f"ProxyCommand={_proxy_command(reach, reach.hop, label=label, places=places)}")
    return ("-F", "none", *(part for option in options for part in ("-o", option)))


def ssh_command(reach: Reach, *, label: str, places: RunPlaces) -> tuple[str, ...]:
    """An argument list that runs on the machine what is appended to it as one further argument."""
    return (
        "ssh",
        *ssh_options(reach, label=label, places=places, shared=False),
        *_account(port=reach.port, user=reach.user, key_file=reach.key_file),
        "--",
        reach.address,
    )


def hop_command(reach: Reach, *, label: str, places: RunPlaces) -> tuple[str, ...]:
    """An argument list that opens the one connection to the jump host which everything behind it then shares; empty
    without a jump host.

    Where it is not open, each connection makes its own: a jump host's sshd takes ten at a time (MaxStartups). It ends
    by itself a minute after its last use.
    """
    if reach.hop is None:
        return ()
    own = ("ControlMaster=yes", "ControlPersist=60s", f"ControlPath={_hop_socket(reach.key_file, reach.hop, places)}")
    options = [part for option in (*_strict(f"{label}-hop", places), *own) for part in ("-o", option)]
    account = _account(port=reach.hop.port, user=reach.hop.user, key_file=reach.key_file)
    return ("ssh", "-F", "none", *options, *account, "-N", "--", reach.hop.address)


def known_host_lines(reach: Reach, *, label: str) -> tuple[str, ...]:
    """Lines of the run's known_hosts file for the machine and its hop."""
    lines = [f"{label} {reach.host_key}"]
    if reach.hop is not None:
        lines.append(f"{label}-hop {reach.hop.host_key}")
    return tuple(lines)


def _strict(alias: str, places: RunPlaces) -> tuple[str, ...]:
    return (
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={places.known_hosts}",
        "GlobalKnownHostsFile=/dev/null",
        f"HostKeyAlias={alias}",
        "CheckHostIP=no",
        "UpdateHostKeys=no",
        "VerifyHostKeyDNS=no",
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "PreferredAuthentications=publickey",
        "PermitLocalCommand=no",
        "ForwardAgent=no",
        "ForwardX11=no",
        "ConnectTimeout=10",
        "ServerAliveInterval=3",
        "ServerAliveCountMax=2",
    )


def _proxy_command(reach: Reach, hop: Hop, *, label: str, places: RunPlaces) -> str:
    """The command that leads through the hop. Written out whole: no %h that a shell would see filled in.

    KAHN_HOP marks it as part of an idle connection, for whoever looks which processes of a run still work.
    """
    target = f"[{reach.address}]:{reach.port}" if ":" in reach.address else f"{reach.address}:{reach.port}"
    words = ["/usr/bin/env", "KAHN_HOP=yes", "ssh", "-F", "none"]
    for option in _strict(f"{label}-hop", places):
        words += ["-o", option]
    words += ["-o", "ControlMaster=no", "-o", f"ControlPath={_hop_socket(reach.key_file, hop, places)}"]
    words += [*_account(port=hop.port, user=hop.user, key_file=reach.key_file), "-W", target, "--", hop.address]
    return shlex.join(words)


def _hop_socket(key_file: str, hop: Hop, places: RunPlaces) -> str:
    """The same path for all machines that are reached through this hop with this key, and for no others."""
    way = "\n".join((hop.address, str(hop.port), hop.user, hop.host_key, key_file))
    return f"{places.sockets}/h{hashlib.sha256(way.encode()).hexdigest()[:8]}"


def _account(*, port: int, user: str, key_file: str) -> tuple[str, ...]:
    return ("-o", f"Port={port}", "-o", f"User={user}", "-o", f"IdentityFile={key_file}")


def _is_ip(text: str) -> bool:
    if "%" in text:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

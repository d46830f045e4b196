"""Names and addresses of one lab, all derived from its state directory, so that labs never meet."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.errors import LabFull, LabNameRefused

MAX_TENANTS, MAX_HOSTS = 250, 50_000
JUMP_NAME = "jump"
CONTROL_ADDRESS = "10.76.0.1"
LAN_BROADCAST = "10.77.255.255"
WAKE_PORT = 9
_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def checked_label(name: str) -> str:
    """The name, if it is a plain lower-case label. Raises LabNameRefused."""
    if not _LABEL.fullmatch(name):
        raise LabNameRefused(name=name)
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class LabNames:
    """Names of namespaces, cables and groups; interface names stay within the kernel's 15 characters."""

    directory: Path

    def __post_init__(self) -> None:
        if not self.directory.is_absolute():
            raise ValueError(f"a lab's directory is absolute, not {self.directory}")

    @property
    def id(self) -> str:
        return "kl" + hashlib.sha256(str(self.directory).encode()).hexdigest()[:6]

    @property
    def control(self) -> str:
        """The controller's network namespace."""
        return f"{self.id}-ctl"

    @property
    def bridge(self) -> str:
        return f"{self.id}br"

    def lan(self, tenant: int) -> str:
        """The network namespace holding the bridge of one tenant's LAN."""
        return f"{self.id}-{tenant}"

    def host(self, tenant: int, number: int) -> str:
        """The network namespace of one host."""
        return f"{self.id}-{tenant}-{number}"

    def port(self, number: int) -> str:
        """The LAN's end of a host's cable."""
        return f"{self.id}p{number}"

    def delay_port(self, number: int) -> str:
        """The LAN's end of a host's artificially slow cable."""
        return f"{self.id}d{number}"

    def jump_port(self, tenant: int) -> str:
        """The controller's end of a jump host's second cable."""
        return f"{self.id}j{tenant}"


def lan_address(number: int) -> str:
    """Address of host ``number`` in its tenant's LAN; the jump host is number 0. Raises LabFull."""
    if number > MAX_HOSTS:
        raise LabFull(limit=MAX_HOSTS, what="hosts")
    return "10.77.0.2" if number == 0 else f"10.77.{1 + (number - 1) // 250}.{1 + (number - 1) % 250}"


def control_address(tenant: int) -> str:
    """Address of a tenant's jump host as the controller sees it. Raises LabFull."""
    if tenant > MAX_TENANTS:
        raise LabFull(limit=MAX_TENANTS, what="tenants")
    return f"10.76.{tenant}.2"


def lan_mac(tenant: int, number: int) -> str:
    """Locally administered MAC address of a host's LAN leg, fixed for its life."""
    return f"02:6b:{tenant:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def control_mac(tenant: int) -> str:
    """MAC address of a jump host's leg towards the controller."""
    return f"06:6b:00:00:00:{tenant:02x}"

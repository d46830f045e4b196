"""One lab host: what was asked for, what it got, and how it looks from outside."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orchestrator.lab.errors import LabHostOff
from orchestrator.lab.kernel import NETNS_DIRECTORY, run, unified_cgroup
from orchestrator.lab.names import JUMP_NAME, LabNames, checked_label, control_address, lan_address, lan_mac

Init = Literal["sshd", "systemd"]
Kind = Literal["workstation", "server"]
Role = Literal["", "jump", "vault", "gateway"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSpec:
    """A wish for one host: PID 1 is sshd (light) or a real systemd; the disk holds ``disk_mib`` MiB."""

    name: str
    init: Init = "sshd"
    disk_mib: int = 256
    kind: Kind = "workstation"
    role: Role = ""
    successor: str = ""
    packages: tuple[str, ...] = ()
    """Debian packages on top of the usual ones: such hosts share a base of their own, which is built and kept."""
    release: str = ""
    """Another release of this machine's system, by its name (``trixie``); empty is the machine's own."""

    def __post_init__(self) -> None:
        checked_label(self.name)
        if self.init not in ("sshd", "systemd") or self.kind not in ("workstation", "server"):
            raise ValueError(f"unknown init or kind: {self.init}, {self.kind}")
        if not 8 <= self.disk_mib <= 1_000_000:
            raise ValueError(f"disk_mib between 8 and 1000000, not {self.disk_mib}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host of a tenant's LAN; on or off, its files stay until the lab goes down."""

    lab: Path
    tenant: str
    tenant_number: int
    number: int
    name: str
    init: Init
    disk_mib: int
    kind: Kind
    base: Path
    role: Role = ""
    successor: str = ""
    host_key: str = ""

    @property
    def names(self) -> LabNames:
        return LabNames(directory=self.lab)

    @property
    def is_jump(self) -> bool:
        return self.name == JUMP_NAME

    @property
    def address(self) -> str:
        """Address in the tenant's LAN; other tenants have the same."""
        return lan_address(self.number)

    @property
    def control_address(self) -> str | None:
        """Address on the controller's bridge; only the jump host has one."""
        return control_address(self.tenant_number) if self.is_jump else None

    @property
    def mac(self) -> str:
        return lan_mac(self.tenant_number, self.number)

    @property
    def directory(self) -> Path:
        return self.lab / "tenants" / self.tenant / "hosts" / self.name

    @property
    def disk(self) -> Path:
        return self.directory / "disk"

    @property
    def upper(self) -> Path:
        """Everything this host has written, as files; complete for directories the base does not have."""
        return self.disk / "upper"

    @property
    def network(self) -> str:
        return self.names.host(self.tenant_number, self.number)

    @property
    def cgroup(self) -> Path | None:
        """Its group in the cgroup2 tree, or None on machines without one."""
        tree = unified_cgroup()
        return tree / self.names.id / f"{self.tenant_number}-{self.number}" if tree else None

    @property
    def pid(self) -> int:
        """PID 1 of the host as seen from outside; 0 while it is off."""
        with suppress(OSError, ValueError):
            pid = int((self.directory / "pid").read_text())
            own = os.stat(NETNS_DIRECTORY / self.network)
            if os.path.samestat(os.stat(f"/proc/{pid}/ns/net"), own):
                return pid
        return 0

    @property
    def running(self) -> bool:
        return self.pid != 0

    @property
    def root(self) -> Path:
        """The host's root directory from outside: all of it while it runs, only what it wrote while it is off."""
        pid = self.pid
        return Path(f"/proc/{pid}/root") if pid else self.upper

    def run(self, *argv: str, stdin: str = "") -> str:
        """Standard output of a command run as root inside the running host. Raises LabHostOff, LabToolFailed."""
        return run(*self.inside(*argv), stdin=stdin)

    def inside(self, *argv: str) -> tuple[str, ...]:
        """The argv that runs a command as root inside the running host. Raises LabHostOff."""
        pid = self.pid
        if not pid:
            raise LabHostOff(name=self.name, wish="running a command")
        clean = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root")
        return ("nsenter", f"--target={pid}", "--mount", "--uts", "--ipc", "--net", "--pid", "--", *clean, *argv)

    def save(self) -> None:
        """Writes the host's record; its presence says that the host is completely made."""
        facts = {
            "tenant_number": self.tenant_number,
            "number": self.number,
            "init": self.init,
            "disk_mib": self.disk_mib,
            "kind": self.kind,
            "base": str(self.base),
            "role": self.role,
            "successor": self.successor,
            "host_key": self.host_key,
        }
        part = self.directory / "host.json.part"
        part.write_text(json.dumps(facts))
        part.replace(self.directory / "host.json")


def load_host(*, lab: Path, tenant: str, name: str) -> Host | None:
    """The host as it was saved, or None if it was never completely made."""
    try:
        facts = json.loads((lab / "tenants" / tenant / "hosts" / name / "host.json").read_text())
    except FileNotFoundError:
        return None
    facts["base"] = Path(facts["base"])
    return Host(lab=lab, tenant=tenant, name=name, **facts)


def hosts_of(lab: Path, tenant: str) -> tuple[Host, ...]:
    """All completely made hosts of a tenant, by number; the jump host first."""
    places = (lab / "tenants" / tenant / "hosts").glob("*/host.json")
    found = (load_host(lab=lab, tenant=tenant, name=place.parent.name) for place in places)
    return tuple(sorted((host for host in found if host), key=lambda host: host.number))

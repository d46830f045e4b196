"""How the controller reaches a tenant's hosts: what an access profile and an inventory need to know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.errors import LabHostUnknown
from orchestrator.lab.host import Host, Kind, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAccess:
    """One host behind the jump host, with the ssh host key it was made with (type and key)."""

    name: str
    kind: Kind
    address: str
    mac: str
    host_key: str
    role: Role
    successor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabAccess:
    """Everything needed to reach one tenant's hosts from the lab's controller namespace."""

    tenant: str
    user: str
    port: int
    key_path: Path
    jump_user: str
    jump_address: str
    jump_port: int
    jump_host_key: str
    wake_broadcast: str
    wake_port: int
    known_hosts_path: Path
    hosts: tuple[HostAccess, ...]

    def host(self, name: str) -> HostAccess:
        """The host of this name. Raises LabHostUnknown."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise LabHostUnknown(name=name, tenant=self.tenant)

    def known_hosts(self) -> str:
        """The text of a known_hosts file: the jump host and every host, nothing else."""
        lines = [f"{self.jump_address} {self.jump_host_key}"]
        lines += [f"{host.address} {host.host_key}" for host in self.hosts]
        return "\n".join(lines) + "\n"

    def ssh_words(self, name: str, *command: str) -> tuple[str, ...]:
        """The argv of a strict ssh to a host through the jump host; run it inside the controller namespace."""
        strict = self._strict()
        through = " ".join(("ssh", *strict, "-W", "[%h]:%p", f"{self.jump_user}@{self.jump_address}"))
        return (
            "ssh",
            *strict,
            "-o",
            f"ProxyCommand={through}",
            "-p",
            str(self.port),
            f"{self.user}@{self.host(name).address}",
            "--",
            *command,
        )

    def _strict(self) -> tuple[str, ...]:
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": "5",
            "GlobalKnownHostsFile": "/dev/null",
            "IdentitiesOnly": "yes",
            "LogLevel": "ERROR",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(self.known_hosts_path),
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ("-F", "none", "-i", str(self.key_path), *words)


def access_of(tenant: str, *, jump: Host, hosts: tuple[Host, ...], key_path: Path, wake: tuple[str, int]) -> LabAccess:
    """The access of one tenant, from its hosts as they were made."""
    return LabAccess(
        tenant=tenant,
        user="root",
        port=22,
        key_path=key_path,
        jump_user="root",
        jump_address=jump.control_address or "",
        jump_port=22,
        jump_host_key=jump.host_key,
        wake_broadcast=wake[0],
        wake_port=wake[1],
        known_hosts_path=jump.lab / "tenants" / tenant / "known_hosts",
        hosts=tuple(
            HostAccess(
                name=host.name,
                kind=host.kind,
                address=host.address,
                mac=host.mac,
                host_key=host.host_key,
                role=host.role,
                successor=host.successor,
            )
            for host in hosts
        ),
    )

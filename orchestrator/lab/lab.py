"""The lab: throw-away real Linux hosts on this machine, one LAN per tenant, each behind its jump host."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from orchestrator.lab import kernel, ledger, network, sweep
from orchestrator.lab.access import HostAccess, LabAccess, access_of
from orchestrator.lab.background import background_runs
from orchestrator.lab.base import default_cache, ensure_base
from orchestrator.lab.disk import make_disk
from orchestrator.lab.errors import LabDirectoryTaken, LabFull, LabHostUnknown, LabNotUp
from orchestrator.lab.faults import apply_fault
from orchestrator.lab.host import Host, HostSpec, Init, hosts_of
from orchestrator.lab.names import (
    JUMP_NAME,
    LAN_BROADCAST,
    MAX_HOSTS,
    WAKE_PORT,
    LabNames,
    checked_label,
    control_address,
)
from orchestrator.lab.notice import Notice, Tell, silent
from orchestrator.lab.possible import require_possible
from orchestrator.lab.power import own_program, power_on

JUMP = HostSpec(name=JUMP_NAME, disk_mib=64, kind="server", role="jump")


def default_directory(start: Path | None = None) -> Path:
    """The state directory of this checkout's lab, or of the working directory outside any checkout."""
    here = (start or Path.cwd()).absolute()
    for place in (here, *here.parents):
        if (place / ".git").exists():
            return place / ".state" / "lab"
    return here / ".state" / "lab"


def seat_specs(seats: int, *, disk_mib: int = 256, init: Init = "sshd") -> tuple[HostSpec, ...]:
    """A vault, and for each seat an old workstation apc-NNNN and its successor neu-NNNN; nothing for no seats."""
    if seats == 0:
        return ()
    numbers = range(1, seats + 1)
    old = (HostSpec(name=f"apc-{n:04d}", disk_mib=disk_mib, init=init, successor=f"neu-{n:04d}") for n in numbers)
    new = (HostSpec(name=f"neu-{n:04d}", disk_mib=disk_mib, init=init) for n in numbers)
    return (HostSpec(name="vault", kind="server", role="vault", disk_mib=max(4 * disk_mib, 512)), *old, *new)


def inventory_rows(access: LabAccess) -> dict[str, list[dict[str, str]]]:
    """A tenant's machines as rows of the native inventory form; all are reached by the access profile "lab"."""
    return {"machines": [_inventory_row(host) for host in access.hosts]}


def _inventory_row(host: HostAccess) -> dict[str, str]:
    row = {
        "name": host.name,
        "kind": host.kind,
        "address": host.address,
        "mac": host.mac,
        "host_key": host.host_key,
        "access": "lab",
        "os_name": "Debian GNU/Linux 12",
        "role": host.role,
        "successor": host.successor,
    }
    return {field: value for field, value in row.items() if value}


_Kind = tuple[str, tuple[str, ...]]
"""Release and further packages of a base."""


class Lab:
    """One lab, known by its state directory; labs in other directories do not touch it."""

    def __init__(self, directory: Path, *, cache: Path | None = None, tell: Tell = silent) -> None:
        self.directory = directory.resolve()
        self.names = LabNames(directory=self.directory)
        self._cache = cache or default_cache()
        self._tell = tell

    # -- making and removing

    def up(self, *, tenant: str, specs: Sequence[HostSpec] = ()) -> tuple[Host, ...]:
        """The wished hosts of a tenant, made where missing, all powered on and answering ssh; jump host included.

        Raises LabNotPossible, LabNameRefused, LabDirectoryTaken, LabFull, LabHostNotReady, LabToolFailed.
        """
        checked_label(tenant)
        require_possible()
        wanted: set[_Kind] = {("", ()), *((spec.release, spec.packages) for spec in specs)}
        bases = {kind: ensure_base(self._cache, self._tell, kind[1], suite=kind[0]) for kind in wanted}
        with self._held():
            self._lay_ground()
            number = self._tenant_number(tenant)
            self._make_hosts(tenant, number=number, specs=specs, bases=bases)
            if any(spec.init == "systemd" for spec in specs):
                self._make_room_for_systemd()
            names = {JUMP_NAME, *(spec.name for spec in specs)}
            hosts = tuple(host for host in hosts_of(self.directory, tenant) if host.name in names)
            facts = {"count": len(hosts), "tenant": tenant}
            self._tell(Notice(says="Starting {count} hosts for {tenant}.", facts=facts))
            power_on(hosts)
            self._watch_for_wakes(tenant, number)
            self.access(tenant)
        return self.hosts(tenant)

    def down(self) -> None:
        """Takes everything of this lab away, half-made or whole; repeats without effect. Raises LabNotPossible."""
        if not self.exists and not sweep.namespaces(self.names):
            return
        require_possible()
        with self._held():
            sweep.sweep(self.names)
            ledger.leave(self.names)

    @property
    def exists(self) -> bool:
        """Whether there is a lab, perhaps half-made, in the directory."""
        return (self.directory / "lab.json").exists()

    @contextmanager
    def _held(self) -> Iterator[None]:
        """The lab for oneself: a second `up` or `down` of the same lab waits."""
        with kernel.locked_directory(self.directory):
            try:
                yield
            finally:
                with suppress(OSError):
                    self.directory.rmdir()

    def _lay_ground(self) -> None:
        """Record, keys, controller namespace; what an interrupted lab or a restart of the machine left goes first."""
        if self.exists and not network.network_exists(self.names.control):
            sweep.sweep(self.names)
        if not self.exists:
            if any(self.directory.iterdir()):
                raise LabDirectoryTaken(directory=self.directory)
            part = self.directory / "lab.json.part"
            part.write_text(json.dumps({"id": self.names.id}))
            part.replace(self.directory / "lab.json")
        ledger.join(self.names)
        key = self.key_path
        if not key.exists():
            key.parent.mkdir(exist_ok=True)
            kernel.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.names.id, "-f", key)
        network.make_control(self.names)

    def _tenant_number(self, tenant: str) -> int:
        record = self.directory / "tenants" / tenant / "tenant.json"
        if record.exists():
            number = int(json.loads(record.read_text())["number"])
        else:
            taken = {json.loads(path.read_text())["number"] for path in self._tenant_records()}
            number = next(number for number in range(1, len(taken) + 2) if number not in taken)
            control_address(number)
            record.parent.mkdir(parents=True)
            record.write_text(json.dumps({"number": number}))
        network.make_lan(self.names, number)
        return number

    def _make_hosts(self, tenant: str, *, number: int, specs: Sequence[HostSpec], bases: Mapping[_Kind, Path]) -> None:
        have = {host.name: host.number for host in hosts_of(self.directory, tenant)}
        next_number = max(have.values(), default=0) + 1
        missing = [spec for spec in specs if spec.name not in have and spec.name != JUMP_NAME]
        numbered = [(next_number + place, spec) for place, spec in enumerate(missing)]
        if JUMP_NAME not in have:
            numbered.insert(0, (0, JUMP))
        new = []
        for host_number, spec in numbered:
            host = Host(
                lab=self.directory,
                tenant=tenant,
                tenant_number=number,
                number=host_number,
                name=spec.name,
                init=spec.init,
                disk_mib=spec.disk_mib,
                kind=spec.kind,
                role=spec.role,
                successor=spec.successor,
                base=bases[spec.release, spec.packages],
            )
            new.append(self._with_disk(host))
        network.connect(new)
        for host in new:
            host.save()

    def _with_disk(self, host: Host) -> Host:
        if host.number > MAX_HOSTS:
            raise LabFull(limit=MAX_HOSTS, what="hosts")
        if host.directory.exists():
            self._scrap(host)
        network.scrap_network(host)
        return replace(host, host_key=make_disk(host, user_key=self.key_path.with_suffix(".pub").read_text()))

    def _scrap(self, host: Host) -> None:
        for point in kernel.mount_points_below(host.directory):
            kernel.unmount(point)
        shutil.rmtree(host.directory)

    def _make_room_for_systemd(self) -> None:
        was = ledger.raise_inotify_limit(self.names)
        if was:
            facts = {"was": was, "wanted": ledger.INOTIFY_WANTED}
            self._tell(
                Notice(
                    says="Kernel setting fs.inotify.max_user_instances: {was} becomes {wanted} while the lab is up.",
                    facts=facts,
                )
            )

    def _watch_for_wakes(self, tenant: str, number: int) -> None:
        pid_file = self.directory / "tenants" / tenant / "watcher.pid"
        if not background_runs(pid_file, module="watcher"):
            kernel.run(*own_program("watcher", str(self.directory), tenant, str(number)))

    # -- looking and using

    @property
    def key_path(self) -> Path:
        """The private key that opens every host of the lab as root."""
        return self.directory / "keys" / "id_ed25519"

    def _tenant_records(self) -> tuple[Path, ...]:
        return tuple(sorted((self.directory / "tenants").glob("*/tenant.json")))

    def tenants(self) -> tuple[str, ...]:
        """Names of the tenants that have a LAN."""
        return tuple(path.parent.name for path in self._tenant_records())

    def hosts(self, tenant: str | None = None) -> tuple[Host, ...]:
        """All hosts of one tenant, or of all; the jump host first."""
        wanted = self.tenants() if tenant is None else (checked_label(tenant),)
        return tuple(host for name in wanted for host in hosts_of(self.directory, name))

    def host(self, name: str, *, tenant: str | None = None) -> Host:
        """The one host of this name. Raises LabHostUnknown, also where several tenants have it and none is named."""
        found = [host for host in self.hosts(tenant) if host.name == name]
        if len(found) != 1:
            raise LabHostUnknown(name=name, tenant=tenant or "-")
        return found[0]

    def access(self, tenant: str) -> LabAccess:
        """How to reach a tenant's hosts; also writes its known_hosts file. Raises LabNotUp."""
        hosts = self.hosts(tenant)
        if not hosts or not hosts[0].is_jump:
            raise LabNotUp(directory=self.directory, tenant=tenant)
        wake = (LAN_BROADCAST, WAKE_PORT)
        access = access_of(tenant, jump=hosts[0], hosts=hosts, key_path=self.key_path, wake=wake)
        part = access.known_hosts_path.with_suffix(".part")
        part.write_text(access.known_hosts())
        part.replace(access.known_hosts_path)
        return access

    def inside(self, *argv: str) -> tuple[str, ...]:
        """The argv that runs a command in the controller namespace. Raises LabNotUp."""
        if not network.network_exists(self.names.control):
            raise LabNotUp(directory=self.directory, tenant="-")
        return ("nsenter", f"--net={kernel.NETNS_DIRECTORY / self.names.control}", "--", *argv)

    @contextmanager
    def controller(self) -> Iterator[None]:
        """The calling thread, and programs it starts meanwhile, in the controller namespace. Raises LabNotUp."""
        self.inside()
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            kernel.enter_network(kernel.NETNS_DIRECTORY / self.names.control)
            yield
        finally:
            kernel.enter_network(f"/proc/self/fd/{home}")
            os.close(home)

    def ssh(self, tenant: str, name: str, *command: str) -> str:
        """Standard output of a command on a host, by strict ssh through the jump host. Raises LabToolFailed."""
        return kernel.run(*self.inside(*self.access(tenant).ssh_words(name, *command)))

    def fault(self, host: Host, kind: str, value: str = "") -> None:
        """Does one of ``FAULTS`` to a host. Raises LabFaultUnknown, LabFeatureMissing, LabHostOff, LabToolFailed."""
        apply_fault(host, kind, value)

"""What a runbook is tried on: the lab's hosts, who plays which role, what is on them, and what to look at there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from orchestrator.core.procedures import ProcedureSettings
from orchestrator.core.runbook import RoleSource, Runbook
from orchestrator.lab import made_up_procedure as made_up
from orchestrator.lab.host import Host, HostSpec
from orchestrator.lab.lab import seat_specs
from orchestrator.lab.picture import Picture, picture
from orchestrator.lab.seats import seat_names
from orchestrator.lab.seed import seed_user_files

HostOf = Callable[[str], Host]
VAULT = HostSpec(name="vault", kind="server", role="vault", disk_mib=512)
GATEWAY = HostSpec(name=made_up.GATE, kind="server", role="gateway", disk_mib=256)
OTHERS = {RoleSource.VAULT: VAULT.name, RoleSource.JUMP: "jump", RoleSource.GATEWAY: GATEWAY.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Hosts of one asset's way: ``names`` by role, wishes for them, and the procedure that moves, if one does."""

    names: Mapping[RoleSource, str]
    specs: tuple[HostSpec, ...]
    furnish: Callable[[HostOf], None]
    """Puts on the fresh hosts what a runbook is to move. Raises LabToolFailed, OSError."""
    settings: ProcedureSettings | None = None
    look_beyond: Callable[[HostOf], Mapping[str, Picture]] = lambda _host: {}
    """What files do not show, by host."""
    seen_otherwise: tuple[str, ...] = ()
    """Files and folders whose bytes do not count, because something else looks into them."""

    def pictures(self, runbook: Runbook, host: HostOf) -> dict[str, Picture]:
        """Everything that counts of every host that plays a role, as seen from outside; the jump host has nothing."""
        names = {self.names[role.machine] for role in runbook.roles if role.machine is not RoleSource.JUMP}
        names.update(self.partners)
        found = {name: picture(host(name).root) for name in sorted(names)}
        for name, seen in found.items():
            found[name] = {path: one for path, one in seen.items() if not self._seen_otherwise(path)}
        for name, beyond in self.look_beyond(host).items():
            found.setdefault(name, {}).update(beyond)
        return found

    @property
    def partners(self) -> tuple[str, ...]:
        """Machines of other procedures that lead to the one that moves, in the order of its settings."""
        return tuple(one.machine for one in self.settings.points_here) if self.settings else ()

    def _seen_otherwise(self, path: str) -> bool:
        return any(
            path == one or path.startswith(one + "/") for one in (top.lstrip("/") for top in self.seen_otherwise)
        )


def stage_for(runbook: Runbook) -> Stage:
    """A procedure on servers behind a gateway for a runbook that moves one, else one seat of a workplace."""
    needed = {role.machine for role in runbook.roles}
    if runbook.procedure:
        return Stage(
            names=MappingProxyType(
                {RoleSource.ASSET: made_up.OLD, RoleSource.SUCCESSOR: made_up.NEW, **OTHERS},
            ),
            specs=(*made_up.procedure_specs(), *((VAULT,) if RoleSource.VAULT in needed else ())),
            furnish=made_up.furnish,
            settings=made_up.procedure_settings(),
            look_beyond=made_up.look_beyond,
            seen_otherwise=made_up.SEEN_OTHERWISE,
        )
    names = seat_names(1)
    return Stage(
        names=MappingProxyType({**OTHERS, **names}),
        specs=(*seat_specs(1), *((GATEWAY,) if RoleSource.GATEWAY in needed else ())),
        furnish=lambda host: _seed(host(names[RoleSource.ASSET])),
    )


def _seed(old: Host) -> None:
    seed_user_files(old, seed=1, files=12, users=2)

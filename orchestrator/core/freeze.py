"""Freezing a planned wave: everything an approval covers, taken from the inventory, the runbook and the policy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from inventory.dependencies import BINDING, SEAT_MACHINES
from inventory.errors import ExpectedError
from inventory.model import Asset, AssetId, Snapshot, name_key
from orchestrator.core.access import AccessProfile
from orchestrator.core.approval import shown_text
from orchestrator.core.needs import check_needs
from orchestrator.core.plan import PlannedWave
from orchestrator.core.policy import Policy
from orchestrator.core.procedures import ProcedureSettings
from orchestrator.core.psrp_moves import check_psrp
from orchestrator.core.reach import Reaches
from orchestrator.core.runbook import DOMAIN, Role, RoleSource, Runbook
from orchestrator.core.wave import PARTNER, Thresholds, WaveContent, WaveMachine, WaveMove


class MachineMissing(ExpectedError):
    """A role of the runbook finds no usable machine in the inventory."""

    code, says = "PLAN-021", "{asset}: no usable machine for the role {role}: {why}."
    remedy = "Complete the inventory record and propose the plan again."


class NotByHand(ExpectedError):
    """The policy has a runbook under by_hand that reaches machines."""

    code, says = "PLAN-034", "Runbook {runbook} stands under [by_hand] of the policy but has steps that reach machines."
    remedy = "Name it under [runbooks], or a runbook of manual steps alone under [by_hand]."


class AccessUnknown(ExpectedError):
    """An asset names an access profile that the administrator has not set up."""

    code, says = "ACC-002", "{machine} refers to the access profile {profile!r}, which does not exist."
    remedy = "Add it with `kahn access add {profile} ...`, or correct the inventory."


class ProcedureUnset(ExpectedError):
    """A runbook that moves a procedure meets a machine on which not exactly one described procedure runs."""

    code, says = "PLAN-023", "{asset}: the runbook {runbook} moves one procedure, but {why}."
    remedy = (
        "Describe it under [[procedure]] in the policy and name the machine among the procedure's `machines`;"
        " or set the machine's `strategy` to retain."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """What freezing needs beside the plan."""

    snapshot: Snapshot
    policy: Policy
    runbooks: Mapping[str, Runbook]
    profiles: Mapping[str, AccessProfile]
    ansible_core: str


def freeze_wave(wave: PlannedWave, frozen: Frozen) -> WaveContent:
    """The wave's content with its fingerprint-to-be. Raises MachineMissing, AccessUnknown, NotByHand, NeedNotMet."""
    snapshot, policy, profiles = frozen.snapshot, frozen.policy, frozen.profiles
    runbook = frozen.runbooks[wave.runbook].for_tenant(has_domain=policy.domain is not None)
    if wave.runbook in policy.by_hand.values() and runbook.touches_machines:
        raise NotByHand(runbook=runbook.name)
    finder = _Finder(snapshot)
    for asset in wave.assets:
        check_needs(finder.assets[asset], runbook)
    moves = tuple(_with_procedure(_move(finder, asset, runbook), finder, frozen, runbook) for asset in wave.assets)
    used = sorted({machine.access for move in moves for machine in move.machines} & profiles.keys())
    for move in moves:
        for machine in move.machines:
            if runbook.touches_machines and machine.access not in profiles:
                raise AccessUnknown(machine=machine.name, profile=machine.access)
    check_psrp(moves, runbook, profiles)
    content = WaveContent(
        tenant=snapshot.tenant,
        key=wave.key,
        runbook=runbook,
        ansible_core=frozen.ansible_core,
        window=wave.window,
        groups=wave.groups,
        batches=wave.batches,
        moves=moves,
        access=tuple(profiles[name] for name in used),
        thresholds=_thresholds(policy),
        approvers_needed=2 if finder.very_high(wave.assets) or runbook.adopted else 1,
        contacts=policy.contacts,
        shown="",
        needs=_needs(snapshot, frozenset(wave.assets)),
        domain=policy.domain if any(step.only_with == DOMAIN for step in runbook.steps) else None,
    )
    return replace(content, shown=hashlib.sha256(shown_text(content).encode()).hexdigest())


def _needs(snapshot: Snapshot, assets: frozenset[AssetId]) -> tuple[tuple[AssetId, AssetId], ...]:
    """Who needs whom within the wave, by dependencies that bind."""
    inside = (one for one in snapshot.dependencies if {one.asset, one.needs} <= assets and one.asset != one.needs)
    return tuple(sorted({(one.asset, one.needs) for one in inside if one.kind in BINDING}))


def _thresholds(policy: Policy) -> Thresholds:
    return Thresholds(
        batch_budget=policy.batch_budget,
        wave_budget=policy.wave_budget,
        auto_rollback_max=policy.auto_rollback_max,
        max_tries=policy.max_tries,
        probe_tries=policy.probe_tries,
        probe_gap_s=policy.probe_gap_s,
        forks=policy.forks,
        soak_s=policy.soak_minutes * 60,
        same_error_max=policy.same_error_max,
        unreachable_share=policy.unreachable_share,
        compare=policy.compare,
        keep_days=policy.keep_days,
    )


REACHABLE_BY = ("address", "host_key", "access")
"""Fields without which no machine can be reached."""


def _least_complete_first(asset: Asset) -> tuple[bool, str]:
    return all(asset.text(needed) for needed in REACHABLE_BY), name_key(asset.name)


class _Finder:
    """Looks machines and procedures up in a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.assets = snapshot.by_id()
        self.reaches = Reaches(snapshot)
        self._machines = {name_key(asset.name): asset for asset in snapshot.assets if asset.is_machine}
        with_role = sorted((asset for asset in snapshot.assets if asset.text("role")), key=_least_complete_first)
        self._by_role = {asset.text("role"): asset for asset in with_role}
        self._procedures = {name_key(a.name): a for a in snapshot.assets if a.kind == "procedure"}
        self._seats = {
            name_key(a.text("machine")): a for a in snapshot.assets if a.kind == "seat" and a.text("machine")
        }

    def machine(self, asset: Asset, role: Role) -> Asset | None:
        """The machine in that role for the asset's move."""
        if role.machine is RoleSource.ASSET:
            return asset
        if role.machine is RoleSource.SUCCESSOR:
            return self._machines.get(name_key(asset.text("successor")))
        return self._by_role.get(role.machine.value)

    def named(self, name: str) -> Asset | None:
        """The machine of that name."""
        return self._machines.get(name_key(name))

    def runs_on(self, asset: Asset) -> tuple[Asset, ...]:
        """Procedures that run on the machine: they name it, or it names them."""
        key, named = name_key(asset.name), set(map(name_key, asset.texts("procedures")))
        return tuple(
            one
            for name, one in sorted(self._procedures.items())
            if name in named or key in map(name_key, one.texts("machines"))
        )

    def seat_of(self, asset: Asset) -> Asset | None:
        """The seat at which the machine stands."""
        return self._seats.get(name_key(asset.name))

    def very_high(self, assets: tuple[AssetId, ...]) -> bool:
        """Whether any procedure used here has the protection class `sehr hoch`."""
        used: set[str] = set()
        for one in assets:
            asset = self.assets[one]
            seat = self.seat_of(asset)
            used.update(map(name_key, (*asset.texts("procedures"), *(seat.texts("procedures") if seat else ()))))
            used.update(name_key(procedure.name) for procedure in self.runs_on(asset))
        return any(self._procedures[name].text("protection") == "sehr hoch" for name in used & self._procedures.keys())


class Machines:
    """The machines of a snapshot by the roles of a runbook."""

    def __init__(self, snapshot: Snapshot, runbook: Runbook) -> None:
        self._finder = _Finder(snapshot)
        self._runbook = runbook

    def of(self, asset: AssetId, *, procedure: ProcedureSettings | None = None) -> tuple[WaveMachine, ...]:
        """Those of one asset's move, with the procedure that was frozen for it, as the inventory has them now. Raises
        MachineMissing, KeyError."""
        found, own = self._finder, self._finder.assets[asset]
        return _partners_added(_machines(found, own, self._runbook), finder=found, asset=own.name, procedure=procedure)


def _machines(finder: _Finder, asset: Asset, runbook: Runbook) -> tuple[WaveMachine, ...]:
    reached = runbook.touches_machines
    found = (_machine(finder, asset, role, reached=reached) for role in runbook.roles)
    return tuple(machine for machine in found if machine is not None)


def _move(finder: _Finder, asset_id: AssetId, runbook: Runbook) -> WaveMove:
    asset = finder.assets[asset_id]
    seat = finder.seat_of(asset)
    return WaveMove(
        asset=asset.id,
        name=asset.name,
        department=asset.text("department") or (seat.text("department") if seat else ""),
        site=asset.text("site") or (seat.text("site") if seat else ""),
        users=_users(finder, asset, seat),
        machines=_machines(finder, asset, runbook),
        reach=finder.reaches.of(asset) if asset.kind in SEAT_MACHINES and runbook.touches_machines else (),
    )


def _users(finder: _Finder, asset: Asset, seat: Asset | None) -> int:
    """How many people need the machine: who sits there; of a server, who uses the procedures that run on it."""
    own = (seat.number("users") if seat else 0) or asset.number("users")
    served = 0.0 if asset.kind in SEAT_MACHINES else sum(one.number("users") for one in finder.runs_on(asset))
    return max(1, int(own), int(served))


def _with_procedure(move: WaveMove, finder: _Finder, frozen: Frozen, runbook: Runbook) -> WaveMove:
    """The move with the settings of the one procedure that moves with it. Raises ProcedureUnset."""
    if not runbook.procedure:
        return move
    running = {name_key(one.name) for one in finder.runs_on(finder.assets[move.asset])}
    found = [one for one in frozen.policy.procedures if name_key(one.name) in running]
    if len(found) != 1:
        why = "the policy describes none that runs there" if not found else "more than one that is described runs there"
        raise ProcedureUnset(asset=move.name, runbook=runbook.name, why=why)
    machines = _partners_added(move.machines, finder=finder, asset=move.name, procedure=found[0])
    for one in machines[len(move.machines) :]:
        if one.access in frozen.profiles and frozen.profiles[one.access].psrp:
            raise MachineMissing(asset=move.name, role=one.role, why=f"{one.name} is not reached by ssh")
    return replace(move, procedure=found[0], machines=machines)


def _partners_added(
    machines: tuple[WaveMachine, ...], *, finder: _Finder, asset: str, procedure: ProcedureSettings | None
) -> tuple[WaveMachine, ...]:
    """The machines of a move, and after them those that lead to its procedure: roles partner_1, partner_2 and so on."""
    taken, found = {name_key(one.name) for one in machines}, list(machines)
    for number, one in enumerate(procedure.points_here if procedure else (), start=1):
        there, role = finder.named(one.machine), f"{PARTNER}{number}"
        if there is None:
            raise MachineMissing(asset=asset, role=role, why=f"the inventory has no machine {one.machine}")
        if name_key(there.name) in taken:
            raise MachineMissing(asset=asset, role=role, why=f"{there.name} has another role in this move")
        found.append(_wave_machine(there, role, asset=asset, reached=True))
    return tuple(found)


def _machine(finder: _Finder, asset: Asset, role: Role, *, reached: bool) -> WaveMachine | None:
    found = finder.machine(asset, role)
    if found is None and role.machine is RoleSource.JUMP:
        return None
    if found is None:
        raise MachineMissing(asset=asset.name, role=role.name, why="there is none")
    return _wave_machine(found, role.name, asset=asset.name, reached=reached)


def _wave_machine(found: Asset, role: str, *, asset: str, reached: bool) -> WaveMachine:
    for needed in REACHABLE_BY if reached else ():
        if not found.text(needed):
            raise MachineMissing(asset=asset, role=role, why=f"{found.name} has no {needed}")
    return WaveMachine(
        role=role,
        name=found.name,
        address=found.text("address"),
        host_key=found.text("host_key"),
        access=found.text("access"),
        mac=found.texts("mac"),
        second_address=found.text("second_address"),
    )

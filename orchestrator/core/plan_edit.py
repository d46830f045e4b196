"""A plan changed by hand: groups moved from wave to wave. The answer is a new plan, a child of the one in force.

An edit never plans: what it does not name stays in its wave and batch, so that approvals of untouched waves hold.
Whether the outcome is allowed says the plan check, not this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from inventory.dependencies import ALONE, structure_of
from inventory.errors import ExpectedError
from inventory.model import AssetId, name_key
from orchestrator.core.plan import Judged, MoveGroup, Pin, Plan, PlannedWave, PlanRequest, WaveKey, WhyNot
from orchestrator.core.planner.batches import batches_of
from orchestrator.core.planner.build import problem_of
from orchestrator.core.planner.draft import Draft, Unit, binding_of, draft_of, units_of
from orchestrator.core.planner.eligibility import faults_of
from orchestrator.core.planner.judge import levels_of, values_of
from orchestrator.core.planner.origin import made_from
from orchestrator.core.planner.risk import with_risks
from orchestrator.core.planner.state import NOWHERE
from orchestrator.core.policy import Policy

NOT_PLANNED = "not_planned"


class NothingToEdit(ExpectedError):
    """There is no plan in force."""

    code, says = "PLAN-040", "{tenant} has no plan in force, so there is nothing to edit."
    remedy = "Make one with `kahn plan propose`."
    exit_code = 5


class EditWaveUnknown(ExpectedError):
    """An edit names a wave that cannot take anything."""

    code, says = "PLAN-041", "The plan in force has no open wave {wave!r}; it has {waves}."
    remedy = "Name one of them. A wave that is under way, or over, takes nothing more."
    exit_code = 5


class EditNotAMove(ExpectedError):
    """An edit names an asset that is not waiting for a wave."""

    code, says = (
        "PLAN-042",
        "{name!r} is not waiting to be moved: it moved already, is under way, or never moves itself.",
    )
    remedy = "Ask `kahn plan explain {name}`."
    exit_code = 5


class EditContradicts(ExpectedError):
    """Two edits of one move group name different waves."""

    code, says = (
        "PLAN-043",
        "{name!r} and {other!r} move together, but one shall go to {wave} and the other to {second}.",
    )
    remedy = "Name one wave for both, or make the dependency between them soft."
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants: this asset, with its move group, in that wave."""

    asset: AssetId
    wave: WaveKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The plan with its edits, and the request that it answers: its pins hold the edits at the next planning."""

    plan: Plan
    request: PlanRequest
    pins: tuple[Pin, ...]
    """The pins that the edits add or replace, by asset."""


def edited(request: PlanRequest, wishes: Sequence[Wish], *, fixed: frozenset[WaveKey] = frozenset()) -> Edited:
    """The plan in force with every wish fulfilled. ``fixed`` waves are under way or over: they are not part of it.

    Raises NothingToEdit, EditWaveUnknown, EditNotAMove, EditContradicts.
    """
    parent = request.parent
    if parent is None:
        raise NothingToEdit(tenant=request.snapshot.tenant)
    table = _Table(request, parent, fixed)
    pins: dict[AssetId, Pin] = {}
    wanted: dict[MoveGroup, Wish] = {}
    for wish in wishes:
        group = table.group_of(wish)
        first = wanted.setdefault(group, wish)
        if first.wave != wish.wave:
            names = {"name": table.name(first.asset), "other": table.name(wish.asset)}
            raise EditContradicts(**names, wave=first.wave, second=wish.wave)
        pins[wish.asset] = replace(table.pin_of(wish.asset), wave=wish.wave)
    for group, wish in wanted.items():
        table.move(group, wish.wave)
    kept = tuple(pin for pin in request.pins if pin.asset not in pins)
    added = tuple(pins[asset] for asset in sorted(pins))
    answered = replace(request, pins=tuple(sorted((*kept, *added), key=lambda pin: pin.asset)))
    return Edited(plan=table.plan(answered), request=answered, pins=added)


class _Table:
    """The open waves of the plan in force with their groups, while groups are moved between them."""

    def __init__(self, request: PlanRequest, parent: Plan, fixed: frozenset[WaveKey]) -> None:
        self._request, self._parent = request, parent
        self._assets = request.snapshot.by_id()
        self._faults = faults_of(request)
        self._waves = {wave.key: wave for wave in parent.waves if wave.key not in fixed}
        self._groups = {key: list(wave.groups) for key, wave in self._waves.items()}
        self._where = {group: key for key, groups in self._groups.items() for group in groups}
        self._group = {asset: group for group in self._where for asset in group.assets}
        self._pins = {pin.asset: pin for pin in request.pins}
        self._parts: Mapping[AssetId, MoveGroup] = {}

    def name(self, asset: AssetId) -> str:
        return self._assets[asset].name if asset in self._assets else str(asset)

    def pin_of(self, asset: AssetId) -> Pin:
        """The asset's present pin: an edit changes its wave and keeps what else was said, such as *not before*."""
        return self._pins.get(asset, Pin(asset=asset))

    def group_of(self, wish: Wish) -> MoveGroup:
        if wish.wave not in self._waves:
            raise EditWaveUnknown(wave=wish.wave, waves=", ".join(self._waves) or "none")
        if wish.asset in self._group:
            return self._group[wish.asset]
        if wish.asset not in self._faults:
            raise EditNotAMove(name=self.name(wish.asset))
        return self._waiting_group(wish.asset)

    def _waiting_group(self, asset: AssetId) -> MoveGroup:
        """The group of an asset that is in no wave: all of its part that still waits."""
        if not self._parts:
            self._parts = dict(self._grouped())
        return self._parts[asset]

    def _grouped(self) -> Iterator[tuple[AssetId, MoveGroup]]:
        for part in structure_of(self._request.snapshot, binding_of(self._request.policy)).parts:
            waiting = sorted((a for a in part.assets if a in self._faults), key=lambda a: (name_key(self.name(a)), a))
            bound_by = part.bound_by if len(waiting) > 1 else (ALONE,)
            group = MoveGroup(assets=tuple(waiting), bound_by=bound_by)
            yield from ((asset, group) for asset in waiting)

    def move(self, group: MoveGroup, wave: WaveKey) -> None:
        """Take the group out of its wave, if it has one, and put it at the end of that wave. Where it is it stays."""
        before = self._where.get(group)
        if before == wave:
            return
        if before is not None:
            self._groups[before].remove(group)
        self._groups[wave].append(group)
        self._where[group] = wave

    def plan(self, request: PlanRequest) -> Plan:
        draft = draft_of(request)
        units, _reasons = units_of(draft)
        ranks = _ranks(units)
        filled = ((self._waves[key], groups) for key, groups in self._groups.items() if groups)
        waves = tuple(_refilled(wave, groups, ranks, request.policy) for wave, groups in filled)
        return replace(
            self._parent,
            parent=self._parent.fingerprint,
            made_from=made_from(request),
            not_before=request.not_before.astimezone(UTC),
            waves=with_risks(waves, request.snapshot, request.policy),
            why_not=tuple(self._left_over(waves)),
            judged=_judged(draft, units, waves),
        )

    def _left_over(self, waves: Iterable[PlannedWave]) -> Iterator[WhyNot]:
        """The reasons of before, of what still waits; and honest ones for what came since."""
        missing = self._faults.keys() - {asset for wave in waves for asset in wave.assets}
        for one in self._parent.why_not:
            if assets := tuple(asset for asset in one.assets if asset in missing):
                missing -= set(assets)
                yield replace(one, assets=assets)
        for asset in sorted(missing):
            fault = self._faults[asset]
            if fault is not None:
                yield WhyNot(assets=(asset,), rule=fault.rule, says=fault.says, remedy=fault.remedy)
            else:
                yield WhyNot(
                    assets=(asset,),
                    rule=NOT_PLANNED,
                    says="It came into the inventory, or back from a wave, after the plan was made.",
                    remedy="Move it into a wave with `kahn plan edit`, or let `kahn plan propose` place it.",
                )


def _ranks(units: Sequence[Unit]) -> dict[AssetId, int]:
    """Asset -> its place in the planner's order. In another order of its own an edit would be undone by the next
    planning, which would put the same groups into the same wave in its order, and so void the approval once more."""
    ordered = sorted(units, key=lambda unit: unit.rank)
    return {asset: place for place, unit in enumerate(ordered) for asset in unit.group.assets}


def _judged(draft: Draft, units: Sequence[Unit], waves: Sequence[PlannedWave]) -> tuple[Judged, ...]:
    """What the edited plan comes to on each level; no bound, because nobody looked for one."""
    index = {asset: draft.closing.get(wave.window.closes, NOWHERE) for wave in waves for asset in wave.assets}
    problem = problem_of(draft, units)
    values = values_of(problem, [index.get(unit.group.assets[0], NOWHERE) for unit in units])
    return tuple(Judged(level=level, value=values[level]) for level in levels_of(problem))


def _refilled(
    wave: PlannedWave, groups: Sequence[MoveGroup], ranks: Mapping[AssetId, int], policy: Policy
) -> PlannedWave:
    """The wave with these groups; a wave that keeps its groups keeps its batches as well, and so its approval."""
    if tuple(groups) == wave.groups:
        return wave
    ordered = tuple(sorted(groups, key=lambda group: ranks.get(group.assets[0], len(ranks))))
    batches = batches_of(ordered, canary_size=policy.canary_size, batch_size=policy.batch_size)
    return replace(wave, groups=ordered, batches=batches)

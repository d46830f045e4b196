"""First fit: move groups in a fixed order, each into the first window that has room. Fast, plain, repeatable."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from inventory.dependencies import ALONE, Structure, departments_of, structure_of
from inventory.model import Asset, AssetId, name_key
from orchestrator.core.calendar import windows_of
from orchestrator.core.plan import MoveGroup, Pin, Plan, PlannedWave, PlannedWindow, PlanRequest, WaveKey, WhyNot
from orchestrator.core.planner.batches import batches_of
from orchestrator.core.planner.eligibility import RULE_NAMES, Fault, faults_of
from orchestrator.core.planner.origin import made_from
from orchestrator.core.planner.room import Room
from orchestrator.core.policy import Policy

GROUP_RULES = (
    "pins_disagree",
    "pinned_wave",
    "pinned_not_before",
    "mixed_runbooks",
    "group_too_large",
    "group_blocked",
    "no_window",
    "window_full",
)
ALL_RULES = RULE_NAMES + GROUP_RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """One move group on its way into a window."""

    part: int
    group: MoveGroup
    runbook: str
    rank: tuple[int, str, int, str, AssetId]
    """Layer of dependencies, department, largest first, name, id."""
    start: int
    """First window allowed by its pins."""
    window: int | None
    """The very window it is pinned to."""
    pinned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """What the request says, looked up once."""

    request: PlanRequest
    windows: tuple[PlannedWindow, ...]
    assets: Mapping[AssetId, Asset]
    faults: Mapping[AssetId, Fault | None]
    structure: Structure
    pins: Mapping[AssetId, tuple[Pin, ...]]
    departments: Mapping[AssetId, str]
    closing: Mapping[datetime, int]
    """When a window closes -> its index. The end is what identifies it: its beginning may have passed already."""

    @property
    def policy(self) -> Policy:
        """The request's policy."""
        return self.request.policy


class FirstFitPlanner:
    """The Planner that takes groups in order and never looks back: pins, then what others need, then departments."""

    def propose(self, request: PlanRequest) -> Plan:
        """A plan that holds every rule; what does not fit is in ``why_not``. Raises InvalidPolicy."""
        draft = _draft(request)
        units, reasons = _units(draft)
        placed = _placed(draft, units)
        reasons.update(_left_over(draft, [unit for unit in units if unit.part not in placed]))
        return Plan(
            tenant=request.snapshot.tenant,
            parent=request.parent.fingerprint if request.parent else "",
            made_from=made_from(request),
            not_before=request.not_before.astimezone(UTC),
            seed=request.seed,
            waves=_waves(draft, units, placed),
            why_not=_why_not(reasons),
        )


def _draft(request: PlanRequest) -> _Draft:
    occupied = request.occupied
    calendar = _calendar(request)
    windows = tuple(one for one in calendar if not any(_overlap(one, other) for other in occupied))
    pins: dict[AssetId, tuple[Pin, ...]] = {}
    for pin in request.pins:
        pins[pin.asset] = (*pins.get(pin.asset, ()), pin)
    return _Draft(
        request=request,
        windows=windows,
        assets=request.snapshot.by_id(),
        faults=faults_of(request),
        structure=structure_of(request.snapshot),
        pins=pins,
        departments=departments_of(request.snapshot),
        closing={window.closes: index for index, window in enumerate(windows)},
    )


def _calendar(request: PlanRequest) -> tuple[PlannedWindow, ...]:
    """The policy's windows. One that is open already keeps the beginning that the plan before gave it.

    Else each new plan would change the wave in it, and void its approval, only because time went by.
    """
    waves = request.parent.waves if request.parent else ()
    before = {wave.window.closes: wave.window for wave in waves if _number(wave.key) >= request.first_number}
    windows = windows_of(request.policy, not_before=request.not_before)
    if windows and windows[0].opens <= request.not_before:
        old = before.get(windows[0].closes)
        if old is not None and old.opens <= windows[0].opens:
            return (old, *windows[1:])
    return windows


def _overlap(one: PlannedWindow, other: PlannedWindow) -> bool:
    return one.opens < other.closes and other.opens < one.closes


# --------------------------------------------------------------------------- groups and what stops them


def _units(draft: _Draft) -> tuple[list[_Unit], dict[AssetId, Fault]]:
    """Groups that could go into a window, and the reason for every asset that could not."""
    reasons: dict[AssetId, Fault] = {}
    units: list[_Unit] = []
    members = [tuple(a for a in part.assets if a in draft.faults) for part in draft.structure.parts]
    layers = _layers(draft.structure, members)
    for index, waiting in enumerate(members):
        if not waiting:
            continue
        own = {asset: fault for asset in waiting if (fault := draft.faults[asset]) is not None}
        reasons.update(own)
        ready = _by_name(draft, (asset for asset in waiting if asset not in own))
        fault = _group_fault(draft, waiting, own) if ready else None
        if fault is not None:
            reasons.update(dict.fromkeys(ready, fault))
        elif ready:
            units.append(_unit(draft, index, ready, layers[index]))
    return units, reasons


def _layers(structure: Structure, members: Sequence[tuple[AssetId, ...]]) -> list[int]:
    """How many groups that move stand below each part; what does not move itself passes the number on."""
    layers: list[int] = []
    for part in structure.parts:
        layers.append(max((layers[need] + bool(members[need]) for need in part.needs), default=0))
    return layers


def _by_name(draft: _Draft, assets: Iterable[AssetId]) -> tuple[AssetId, ...]:
    return tuple(sorted(assets, key=lambda asset: (name_key(draft.assets[asset].name), asset)))


def _unit(draft: _Draft, part: int, ready: tuple[AssetId, ...], layer: int) -> _Unit:
    first = draft.assets[ready[0]]
    pins = _pins_of(draft, ready)
    windows = _pinned_windows(draft, pins)
    return _Unit(
        part=part,
        group=MoveGroup(assets=ready, bound_by=draft.structure.parts[part].bound_by if len(ready) > 1 else (ALONE,)),
        runbook=draft.policy.runbooks[first.kind],
        rank=(layer, name_key(draft.departments[first.id]), -len(ready), name_key(first.name), first.id),
        start=_first_after(draft, pins),
        window=next(iter(windows), None),
        pinned=bool(pins),
    )


def _pins_of(draft: _Draft, assets: Iterable[AssetId]) -> tuple[Pin, ...]:
    return tuple(pin for asset in assets for pin in draft.pins.get(asset, ()))


def _pinned_windows(draft: _Draft, pins: Iterable[Pin]) -> set[int | None]:
    """Indexes of the windows of the waves that the pins name, in the plan that is replaced; None where it is gone."""
    found: set[int | None] = set()
    for key in {pin.wave for pin in pins if pin.wave is not None}:
        wave = draft.request.parent.wave(key) if draft.request.parent else None
        found.add(draft.closing.get(wave.window.closes) if wave else None)
    return found


def _first_after(draft: _Draft, pins: Iterable[Pin]) -> int:
    """Index of the first window that opens at or after every ``not_before`` of the pins."""
    times = [pin.not_before for pin in pins if pin.not_before is not None]
    return bisect_left(draft.windows, max(times), key=lambda window: window.opens) if times else 0


def _group_fault(draft: _Draft, waiting: Sequence[AssetId], own: Mapping[AssetId, Fault]) -> Fault | None:
    """The first group rule that fails, in the order of GROUP_RULES (those about windows come when they are filled)."""
    return (
        _pin_fault(draft, waiting)
        or _mixed_fault(draft, waiting, own)
        or _size_fault(draft, waiting)
        or _blocked_fault(draft, own)
        or _window_fault(draft)
    )


def _pin_fault(draft: _Draft, waiting: Sequence[AssetId]) -> Fault | None:
    pins = _pins_of(draft, waiting)
    keys = sorted({pin.wave for pin in pins if pin.wave is not None})
    windows = _pinned_windows(draft, pins)
    if len(windows) > 1 and None not in windows:
        says = f"Assets that move together are pinned to different waves: {', '.join(keys)}."
        return Fault(rule="pins_disagree", says=says, remedy="Pin them to one wave, or remove the pins.")
    if None in windows:
        says = f"It is pinned to {', '.join(keys)}, and the present calendar has no free window of such a wave."
        return Fault(rule="pinned_wave", says=says, remedy="Change or remove the pin.")
    start = _first_after(draft, pins)
    too_early = any(window is not None and window < start for window in windows)
    if draft.windows and (start == len(draft.windows) or too_early):
        latest = max(pin.not_before for pin in pins if pin.not_before is not None)
        says = f"It is pinned to not before {latest.astimezone(UTC).isoformat(timespec='minutes')}: no window is left."
        return Fault(rule="pinned_not_before", says=says, remedy="Pin it earlier, or add windows after that time.")
    return None


def _mixed_fault(draft: _Draft, waiting: Sequence[AssetId], own: Mapping[AssetId, Fault]) -> Fault | None:
    runbooks = sorted({draft.policy.runbooks[draft.assets[asset].kind] for asset in waiting if asset not in own})
    if len(runbooks) < 2:
        return None
    says = f"Assets that move together need different runbooks: {', '.join(runbooks)}."
    return Fault(rule="mixed_runbooks", says=says, remedy="Loosen a dependency between them, or use one runbook.")


def _size_fault(draft: _Draft, waiting: Sequence[AssetId]) -> Fault | None:
    limit = draft.policy.assets_per_window
    if len(waiting) <= limit:
        return None
    first = draft.assets[_by_name(draft, waiting)[0]].name
    says = f"{len(waiting)} assets move together ({first!r} and others), but a window takes {limit}."
    return Fault(
        rule="group_too_large",
        says=says,
        remedy="Make a dependency between them soft, or raise assets_per_window; `kahn plan explain` shows what binds.",
    )


def _blocked_fault(draft: _Draft, own: Mapping[AssetId, Fault]) -> Fault | None:
    if not own:
        return None
    blocked = _by_name(draft, own)[0]
    says = f"It moves together with {draft.assets[blocked].name!r}, which cannot move ({own[blocked].rule})."
    return Fault(rule="group_blocked", says=says, remedy="Mend the other one first, or make the dependency soft.")


def _window_fault(draft: _Draft) -> Fault | None:
    if draft.windows:
        return None
    if draft.request.occupied:
        taken = ", ".join(window.local for window in draft.request.occupied[:3])
        says = f"Every window within {draft.policy.horizon_days} days is taken by a wave under way ({taken})."
        return Fault(rule="no_window", says=says, remedy="Finish that wave, or add windows to the policy.")
    says = f"The policy leaves no window within {draft.policy.horizon_days} days."
    return Fault(rule="no_window", says=says, remedy="Add windows to the policy, or shorten its freezes.")


# --------------------------------------------------------------------------- into windows


def _placed(draft: _Draft, units: Sequence[_Unit]) -> dict[int, int]:
    """Part -> window. Pins first; then layer by layer, so that nothing goes before what it needs."""
    room = Room(
        windows=len(draft.windows),
        capacity=draft.policy.assets_per_window,
        runbooks=draft.policy.runbooks.values(),
    )
    placed: dict[int, int] = {}
    for unit in sorted((unit for unit in units if unit.pinned), key=lambda unit: (unit.window is None, unit.rank)):
        _place(room, placed, unit, floor=0)
    floors = _Floors(draft.structure)
    for unit in sorted((unit for unit in units if not unit.pinned), key=lambda unit: unit.rank):
        _place(room, placed, unit, floor=floors.of(unit.part, placed))
    return placed


def _place(room: Room, placed: dict[int, int], unit: _Unit, *, floor: int) -> None:
    size = len(unit.group.assets)
    if unit.window is None:
        found = room.first(runbook=unit.runbook, size=size, start=max(unit.start, floor))
    else:
        found = unit.window if room.has(runbook=unit.runbook, size=size, window=unit.window) else None
    if found is not None:
        room.take(runbook=unit.runbook, size=size, window=found)
        placed[unit.part] = found


class _Floors:
    """The earliest window for a part: that of the last thing it needs, directly or through what does not move."""

    def __init__(self, structure: Structure) -> None:
        self._parts = structure.parts
        self._known: dict[int, int] = {}

    def of(self, part: int, placed: Mapping[int, int]) -> int:
        """Asked layer by layer, so all that lies below is placed already. Without recursion: chains can be long."""
        waiting = [part]
        while waiting:
            if waiting[-1] in self._known:
                waiting.pop()
                continue
            needs = self._parts[waiting[-1]].needs
            open_needs = [need for need in needs if need not in placed and need not in self._known]
            if open_needs:
                waiting.extend(open_needs)
            else:
                done = waiting.pop()
                self._known[done] = max((placed.get(need, self._known.get(need, 0)) for need in needs), default=0)
        return self._known[part]


def _left_over(draft: _Draft, units: Sequence[_Unit]) -> dict[AssetId, Fault]:
    reasons: dict[AssetId, Fault] = {}
    for unit in units:
        place = "its pinned window" if unit.window is not None else f"the {len(draft.windows)} windows in reach"
        says = f"No room is left in {place} for a group of {len(unit.group.assets)}."
        fault = Fault(
            rule="window_full", says=says, remedy="Raise assets_per_window, add windows or lengthen horizon_days."
        )
        reasons.update(dict.fromkeys(unit.group.assets, fault))
    return reasons


def _why_not(reasons: Mapping[AssetId, Fault]) -> tuple[WhyNot, ...]:
    """Assets with the very same reason stand together; in the order of the rules."""
    together: dict[Fault, list[AssetId]] = {}
    for asset, fault in reasons.items():
        together.setdefault(fault, []).append(asset)
    found = [
        WhyNot(assets=tuple(sorted(assets)), rule=fault.rule, says=fault.says, remedy=fault.remedy)
        for fault, assets in together.items()
    ]
    return tuple(sorted(found, key=lambda one: (ALL_RULES.index(one.rule), one.says, one.assets)))


# --------------------------------------------------------------------------- waves


def _waves(draft: _Draft, units: Sequence[_Unit], placed: Mapping[int, int]) -> tuple[PlannedWave, ...]:
    filled: dict[int, list[_Unit]] = {}
    for unit in units:
        if unit.part in placed:
            filled.setdefault(placed[unit.part], []).append(unit)
    keys = _keys(draft, sorted(filled))
    return tuple(_wave(draft, keys[index], index, filled[index]) for index in sorted(filled))


def _keys(draft: _Draft, used: Sequence[int]) -> dict[int, WaveKey]:
    """A wave in the same window keeps the key it had in the parent plan; others get new numbers after all of those."""
    first = draft.request.first_number
    kept = {
        wave.window.closes: _number(wave.key)
        for wave in (draft.request.parent.waves if draft.request.parent else ())
        if _number(wave.key) >= first
    }
    following = max(kept.values(), default=first - 1) + 1
    keys: dict[int, WaveKey] = {}
    for index in used:
        number = kept.get(draft.windows[index].closes)
        if number is None:
            number, following = following, following + 1
        keys[index] = WaveKey(f"W{number:02d}")
    return keys


def _number(key: str) -> int:
    digits = key.removeprefix("W")
    return int(digits) if digits.isascii() and digits.isdigit() else -1


def _wave(draft: _Draft, key: WaveKey, index: int, units: Iterable[_Unit]) -> PlannedWave:
    ordered = sorted(units, key=lambda unit: unit.rank)
    groups = tuple(unit.group for unit in ordered)
    return PlannedWave(
        key=key,
        runbook=ordered[0].runbook,
        window=draft.windows[index],
        groups=groups,
        batches=batches_of(groups, canary_size=draft.policy.canary_size, batch_size=draft.policy.batch_size),
    )

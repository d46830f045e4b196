"""A request looked at once: windows, move groups, and the rule that keeps each other asset out of all of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from inventory.dependencies import ALONE, Binding, Structure, departments_of, structure_of
from inventory.model import Asset, AssetId, name_key
from orchestrator.core.openings import Opening, openings_of
from orchestrator.core.plan import MoveGroup, Pin, PlannedWindow, PlanRequest
from orchestrator.core.planner.eligibility import Fault, faults_of
from orchestrator.core.planner.splits import Split, Splits
from orchestrator.core.policy import Policy

SPLITS_SHOWN = 6
"""Needs and sizes in a sentence, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
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
class Draft:
    """What the request says, looked up once."""

    request: PlanRequest
    openings: tuple[Opening, ...]
    assets: Mapping[AssetId, Asset]
    faults: Mapping[AssetId, Fault | None]
    structure: Structure
    pins: Mapping[AssetId, tuple[Pin, ...]]
    departments: Mapping[AssetId, str]
    splits: Splits
    closing: Mapping[datetime, int]
    """When a window closes -> its index. The end is what identifies it: its beginning may have passed already."""

    @property
    def policy(self) -> Policy:
        """The request's policy."""
        return self.request.policy

    @property
    def windows(self) -> tuple[PlannedWindow, ...]:
        """The windows in reach that no wave under way takes."""
        return tuple(opening.window for opening in self.openings)


def binding_of(policy: Policy) -> Binding:
    """What the policy says of shared services and circles."""
    asked = policy.planning
    return Binding(hub_at=asked.hub_at, hubs=asked.hubs, shared_from=asked.shared_from, cycles_bind=asked.cycles_bind)


def draft_of(request: PlanRequest) -> Draft:
    """The request, worked out. Raises InvalidPolicy."""
    occupied = request.occupied
    openings = tuple(one for one in _calendar(request) if not any(_overlap(one.window, other) for other in occupied))
    pins: dict[AssetId, tuple[Pin, ...]] = {}
    for pin in request.pins:
        pins[pin.asset] = (*pins.get(pin.asset, ()), pin)
    return Draft(
        request=request,
        openings=openings,
        assets=request.snapshot.by_id(),
        faults=faults_of(request),
        structure=structure_of(request.snapshot, binding_of(request.policy)),
        pins=pins,
        departments=departments_of(request.snapshot),
        splits=Splits(request.snapshot, binding_of(request.policy)),
        closing={opening.window.closes: index for index, opening in enumerate(openings)},
    )


def _calendar(request: PlanRequest) -> tuple[Opening, ...]:
    """The policy's windows. One that is open already keeps the beginning that the plan before gave it.

    Else each new plan would change the wave in it, and void its approval, only because time went by.
    """
    waves = request.parent.waves if request.parent else ()
    before = {wave.window.closes: wave.window for wave in waves if number_of(wave.key) >= request.first_number}
    openings = openings_of(request.policy, not_before=request.not_before)
    if openings and openings[0].window.opens <= request.not_before:
        old = before.get(openings[0].window.closes)
        if old is not None and old.opens <= openings[0].window.opens:
            return (openings[0]._replace(window=old), *openings[1:])
    return openings


def _overlap(one: PlannedWindow, other: PlannedWindow) -> bool:
    return one.opens < other.closes and other.opens < one.closes


def number_of(key: str) -> int:
    """The number in a wave's key; -1 for what is no such key."""
    digits = key.removeprefix("W")
    return int(digits) if digits.isascii() and digits.isdigit() else -1


# --------------------------------------------------------------------------- groups and what stops them


def units_of(draft: Draft) -> tuple[list[Unit], dict[AssetId, Fault]]:
    """Groups that could go into a window, and the reason for every asset that could not."""
    reasons: dict[AssetId, Fault] = {}
    units: list[Unit] = []
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


def _by_name(draft: Draft, assets: Iterable[AssetId]) -> tuple[AssetId, ...]:
    return tuple(sorted(assets, key=lambda asset: (name_key(draft.assets[asset].name), asset)))


def _unit(draft: Draft, part: int, ready: tuple[AssetId, ...], layer: int) -> Unit:
    first = draft.assets[ready[0]]
    pins = _pins_of(draft, ready)
    windows = _pinned_windows(draft, pins)
    return Unit(
        part=part,
        group=MoveGroup(assets=ready, bound_by=draft.structure.parts[part].bound_by if len(ready) > 1 else (ALONE,)),
        runbook=draft.policy.runbook_of(first),
        rank=(layer, name_key(draft.departments[first.id]), -len(ready), name_key(first.name), first.id),
        start=_first_after(draft, pins),
        window=next(iter(windows), None),
        pinned=bool(windows) or any(pin.not_before is not None for pin in pins),
    )


def _pins_of(draft: Draft, assets: Iterable[AssetId]) -> tuple[Pin, ...]:
    return tuple(pin for asset in assets for pin in draft.pins.get(asset, ()))


def _pinned_windows(draft: Draft, pins: Iterable[Pin]) -> set[int | None]:
    """Indexes of the windows of the waves that the pins name, in the plan that is replaced; None where it is gone."""
    found: set[int | None] = set()
    for key in {pin.wave for pin in pins if pin.wave is not None}:
        wave = draft.request.parent.wave(key) if draft.request.parent else None
        found.add(draft.closing.get(wave.window.closes) if wave else None)
    return found


def _first_after(draft: Draft, pins: Iterable[Pin]) -> int:
    """Index of the first window that opens at or after every ``not_before`` of the pins."""
    times = [pin.not_before for pin in pins if pin.not_before is not None]
    return bisect_left(draft.openings, max(times), key=lambda opening: opening.window.opens) if times else 0


def _group_fault(draft: Draft, waiting: Sequence[AssetId], own: Mapping[AssetId, Fault]) -> Fault | None:
    """The first group rule that fails, in the order of GROUP_RULES (those about windows come when they are filled)."""
    return (
        _pin_fault(draft, waiting)
        or _mixed_fault(draft, waiting, own)
        or _size_fault(draft, waiting)
        or _blocked_fault(draft, own)
        or _window_fault(draft)
    )


def _pin_fault(draft: Draft, waiting: Sequence[AssetId]) -> Fault | None:
    pins = _pins_of(draft, waiting)
    keys = sorted({pin.wave for pin in pins if pin.wave is not None})
    windows = _pinned_windows(draft, pins)
    if len(windows) > 1 and None not in windows:
        says = f"Assets that move together are pinned to different waves: {', '.join(keys)}."
        return Fault(rule="pins_disagree", says=says, remedy="Pin them to one wave, or remove the pins.")
    if not {other for pin in pins for other in pin.not_with}.isdisjoint(waiting):
        says = "Assets that move together are pinned apart."
        return Fault(rule="pins_disagree", says=says, remedy="Pin them to one wave, or remove the pins.")
    if None in windows:
        says = f"It is pinned to {', '.join(keys)}, and the present calendar has no free window of such a wave."
        return Fault(rule="pinned_wave", says=says, remedy="Change or remove the pin.")
    start = _first_after(draft, pins)
    too_early = any(window is not None and window < start for window in windows)
    if draft.openings and (start == len(draft.openings) or too_early):
        latest = max(pin.not_before for pin in pins if pin.not_before is not None)
        says = f"It is pinned to not before {latest.astimezone(UTC).isoformat(timespec='minutes')}: no window is left."
        return Fault(rule="pinned_not_before", says=says, remedy="Pin it earlier, or add windows after that time.")
    return None


def _mixed_fault(draft: Draft, waiting: Sequence[AssetId], own: Mapping[AssetId, Fault]) -> Fault | None:
    runbooks = sorted({draft.policy.runbook_of(draft.assets[asset]) for asset in waiting if asset not in own})
    if len(runbooks) < 2:
        return None
    says = f"Assets that move together need different runbooks: {', '.join(runbooks)}."
    return Fault(rule="mixed_runbooks", says=says, remedy="Loosen a dependency between them, or use one runbook.")


def _size_fault(draft: Draft, waiting: Sequence[AssetId]) -> Fault | None:
    limit = draft.policy.assets_per_window
    if len(waiting) <= limit:
        return None
    first = draft.assets[_by_name(draft, waiting)[0]].name
    says = f"{len(waiting)} assets move together ({first!r} and others), but a window takes {limit}."
    split = draft.splits.cheapest(waiting, limit=limit)
    if split is not None and split.needs:
        says += f" {_split_words(draft, split)}"
    return Fault(
        rule="group_too_large",
        says=says,
        remedy="Make a dependency between them soft, or raise assets_per_window; `kahn plan explain` shows what binds.",
    )


def _split_words(draft: Draft, split: Split) -> str:
    pairs = [f"{draft.assets[one.asset].name} - {draft.assets[one.needs].name}" for one in split.needs[:SPLITS_SHOWN]]
    more = f" and {len(split.needs) - SPLITS_SHOWN} more" if len(split.needs) > SPLITS_SHOWN else ""
    sizes = ", ".join(str(size) for size in split.sizes[:SPLITS_SHOWN])
    return f"Loosening {', '.join(pairs)}{more} would part it into {sizes}."


def _blocked_fault(draft: Draft, own: Mapping[AssetId, Fault]) -> Fault | None:
    if not own:
        return None
    blocked = _by_name(draft, own)[0]
    says = f"It moves together with {draft.assets[blocked].name!r}, which cannot move ({own[blocked].rule})."
    return Fault(rule="group_blocked", says=says, remedy="Mend the other one first, or make the dependency soft.")


def _window_fault(draft: Draft) -> Fault | None:
    if draft.openings:
        return None
    if draft.request.occupied:
        taken = ", ".join(window.local for window in draft.request.occupied[:3])
        says = f"Every window within {draft.policy.horizon_days} days is taken by a wave under way ({taken})."
        return Fault(rule="no_window", says=says, remedy="Finish that wave, or add windows to the policy.")
    says = f"The policy leaves no window within {draft.policy.horizon_days} days."
    return Fault(rule="no_window", says=says, remedy="Add windows to the policy, or shorten its freezes.")

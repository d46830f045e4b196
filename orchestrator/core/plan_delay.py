"""What if a wave begins later: it takes the next window that is free and allowed, and drags along what needs it.

All else stays where it is. That is not what a planner would answer, who may arrange everything anew; it is what happens
to a plan that people already know when one night falls through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from inventory.dependencies import structure_of
from inventory.errors import ExpectedError
from inventory.model import AssetId
from orchestrator.core.calendar import resolved, zone_of
from orchestrator.core.openings import windows_of
from orchestrator.core.plan import Pin, Plan, PlanFinding, PlannedWave, PlannedWindow, PlanRequest, WaveKey
from orchestrator.core.plan_check import check_plan, errors_of
from orchestrator.core.plan_edit import Edited, EditWaveUnknown, edited
from orchestrator.core.planner.draft import binding_of
from orchestrator.core.planner.origin import made_from

WINDOWS_TRIED = 60
"""So many free windows are held against the plan check before the answer is that none will do."""


class DelayImpossible(ExpectedError):
    """No window after the delay takes the wave."""

    code, says = "PLAN-050", "{wave} cannot begin {days} days later: {why}"
    remedy = "Add windows to the policy, lengthen horizon_days, or move its assets with `kahn plan edit`."
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Dragged:
    """A wave that gets another window, and the wave that it waits for; empty for the delayed wave itself."""

    wave: WaveKey
    before: PlannedWindow
    after: PlannedWindow
    waits_for: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """What a delay does: the plan with it (storable as an edit), and each wave that gets another window."""

    edit: Edited
    dragged: tuple[Dragged, ...]


def delayed(request: PlanRequest, wave: str, days: int, *, fixed: frozenset[WaveKey] = frozenset()) -> Delay:
    """The plan in force with that wave so many days later. Raises NothingToEdit, EditWaveUnknown, DelayImpossible."""
    base = edited(request, (), fixed=fixed)
    found = base.plan.wave(wave)
    if found is None:
        raise EditWaveUnknown(wave=wave, waves=", ".join(one.key for one in base.plan.waves) or "none")
    earliest = _days_later(found.window, days)
    pins = _pins(request, found, earliest)
    bench = _Bench(request, base.plan, days)
    bench.request = replace(request, pins=pins)
    bench.move(found.key, earliest, waits_for="")
    added = tuple(pin for pin in pins if pin not in request.pins)
    plan = replace(bench.plan, made_from=made_from(bench.request))
    return Delay(edit=Edited(plan=plan, request=bench.request, pins=added), dragged=tuple(bench.dragged))


def _days_later(window: PlannedWindow, days: int) -> datetime:
    """The same time on the wall so many days later, whatever the clocks do in between."""
    zone = zone_of(window.zone)
    return resolved(window.opens.astimezone(zone) + timedelta(days=days), zone)


def _pins(request: PlanRequest, wave: PlannedWave, earliest: datetime) -> tuple[Pin, ...]:
    """The request's pins, those of the wave's assets with the new *not before* (or a later one that they had)."""
    held = {pin.asset: pin for pin in request.pins}
    for asset in wave.assets:
        old = held.get(asset, Pin(asset=asset))
        latest = max(earliest, old.not_before) if old.not_before else earliest
        held[asset] = replace(old, not_before=latest.astimezone(UTC))
    return tuple(held[asset] for asset in sorted(held))


class _Bench:
    """The plan while wave after wave gets another window."""

    def __init__(self, request: PlanRequest, plan: Plan, days: int) -> None:
        self.request, self.plan, self._days = request, plan, days
        self.dragged: list[Dragged] = []
        self._calendar = windows_of(request.policy, not_before=request.not_before)
        self._needs = _needs_of(plan, request)
        self._known = {(one.rule, one.says) for one in self._errors(plan)}

    def move(self, key: WaveKey, earliest: datetime, *, waits_for: str) -> None:
        """Give the wave its window, then those that need it, first those that come first. Without recursion."""
        waiting = [(key, earliest, waits_for)]
        while waiting:
            waiting.sort(key=lambda one: (self._wave(one[0]).window.opens, one[0]))
            key, earliest, waits_for = waiting.pop(0)
            wave = self._wave(key)
            if waits_for and wave.window.opens >= earliest:
                continue
            after = self._first_window(wave, earliest)
            self.dragged.append(Dragged(wave=key, before=wave.window, after=after, waits_for=waits_for))
            self.plan = _with_window(self.plan, key, after)
            for other in self._needs.get(key, ()):
                was_after = self._wave(other).window.opens >= wave.window.opens
                if was_after and self._wave(other).window.opens < after.opens:
                    waiting.append((other, after.opens, str(key)))

    def _wave(self, key: WaveKey) -> PlannedWave:
        return next(wave for wave in self.plan.waves if wave.key == key)

    def _first_window(self, wave: PlannedWave, earliest: datetime) -> PlannedWindow:
        """The first free one that adds no error to the plan check. Raises DelayImpossible."""
        why = "no free window is left within the policy's horizon."
        for window in islice(self._free(wave, earliest), WINDOWS_TRIED):
            errors = self._errors(_with_window(self.plan, wave.key, window))
            fresh = [one for one in errors if (one.rule, one.says) not in self._known]
            if not fresh:
                return window
            why = fresh[0].says
        raise DelayImpossible(wave=wave.key, days=self._days, why=why)

    def _free(self, wave: PlannedWave, earliest: datetime) -> Iterator[PlannedWindow]:
        taken = [one.window for one in self.plan.waves if one.key != wave.key]
        taken += self.request.occupied
        for window in self._calendar:
            if window.opens >= earliest and not any(_overlap(window, other) for other in taken):
                yield window

    def _errors(self, plan: Plan) -> Sequence[PlanFinding]:
        return errors_of(check_plan(plan, self.request.snapshot, self.request.policy, request=self.request))


def _overlap(one: PlannedWindow, other: PlannedWindow) -> bool:
    return one.opens < other.closes and other.opens < one.closes


def _with_window(plan: Plan, key: WaveKey, window: PlannedWindow) -> Plan:
    waves = (replace(wave, window=window) if wave.key == key else wave for wave in plan.waves)
    return replace(plan, waves=tuple(sorted(waves, key=lambda wave: (wave.window.opens, wave.key))))


def _needs_of(plan: Plan, request: PlanRequest) -> dict[WaveKey, list[WaveKey]]:
    """Wave -> waves in which something needs what moves in it, directly or through what is in no wave."""
    wave_of = {asset: wave.key for wave in plan.waves for asset in wave.assets}
    order = {wave.key: number for number, wave in enumerate(plan.waves)}
    reached: list[frozenset[WaveKey]] = []
    needed_by: dict[WaveKey, set[WaveKey]] = {}
    for part in structure_of(request.snapshot, binding_of(request.policy)).parts:
        own = _waves_in(part.assets, wave_of)
        below = frozenset(key for need in part.needs for key in reached[need])
        reached.append(own or below)
        for mine in own:
            for key in below - {mine}:
                needed_by.setdefault(key, set()).add(mine)
    return {key: sorted(users, key=order.__getitem__) for key, users in needed_by.items()}


def _waves_in(assets: Sequence[AssetId], wave_of: dict[AssetId, WaveKey]) -> frozenset[WaveKey]:
    return frozenset(wave_of[asset] for asset in assets if asset in wave_of)

"""From a draft and its groups to the question without names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from inventory.dependencies import SEAT_MACHINES, needs_of, succession_of
from inventory.model import AssetId, DependencyKind, name_key
from orchestrator.core.constraints import Each, Measure, Per
from orchestrator.core.planner.bans import Bans
from orchestrator.core.planner.draft import Draft, Unit, binding_of
from orchestrator.core.planner.eligibility import movable
from orchestrator.core.planner.problem import (
    BY_DAY,
    BY_WEEK,
    BY_WINDOW,
    SCALE,
    Barrier,
    Edge,
    Facts,
    Problem,
    Row,
    Stock,
)
from orchestrator.core.planner.traits import CRITICALITY, Traits, holds, runs_on, traits_of

CALENDAR = {Per.WINDOW: BY_WINDOW, Per.DAY: BY_DAY, Per.WEEK: BY_WEEK}


def milli(amount: float) -> int:
    """Thousandths, rounded up: a plan may never hold more than it says."""
    return -int(-round(amount * SCALE, 6) // 1)


def problem_of(draft: Draft, units: Sequence[Unit]) -> Problem:
    """The question for these groups."""
    return _Builder(draft, units).problem()


class _Builder:
    def __init__(self, draft: Draft, units: Sequence[Unit]) -> None:
        self.draft, self.units = draft, units
        self.asked = draft.policy.planning
        self.zone = ZoneInfo(draft.policy.zone)
        succession = succession_of(draft.request.snapshot)
        self.all = [asset.id for asset in movable(draft.request.snapshot, succession)]
        self.traits: Mapping[AssetId, Traits] = traits_of(draft.request.snapshot, self.all)
        self.unit_of = {asset: n for n, unit in enumerate(units) for asset in unit.group.assets}
        self.bans = Bans(draft, self.traits, minutes=self.minutes_of)
        self.rows: list[Row] = []
        self.row_of: dict[tuple[int, str], int] = {}
        self.barriers: list[Barrier] = []

    def problem(self) -> Problem:
        """All parts put together."""
        self._fixed_rows()
        stocks = [self._stock(number) for number in range(len(self.asked.stocks))]
        facts = [self._facts(unit) for unit in self.units]
        self._barriers()
        self._take_begun()
        return Problem(
            opens_h=tuple((w.opens - self.draft.request.not_before).total_seconds() / 3600 for w in self.draft.windows),
            calendars=(tuple(range(len(self.days))), self.days, tuple(map(_week, self.days))),
            units=_with_barriers(facts, self.barriers),
            bans=tuple(self.bans.found),
            rows=tuple(self.rows),
            stocks=tuple(stocks),
            barriers=tuple(self.barriers),
            aparts=tuple(one.name for one in self.asked.apart),
            edges=self._edges(),
            objective=self.asked.objective,
            weights=tuple(sorted(self.asked.weights.items())),
            day_zero=self._day(self.draft.request.not_before),
            needs_first=self.asked.needs_first,
            needs=self._needs() if self.asked.needs_first and self.asked.search else (),
            stay=self.asked.stay,
            search=self.asked.search,
        )

    def _day(self, moment: datetime) -> int:
        return moment.astimezone(self.zone).date().toordinal()

    @cached_property
    def days(self) -> tuple[int, ...]:
        """The local day of each window."""
        return tuple(self._day(window.opens) for window in self.draft.windows)

    def minutes_of(self, one: Traits) -> float:
        """Work on one machine."""
        return next((effort.minutes for effort in self.asked.efforts if holds(effort.scope, one)), 0.0)

    # ----------------------------------------------------------------------- how much at once

    def _fixed_rows(self) -> None:
        policy = self.draft.policy
        self.rows.append(Row("window_full", "", BY_WINDOW, (policy.assets_per_window * SCALE,)))
        if self.asked.efforts:
            rest = (
                (window.closes - window.opens).total_seconds() / 60 - self.asked.rollback_minutes
                for window in self.draft.windows
            )
            limits = tuple(max(0, int(one * SCALE)) * policy.forks for one in rest)
            self.rows.append(Row("window_fit", "", BY_WINDOW, limits or (0,)))

    @cached_property
    def _population(self) -> dict[tuple[int, str], int]:
        count: dict[tuple[int, str], int] = {}
        for number, capacity in enumerate(self.asked.capacities):
            if capacity.of is Measure.SHARE:
                for one in self.traits.values():
                    if holds(capacity.scope, one):
                        for part in one.parts(capacity.each):
                            count[number, part] = count.get((number, part), 0) + 1
        return count

    def _row(self, number: int, part: str) -> int:
        if (number, part) not in self.row_of:
            capacity = self.asked.capacities[number]
            limit = int(capacity.most * SCALE + 1e-6)
            if capacity.of is Measure.SHARE:
                limit = max(1, int(capacity.most * self._population.get((number, part), 0) + 1e-9)) * SCALE
            self.row_of[number, part] = len(self.rows)
            self.rows.append(Row("limit", _label(capacity.name, part), CALENDAR[capacity.per], (limit,)))
        return self.row_of[number, part]

    def _amount(self, measure: Measure, one: Traits) -> float:
        return self.minutes_of(one) if measure is Measure.MINUTES else one.counts(measure)

    def _row_amounts(self, members: Sequence[Traits]) -> dict[int, int]:
        found = {0: len(members) * SCALE}
        if self.asked.efforts:
            found[1] = sum(milli(self.minutes_of(one)) for one in members)
        for number, capacity in enumerate(self.asked.capacities):
            inside = [one for one in members if holds(capacity.scope, one)]
            if capacity.of is Measure.CUTOVERS:
                for part in sorted({part for one in inside if one.runs_one for part in one.parts(capacity.each)}):
                    found[self._row(number, part)] = SCALE
                continue
            for one in inside:
                for part in one.parts(capacity.each):
                    row = self._row(number, part)
                    found[row] = found.get(row, 0) + milli(self._amount(capacity.of, one))
        return found

    def _take_begun(self) -> None:
        """What waves that began take of the capacities of their day and week. Of a window they take nothing more."""
        taken: dict[int, dict[int, int]] = {}
        for wave in self.draft.request.begun:
            day = self._day(wave.window.opens)
            for group in wave.groups:
                members = [self.traits[asset] for asset in group if asset in self.traits]
                for number, amount in self._row_amounts(members).items():
                    if self.rows[number].calendar != BY_WINDOW:
                        period = day if self.rows[number].calendar == BY_DAY else _week(day)
                        used = taken.setdefault(number, {})
                        used[period] = used.get(period, 0) + amount
        for number, used in taken.items():
            self.rows[number] = self.rows[number]._replace(taken=tuple(sorted(used.items())))

    def _stock(self, number: int) -> Stock:
        stock = self.asked.stocks[number]
        days = sorted({one.on.toordinal() for one in stock.deliveries})
        gone = sum(self._stock_amount(number, [self.traits[a]]) for a in self.all if a in self.draft.request.settled)
        so_far = [sum(int(one.amount * SCALE) for one in stock.deliveries if one.on.toordinal() <= day) for day in days]
        stretch = tuple(sum(day <= opens for day in days) for opens in self.days)
        return Stock(stock.name, (-gone, *(one - gone for one in so_far)), stretch)

    def _stock_amount(self, number: int, members: Sequence[Traits]) -> int:
        stock = self.asked.stocks[number]
        inside = [one for one in members if holds(stock.scope, one)]
        if stock.of is Measure.CUTOVERS:
            return SCALE * any(one.runs_one for one in inside)
        return sum(milli(self._amount(stock.of, one)) for one in inside)

    # ----------------------------------------------------------------------- one group

    def _facts(self, unit: Unit) -> Facts:
        members = [self.traits[asset] for asset in unit.group.assets]
        bans, leads = self.bans.of(unit.group.assets)
        if self.draft.request.approved:
            bans = (
                *bans,
                self.bans.approved(
                    [self._approved.get(asset, -1) for asset in unit.group.assets], self._approved.values()
                ),
            )
        stocks = ((n, self._stock_amount(n, members)) for n in range(len(self.asked.stocks)))
        olds = [self._old.get(asset, -1) for asset in unit.group.assets if asset in self._planned_before]
        partners = {
            self.unit_of[other]
            for asset in unit.group.assets
            for other in self._not_with.get(asset, ())
            if other in self.unit_of
        }
        return Facts(
            size=len(members),
            runbook=self._runbooks[unit.runbook],
            mask=self.bans.mask(bans),
            bans=bans,
            leads=leads,
            start=unit.start,
            fixed=-1 if unit.window is None else unit.window,
            rows=tuple(sorted((row, one) for row, one in self._row_amounts(members).items() if one)),
            stocks=tuple((n, one) for n, one in stocks if one),
            sides=self._sides(members),
            not_with=tuple(sorted(partners)),
            old=olds[0] if len(set(olds)) == 1 and len(olds) == len(members) else -1,
            olds=tuple(sorted(Counter(olds).items())) if self._planned_before else (),
            planned_before=sum(1 for asset in unit.group.assets if asset in self._planned_before),
            critical=sum(CRITICALITY[one.protection] for one in members),
        )

    @cached_property
    def _runbooks(self) -> dict[str, int]:
        return {name: n for n, name in enumerate(sorted({unit.runbook for unit in self.units}))}

    @cached_property
    def _old(self) -> dict[AssetId, int]:
        """Asset -> the window of its wave in the plan before, where there still is one."""
        waves = self.draft.request.parent.waves if self.draft.request.parent else ()
        closing = self.draft.closing
        found = ((asset, closing.get(wave.window.closes, -1)) for wave in waves for asset in wave.assets)
        return {asset: window for asset, window in found if window >= 0}

    @cached_property
    def _approved(self) -> dict[AssetId, int]:
        """Asset of an approved wave -> that wave's window, or -2 where it is gone."""
        parent, closing = self.draft.request.parent, self.draft.closing
        waves = [wave for wave in (parent.waves if parent else ()) if wave.key in self.draft.request.approved]
        return {asset: closing.get(wave.window.closes, -2) for wave in waves for asset in wave.assets}

    @cached_property
    def _planned_before(self) -> frozenset[AssetId]:
        waves = self.draft.request.parent.waves if self.draft.request.parent else ()
        return frozenset(asset for wave in waves for asset in wave.assets)

    @cached_property
    def _not_with(self) -> dict[AssetId, set[AssetId]]:
        found: dict[AssetId, set[AssetId]] = {}
        for pin in self.draft.request.pins:
            for other in pin.not_with:
                found.setdefault(pin.asset, set()).add(other)
                found.setdefault(other, set()).add(pin.asset)
        return found

    def _sides(self, members: Sequence[Traits]) -> tuple[tuple[int, int], ...]:
        found = set()
        for number, rule in enumerate(self.asked.apart):
            for one in members:
                inside = holds(rule.one, one), holds(rule.other, one)
                if inside[0] != inside[1]:
                    found.add((number, 0 if inside[0] else 1))
        return tuple(sorted(found))

    # ----------------------------------------------------------------------- before and after

    def _barriers(self) -> None:
        for rule in self.asked.first:
            before: dict[str, set[int]] = {}
            after: dict[str, set[int]] = {}
            for asset, unit in self.unit_of.items():
                one = self.traits[asset]
                side = before if holds(rule.first, one) else after if holds(rule.then, one) else None
                for part in one.parts(rule.same) if side is not None else ():
                    if part or rule.same is Each.ALL:
                        side.setdefault(part, set()).add(unit)  # type: ignore[union-attr]
            for part in sorted(before.keys() & after.keys()):
                name = _label(rule.name, part)
                ends = tuple(sorted(before[part])), tuple(sorted(after[part]))
                self.barriers.append(Barrier("first", name, *ends, rule.days_between, complete=False))
        if self.asked.seats_wait:
            self._waiting_seats()

    def _waiting_seats(self) -> None:
        ready = {name_key(name) for name in self.asked.works_from_new}
        asset_of = {self.traits[asset].name: asset for asset in self.all}
        settled = self.draft.request.settled
        users: dict[str, set[int]] = {}
        for asset, unit in self.unit_of.items():
            if self.traits[asset].kind in SEAT_MACHINES:
                for procedure in self.traits[asset].used - ready:
                    users.setdefault(procedure, set()).add(unit)
        hosts = runs_on(self.draft.request.snapshot)
        for procedure in sorted(users.keys() & hosts.keys()):
            open_hosts = [asset_of[one] for one in sorted(hosts[procedure]) if one in asset_of]
            open_hosts = [asset for asset in open_hosts if asset not in settled]
            if open_hosts:
                before = tuple(sorted({self.unit_of.get(asset, -1) for asset in open_hosts}))
                after = tuple(sorted(users[procedure]))
                self.barriers.append(Barrier("seats_wait", procedure, before, after, 0, complete=True))

    def _needs(self) -> tuple[tuple[int, ...], ...]:
        """Parts stand in order, so what lies below each is known before it."""
        parts = self.draft.structure.parts
        below: list[frozenset[int]] = []
        for part in parts:
            direct = {need for need in part.needs if need in self._unit_of_part}
            through = (below[need] for need in part.needs if need not in self._unit_of_part)
            below.append(frozenset(direct).union(*through))
        found = (below[unit.part] for unit in self.units)
        return tuple(tuple(sorted(self._unit_of_part[part] for part in one)) for one in found)

    @cached_property
    def _unit_of_part(self) -> dict[int, int]:
        return {unit.part: n for n, unit in enumerate(self.units)}

    # ----------------------------------------------------------------------- what a cut costs

    def _edges(self) -> tuple[Edge, ...]:
        parts = {asset: n for n, part in enumerate(self.draft.structure.parts) for asset in part.assets}
        unit_of_part = self._unit_of_part
        known = self.draft.assets
        found: dict[tuple[int, int], tuple[float, int]] = {}
        for need in needs_of(self.draft.request.snapshot, binding_of(self.draft.policy)):
            one, other = unit_of_part.get(parts[need.asset], -1), unit_of_part.get(parts[need.needs], -1)
            if one < 0 or other < 0 or one == other or need.kind in (DependencyKind.HARD, DependencyKind.LICENCE):
                continue
            price, users = found.get((min(one, other), max(one, other)), (0.0, 0))
            users += max(1, int(known[need.asset].number("users")))
            found[min(one, other), max(one, other)] = price + self.asked.prices.get(need.kind, 0.0), users
        return tuple(Edge(*pair, price, users) for pair, (price, users) in sorted(found.items()))


def _week(day: int) -> int:
    """The week of a day, from Monday."""
    return (day - 1) // 7


def _label(name: str, part: str) -> str:
    return f"{name} ({part})" if part else name


def _with_barriers(facts: Sequence[Facts], barriers: Sequence[Barrier]) -> tuple[Facts, ...]:
    """Each unit with the barriers it stands at, and how many of them stand in a row before it."""
    before: list[list[int]] = [[] for _ in facts]
    after: list[list[int]] = [[] for _ in facts]
    for number, barrier in enumerate(barriers):
        for unit in barrier.before:
            if unit >= 0:
                before[unit].append(number)
        for unit in barrier.after:
            after[unit].append(number)
    phases = _phases(len(facts), barriers, before)
    return tuple(
        replace(one, before=tuple(before[n]), after=tuple(after[n]), phase=phases[n]) if before[n] or after[n] else one
        for n, one in enumerate(facts)
    )


def _phases(size: int, barriers: Sequence[Barrier], before: Sequence[Sequence[int]]) -> list[int]:
    """Longest way through barriers to each unit; what stands in a circle keeps what it has after as many rounds."""
    phases = [0] * size
    for _round in range(len(barriers) + 1):
        changed = False
        for barrier in barriers:
            floor = 1 + max((phases[unit] for unit in barrier.before if unit >= 0), default=-1)
            for unit in barrier.after:
                if phases[unit] < floor <= len(barriers) and unit not in barrier.before:
                    phases[unit] = floor
                    changed = True
        if not changed:
            break
    return phases

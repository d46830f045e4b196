"""A plan as a chart: which wave is when, and how many assets of each site and department move in each week or month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from inventory.dependencies import departments_of
from inventory.model import AssetId, Snapshot, name_key
from orchestrator.core.calendar import zone_of
from orchestrator.core.plan import Plan, PlannedWave
from orchestrator.core.policy import Policy

MOST_WEEKS = 60
"""Longer plans are drawn by months."""
MOST_WAVES = 150
"""Of more waves, those of one week or month share a row."""
MOST_PLACES = 40
"""Sites or departments with a row of their own; the smallest others share one."""
TENTATIVE = frozenset({"", "draft", "proposed", "missed"})
"""States of waves to which people have not agreed, or no longer; all others are drawn and entered as firm."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One column: a week from Monday or a month, by local days; ``last`` included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveBar:
    """One row of waves: mostly one wave, with its local times; of very long plans, all waves of one period."""

    keys: tuple[str, ...]
    opens: datetime
    closes: datetime
    assets: int
    state: str
    """The wave's state, or empty where it has none or several waves share the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRow:
    """A site or department with its assets in each period. ``more``: so many small ones are added up in this row."""

    name: str
    """Empty for assets of which the inventory does not say it, and for a row of several."""
    counts: tuple[int, ...]
    more: int = 0

    @property
    def total(self) -> int:
        """All its planned assets."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Days in which nothing moves, first and last included."""

    name: str
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All that is drawn."""

    tenant: str
    planned: int
    left: int
    by_months: bool
    periods: tuple[Period, ...]
    waves: tuple[WaveBar, ...]
    sites: tuple[PlaceRow, ...]
    departments: tuple[PlaceRow, ...]
    closed: tuple[Closed, ...]


def chart_of(plan: Plan, snapshot: Snapshot, policy: Policy, *, states: Mapping[str, str]) -> Chart:
    """The chart of a plan. ``states``: key of a wave -> its state. Raises InvalidPolicy for an unknown time zone."""
    periods = _periods(plan)
    known, departments = snapshot.by_id(), departments_of(snapshot)

    def site_of(asset: AssetId) -> str:
        return known[asset].text("site") if asset in known else ""

    def department_of(asset: AssetId) -> str:
        return departments.get(asset, "")

    return Chart(
        tenant=str(plan.tenant),
        planned=sum(len(wave.assets) for wave in plan.waves),
        left=sum(len(one.assets) for one in plan.why_not),
        by_months=bool(periods) and periods[0].first.day == 1 and (periods[0].last - periods[0].first).days > 6,
        periods=periods,
        waves=tuple(_bars(plan, periods, states)),
        sites=_places(plan, periods, site_of),
        departments=_places(plan, periods, department_of),
        closed=tuple(_closed(policy, periods)),
    )


def _opens(wave: PlannedWave) -> datetime:
    return wave.window.opens.astimezone(zone_of(wave.window.zone))


def _closes(wave: PlannedWave) -> datetime:
    return wave.window.closes.astimezone(zone_of(wave.window.zone))


def _periods(plan: Plan) -> tuple[Period, ...]:
    days = [moment.date() for wave in plan.waves for moment in (_opens(wave), _closes(wave))]
    if not days:
        return ()
    first = min(days) - min(days).weekday() * DAY
    weeks = (max(days) - first).days // 7 + 1
    if weeks <= MOST_WEEKS:
        starts = [first + 7 * number * DAY for number in range(weeks)]
        return tuple(Period(first=start, last=start + 6 * DAY) for start in starts)
    return tuple(_months(min(days), max(days)))


def _months(first: date, last: date) -> Iterator[Period]:
    start = first.replace(day=1)
    while start <= last:
        following = (start.replace(day=28) + 4 * DAY).replace(day=1)
        yield Period(first=start, last=following - DAY)
        start = following


def _bars(plan: Plan, periods: Sequence[Period], states: Mapping[str, str]) -> Iterator[WaveBar]:
    ordered = sorted(plan.waves, key=lambda wave: (wave.window.opens, wave.key))
    if len(ordered) <= MOST_WAVES:
        for wave in ordered:
            yield _bar([wave], states.get(wave.key, ""))
        return
    for number in range(len(periods)):
        together = [wave for wave in ordered if _period_of(wave, periods) == number]
        if together:
            yield _bar(together, "")


def _bar(waves: Sequence[PlannedWave], state: str) -> WaveBar:
    return WaveBar(
        keys=tuple(str(wave.key) for wave in waves),
        opens=_opens(waves[0]),
        closes=max(_closes(wave) for wave in waves),
        assets=sum(len(wave.assets) for wave in waves),
        state=state,
    )


def _period_of(wave: PlannedWave, periods: Sequence[Period]) -> int:
    day = _opens(wave).date()
    return next(number for number, one in enumerate(periods) if one.first <= day <= one.last)


def _places(plan: Plan, periods: Sequence[Period], place_of: Callable[[AssetId], str]) -> tuple[PlaceRow, ...]:
    """Rows by size, the largest first; assets without a place come last."""
    counts: dict[str, Counter[int]] = {}
    for wave in plan.waves:
        at = _period_of(wave, periods)
        for asset in wave.assets:
            counts.setdefault(place_of(asset), Counter())[at] += 1
    rows = [PlaceRow(name=name, counts=_row(count, len(periods))) for name, count in counts.items()]
    rows.sort(key=lambda row: (not row.name, -row.total, name_key(row.name)))
    if len(rows) <= MOST_PLACES:
        return tuple(rows)
    small = rows[MOST_PLACES - 1 :]
    return (*rows[: MOST_PLACES - 1], PlaceRow(name="", counts=_added(small), more=len(small)))


def _row(count: Counter[int], periods: int) -> tuple[int, ...]:
    return tuple(count[number] for number in range(periods))


def _added(rows: Iterable[PlaceRow]) -> tuple[int, ...]:
    return tuple(sum(column) for column in zip(*(row.counts for row in rows), strict=True))


def _closed(policy: Policy, periods: Sequence[Period]) -> Iterator[Closed]:
    """Freezes of all assets that the chart's time touches, by their first day."""
    for one in sorted(policy.freezes, key=lambda freeze: (freeze.first, freeze.name)):
        if periods and one.scope.is_all and one.first <= periods[-1].last and one.last >= periods[0].first:
            first, last = max(one.first, periods[0].first), min(one.last, periods[-1].last)
            if first <= last:
                yield Closed(name=one.name, first=first, last=last)

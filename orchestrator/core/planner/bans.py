"""Which windows a rule forbids to which machines: each rule once as a mask over the windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from inventory.model import AssetId
from orchestrator.core.constraints import EVERYWHERE, Scope
from orchestrator.core.freezes import frozen_days, frozen_hours
from orchestrator.core.plan import PlannedWindow
from orchestrator.core.planner.draft import Draft
from orchestrator.core.planner.problem import Ban
from orchestrator.core.planner.traits import Traits, holds

MOMENT = timedelta(microseconds=1)


class _Rule(NamedTuple):
    """A ban before it is known whom it hits."""

    scope: Scope
    ban: Ban
    is_lead: bool = False


class Bans:
    """Every ban of a draft. ``found`` grows as machines are looked at."""

    def __init__(self, draft: Draft, traits: Mapping[AssetId, Traits], *, minutes: Callable[[Traits], float]) -> None:
        self._draft, self._traits, self._minutes = draft, traits, minutes
        self._asked = draft.policy.planning
        self._zone = ZoneInfo(draft.policy.zone)
        self._all = (1 << len(draft.openings)) - 1
        self._days = [self._touched(window.opens, window.closes) for window in draft.windows]
        self._rules = list(self._scoped())
        self._takers = sorted({scope for one in draft.openings for scope in one.scopes} - {EVERYWHERE}, key=repr)
        self.found: list[Ban] = []
        self._number: dict[Ban, int] = {}
        self._known: dict[tuple[object, ...], tuple[tuple[int, ...], tuple[int, ...]]] = {}

    def of(self, assets: Iterable[AssetId]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Numbers of the bans that hit any of the assets; then of those for lead times."""
        bans: set[int] = set()
        leads: set[int] = set()
        for asset in assets:
            hard, lead = self._of_one(self._traits[asset])
            bans.update(hard)
            leads.update(lead)
        return tuple(sorted(bans)), tuple(sorted(leads))

    def mask(self, bans: Iterable[int]) -> int:
        """The windows that all of these allow."""
        mask = self._all
        for number in bans:
            mask &= self.found[number].allowed
        return mask

    def approved(self, windows: Sequence[int], all_windows: Iterable[int]) -> int:
        """Number of the ban by which members of approved waves stay there and others stay out; -1 for no member."""
        shut = 0
        for window in set(all_windows):
            shut |= 1 << window if window >= 0 else 0
        where = set(windows)
        allowed = self._all & ~shut if where == {-1} else 0
        if len(where) == 1 and min(where) >= 0:
            allowed = 1 << min(where)
        return self._numbered(Ban("approved", "", allowed))

    def _of_one(self, one: Traits) -> tuple[tuple[int, ...], tuple[int, ...]]:
        hit = tuple(holds(rule.scope, one) for rule in self._rules)
        taken = tuple(holds(scope, one) for scope in self._takers)
        minutes = self._minutes(one) if self._asked.efforts else 0.0
        key = (hit, taken, minutes)
        if key not in self._known:
            rules = [rule for rule, is_hit in zip(self._rules, hit, strict=True) if is_hit]
            bans = [rule.ban for rule in rules if not rule.is_lead]
            bans += [self._taker_ban(taken), self._fit_ban(minutes)]
            wanted = tuple(self._numbered(ban) for ban in bans if ban.allowed != self._all)
            leads = tuple(self._numbered(rule.ban) for rule in rules if rule.is_lead and rule.ban.allowed != self._all)
            self._known[key] = (wanted, leads)
        return self._known[key]

    def _numbered(self, ban: Ban) -> int:
        if ban not in self._number:
            self._number[ban] = len(self.found)
            self.found.append(ban)
        return self._number[ban]

    # ----------------------------------------------------------------------- single rules

    def _taker_ban(self, taken: tuple[bool, ...]) -> Ban:
        mine = {scope for scope, is_taken in zip(self._takers, taken, strict=True) if is_taken} | {EVERYWHERE}
        return Ban("window_scope", "", _where(not mine.isdisjoint(one.scopes) for one in self._draft.openings))

    def _fit_ban(self, minutes: float) -> Ban:
        windows, reserve = self._draft.windows, self._asked.rollback_minutes
        rest = [(window.closes - window.opens).total_seconds() / 60 - reserve for window in windows]
        if not reserve and not self._asked.efforts:
            return Ban("window_fit", "", self._all)
        return Ban("window_fit", "", _where(one > 0 and minutes <= one for one in rest))

    def _scoped(self) -> Iterator[_Rule]:
        yield from self._frozen()
        for season in self._asked.seasons:
            spans = [(span.first, span.last) for span in season.spans]
            inside = _where(_all_inside(days, spans) for days in self._days)
            yield _Rule(season.scope, Ban("season", season.name, inside))
        begin = self._draft.request.not_before.astimezone(self._zone).date()
        for visit in self._asked.visits:
            if visit.on:
                there = _where(days[0] in visit.on for days in self._days)
                yield _Rule(visit.scope, Ban("visit", visit.name, there))
            yield self._lead(visit.scope, visit.name, begin + timedelta(days=visit.lead_days))
        for task in self._asked.tasks:
            yield self._lead(task.scope, task.name, begin + timedelta(days=task.days_before))

    def _lead(self, scope: Scope, name: str, earliest: date) -> _Rule:
        in_time = _where(days[0] >= earliest for days in self._days)
        return _Rule(scope, Ban("lead_time", name, in_time), is_lead=True)

    def _frozen(self) -> Iterator[_Rule]:
        if not self._days:
            return
        first, last = self._days[0][0], max(days[1] for days in self._days)
        stretches: dict[tuple[str, Scope], list[tuple[date, date]]] = {}
        for one in frozen_days(self._draft.policy, first=first, last=last):
            if not one.scope.is_all:
                stretches.setdefault((one.name, one.scope), []).append((one.first, one.last))
        for (name, scope), spans in stretches.items():
            clear = _where(not _any_touched(days, spans) for days in self._days)
            yield _Rule(scope, Ban("frozen", name, clear))
        for hours in self._asked.hours:
            if not hours.scope.is_all:
                taken = list(frozen_hours(hours, self._zone, first=first, last=last))
                clear = _where(not _overlaps(window, taken) for window in self._draft.windows)
                yield _Rule(hours.scope, Ban("frozen", hours.name, clear))

    def _touched(self, opens: datetime, closes: datetime) -> tuple[date, date]:
        return opens.astimezone(self._zone).date(), (closes - MOMENT).astimezone(self._zone).date()


def _where(is_allowed: Iterable[bool]) -> int:
    """The mask of the windows for which it is so."""
    return sum(1 << number for number, allowed in enumerate(is_allowed) if allowed)


def _overlaps(window: PlannedWindow, spans: list[tuple[datetime, datetime]]) -> bool:
    return any(opens < window.closes and window.opens < closes for opens, closes in spans)


def _any_touched(days: tuple[date, date], spans: list[tuple[date, date]]) -> bool:
    return any(days[0] <= last and first <= days[1] for first, last in spans)


def _all_inside(days: tuple[date, date], spans: list[tuple[date, date]]) -> bool:
    """Whether each day that is touched lies in a span."""
    number = (days[1] - days[0]).days + 1
    touched = (days[0] + timedelta(days=n) for n in range(number))
    return all(any(first <= day <= last for first, last in spans) for day in touched)

"""A policy's windows as instants, each with the assets it takes; freezes of all assets are cut out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from orchestrator.core.calendar import (
    DAY,
    MAX_HORIZON_DAYS,
    WEEKDAYS,
    Span,
    frozen_span,
    is_closed_day,
    planned_window,
    resolved,
    zone_of,
)
from orchestrator.core.constraints import EVERYWHERE, Scope
from orchestrator.core.freezes import frozen_days, frozen_hours
from orchestrator.core.plan import PlannedWindow
from orchestrator.core.policy import Freeze, InvalidPolicy, Policy, WeeklyWindow


class Opening(NamedTuple):
    """One window and what it takes: an asset that any of the scopes holds."""

    window: PlannedWindow
    scopes: frozenset[Scope] = frozenset({EVERYWHERE})


class _Piece(NamedTuple):
    opens: datetime
    closes: datetime
    scopes: frozenset[Scope]


def windows_of(policy: Policy, *, not_before: datetime) -> tuple[PlannedWindow, ...]:
    """Every window from ``not_before`` over the policy's horizon, whatever it takes. Raises InvalidPolicy."""
    return tuple(opening.window for opening in openings_of(policy, not_before=not_before))


def openings_of(policy: Policy, *, not_before: datetime) -> tuple[Opening, ...]:
    """Every window from ``not_before`` over the policy's horizon, sorted, without overlap, in UTC.

    A window that is open at ``not_before`` counts with what remains of it. Where two overlap, the later one begins
    when the earlier one ends; two with the same times are one, which takes what either takes. Raises InvalidPolicy.
    """
    if not_before.tzinfo is None:
        raise InvalidPolicy(field="not_before", value=not_before, why="it needs a time zone")
    zone = zone_of(policy.zone)
    begin, end = not_before.astimezone(UTC), _horizon(policy, not_before)
    first, last = begin.astimezone(zone).date() - DAY, end.astimezone(zone).date()
    spans = list(_weekly_spans(policy, zone, first=first, last=last))
    spans += [((one.opens.astimezone(UTC), one.closes.astimezone(UTC)), one.scope) for one in policy.windows]
    frozen = _frozen(policy, zone, first=first, last=last + DAY)
    free = [(piece, scope) for span, scope in spans for piece in _without(span, frozen)]
    ahead = [((max(opens, begin), closes), scope) for (opens, closes), scope in free if closes > begin and opens < end]
    return tuple(
        Opening(planned_window((piece.opens, piece.closes), zone), piece.scopes) for piece in _apart(_together(ahead))
    )


def _horizon(policy: Policy, not_before: datetime) -> datetime:
    if policy.horizon_days > MAX_HORIZON_DAYS:
        raise InvalidPolicy(
            field="horizon_days", value=policy.horizon_days, why=f"it must be at most {MAX_HORIZON_DAYS}"
        )
    return not_before.astimezone(UTC) + policy.horizon_days * DAY


def _frozen(policy: Policy, zone: ZoneInfo, *, first: date, last: date) -> list[Span]:
    """What is frozen for all assets, as instants, sorted; also where a single window lies beyond the horizon."""
    reach = [one.closes.astimezone(zone).date() for one in policy.windows]
    last = max([last, *reach])
    found = [
        frozen_span(Freeze(name=one.name, first=one.first, last=one.last), zone)
        for one in frozen_days(policy, first=min([first, *reach]) - 60 * DAY, last=last)
        if one.scope.is_all
    ]
    for hours in policy.planning.hours:
        if hours.scope.is_all:
            found += [span for span in frozen_hours(hours, zone, first=first, last=last) if span[0] < span[1]]
    return sorted(found)


def _weekly_spans(policy: Policy, zone: ZoneInfo, *, first: date, last: date) -> Iterator[tuple[Span, Scope]]:
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if not is_closed_day(policy.holidays, day):
            name = WEEKDAYS[day.weekday()]
            for weekly in policy.weekly:
                if name in weekly.days:
                    yield from _occurrence(weekly, day, zone)


def _occurrence(weekly: WeeklyWindow, day: date, zone: ZoneInfo) -> Iterator[tuple[Span, Scope]]:
    """One evening's window; nothing when the clock change swallows all of it."""
    last = day + DAY if weekly.closes <= weekly.opens else day
    opens = resolved(datetime.combine(day, weekly.opens), zone)
    closes = resolved(datetime.combine(last, weekly.closes), zone)
    if opens < closes:
        yield (opens, closes), weekly.scope


def _without(span: Span, frozen: Sequence[Span]) -> Iterator[Span]:
    """What a sorted list of freezes leaves of a span."""
    opens, closes = span
    for first, after in frozen:
        if opens < first < closes:
            yield opens, first
        if first < closes:
            opens = max(opens, after)
    if opens < closes:
        yield opens, closes


def _together(spans: Iterable[tuple[Span, Scope]]) -> Iterator[_Piece]:
    """One piece for all spans of the same times."""
    taken: dict[Span, set[Scope]] = {}
    for span, scope in spans:
        taken.setdefault(span, set()).add(scope)
    for (opens, closes), scopes in taken.items():
        yield _Piece(opens, closes, frozenset({EVERYWHERE} if EVERYWHERE in scopes else scopes))


def _apart(pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    """Sorted, each beginning no earlier than the one before has ended."""
    free_from = datetime.min.replace(tzinfo=UTC)
    for piece in sorted(pieces, key=lambda one: one[:2]):
        if piece.closes > max(piece.opens, free_from):
            yield piece._replace(opens=max(piece.opens, free_from))
            free_from = piece.closes

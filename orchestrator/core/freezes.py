"""Freezes that come back, as days and hours: the turn of a month, weeks around an election, the hours of a counter."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from orchestrator.core.calendar import DAY, WEEKDAYS, resolved
from orchestrator.core.constraints import EVERYWHERE, Every, Hours, Recurring, Scope
from orchestrator.core.policy import Policy

MONTHS = {Every.MONTH: 1, Every.QUARTER: 3, Every.YEAR: 12}


class Frozen(NamedTuple):
    """A stretch of local days on which a scope does not move, first and last included."""

    first: date
    last: date
    name: str
    scope: Scope = EVERYWHERE


def frozen_days(policy: Policy, *, first: date, last: date) -> list[Frozen]:
    """Every freeze by days that touches the time from ``first`` to ``last``, sorted."""
    found = [Frozen(one.first, one.last, one.name, one.scope) for one in policy.freezes if one.first <= one.last]
    for occasion in policy.planning.occasions:
        before, after = occasion.days_before * DAY, occasion.days_after * DAY
        found += [Frozen(on - before, on + after, occasion.name, occasion.scope) for on in occasion.on]
    for recurring in policy.planning.recurring:
        found += _turns(recurring, first=first, last=last)
    touching = (one for one in found if one.first <= last and first <= one.last)
    return sorted(touching, key=lambda one: one[:3])


def _turns(recurring: Recurring, *, first: date, last: date) -> Iterator[Frozen]:
    """From the period before the one of ``first``, whose freeze may reach over its end."""
    months = MONTHS[recurring.every]
    number = (first.year * 12 + first.month - 1) // months - 1
    while (period := _period(number, months))[0] <= last:
        following = _period(number + 1, months)
        begin, end = _day_of(recurring.first_day, period), _day_of(recurring.last_day, period)
        if end < begin:
            end = _day_of(recurring.last_day, following)
        yield Frozen(begin, end, recurring.name, recurring.scope)
        number += 1


def _period(number: int, months: int) -> tuple[date, date]:
    """First and last day of the period of that number."""
    year, month = divmod(number * months, 12)
    last_year, last_month = divmod(number * months + months - 1, 12)
    end = monthrange(last_year, last_month + 1)[1]
    return date(year, month + 1, 1), date(last_year, last_month + 1, end)


def _day_of(number: int, period: tuple[date, date]) -> date:
    begin, end = period
    found = begin + (number - 1) * DAY if number > 0 else end + (number + 1) * DAY
    return min(max(found, begin), end)


def frozen_hours(hours: Hours, zone: ZoneInfo, *, first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
    """The hours of those days as UTC instants, one pair a day, beginning on the day before ``first``."""
    for number in range((last - first).days + 2):
        day = first + timedelta(days=number - 1)
        if WEEKDAYS[day.weekday()] in hours.days:
            after = day + DAY if hours.closes <= hours.opens else day
            yield (
                resolved(datetime.combine(day, hours.opens), zone),
                resolved(datetime.combine(after, hours.closes), zone),
            )

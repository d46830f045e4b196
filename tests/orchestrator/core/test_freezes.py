"""Freezes that come back, as days and as hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.constraints import Every, Hours, Occasion, Planning, Recurring, Weekday
from orchestrator.core.freezes import frozen_days, frozen_hours
from orchestrator.core.plan_check_rules import recurs_on
from orchestrator.core.policy import Freeze
from tests.estates import a_policy

BERLIN = ZoneInfo("Europe/Berlin")


def spans(planning: Planning, first: date, last: date) -> list[tuple[str, date, date]]:
    found = frozen_days(a_policy(planning=planning), first=first, last=last)
    return [(one.name, one.first, one.last) for one in found]


def test_the_turn_of_a_year_reaches_into_the_next() -> None:
    turn = Recurring(name="year end", every=Every.YEAR, first_day=-14, last_day=6)
    assert spans(Planning(recurring=(turn,)), date(2027, 1, 2), date(2027, 1, 9)) == [
        ("year end", date(2026, 12, 18), date(2027, 1, 6))
    ]


def test_a_day_that_a_month_does_not_have_is_its_last() -> None:
    pay = Recurring(name="pay run", every=Every.MONTH, first_day=30, last_day=31)
    assert spans(Planning(recurring=(pay,)), date(2027, 2, 20), date(2027, 3, 2)) == [
        ("pay run", date(2027, 2, 28), date(2027, 2, 28))
    ]


def test_weeks_around_an_election_are_frozen_and_plain_freezes_stand_beside_them() -> None:
    planning = Planning(occasions=(Occasion(name="vote", on=(date(2027, 9, 26),), days_before=56, days_after=14),))
    freeze = Freeze(name="fair", first=date(2027, 9, 1), last=date(2027, 9, 3))
    found = frozen_days(a_policy(planning=planning, freezes=(freeze,)), first=date(2027, 9, 1), last=date(2027, 9, 30))
    assert [(one.name, one.first, one.last) for one in found] == [
        ("vote", date(2027, 8, 1), date(2027, 10, 10)),
        ("fair", date(2027, 9, 1), date(2027, 9, 3)),
    ]


def test_hours_over_midnight_end_on_the_next_day() -> None:
    hours = Hours(name="watch", days=(Weekday.MON,), opens=time(22), closes=time(2))
    found = list(frozen_hours(hours, BERLIN, first=date(2026, 11, 24), last=date(2026, 11, 24)))
    assert found == [(datetime(2026, 11, 23, 21, tzinfo=UTC), datetime(2026, 11, 24, 1, tzinfo=UTC))]


@pytest.mark.parametrize("every", list(Every))
@given(
    first_day=st.integers(-100, 100).filter(bool),
    last_day=st.integers(-100, 100).filter(bool),
    offset=st.integers(0, 800),
)
def test_planner_and_check_freeze_the_same_days(every: Every, first_day: int, last_day: int, offset: int) -> None:
    day = date(2026, 1, 1) + timedelta(days=offset)
    rule = Recurring(name="x", every=every, first_day=first_day, last_day=last_day)
    found = frozen_days(a_policy(planning=Planning(recurring=(rule,))), first=day, last=day)
    assert bool(found) is recurs_on(rule, day)

"""The check's own calendar agrees with the planner's, though they work in opposite directions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.calendar import planned_window, zone_of
from orchestrator.core.openings import windows_of
from orchestrator.core.plan_check_calendar import easter, is_free_day, window_faults
from orchestrator.core.policy import Freeze, Policy, Weekday, WeeklyWindow
from tests.estates import a_policy

STATES = ("BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH")


@pytest.mark.parametrize("state", STATES)
def test_the_rules_for_holidays_give_the_same_days_as_the_library(state: str) -> None:
    for year in range(2024, 2041):
        known = set(holidays.country_holidays("DE", subdiv=state, years=year))
        days = (date(year, 1, 1) + timedelta(days=number) for number in range(366))
        assert {day for day in days if day.year == year and is_free_day(state, day)} == known | {
            date(year, 12, 24),
            date(year, 12, 31),
        }


def test_easter_sundays_as_printed_in_calendars() -> None:
    assert [easter(year) for year in (2024, 2026, 2027, 2038)] == [
        date(2024, 3, 31),
        date(2026, 4, 5),
        date(2027, 3, 28),
        date(2038, 4, 25),
    ]


QUARTERS = st.integers(0, 95).map(lambda number: time(number // 4, number % 4 * 15))
WEEKLY = st.builds(
    WeeklyWindow,
    days=st.lists(st.sampled_from(list(Weekday)), min_size=1, unique=True).map(tuple),
    opens=QUARTERS,
    closes=QUARTERS,
)
NEAR_CHANGES = st.sampled_from(
    [date(2026, 3, 28), date(2026, 10, 24), date(2027, 3, 27), date(2027, 10, 30), date(2026, 12, 23)]
)
FREEZES = st.builds(
    lambda offset, length: Freeze(
        name="f",
        first=date(2026, 3, 20) + timedelta(days=offset),
        last=date(2026, 3, 20) + timedelta(days=offset + length),
    ),
    st.integers(0, 20),
    st.integers(0, 3),
)


@settings(max_examples=200)
@given(
    weekly=st.lists(WEEKLY, min_size=1, max_size=3),
    freezes=st.lists(FREEZES, max_size=2),
    start=NEAR_CHANGES,
    minutes=st.integers(0, 3_000),
    zone=st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "UTC"]),
)
def test_whatever_the_calendar_offers_the_check_accepts(
    weekly: list[WeeklyWindow], freezes: list[Freeze], start: date, minutes: int, zone: str
) -> None:
    policy = a_policy(weekly=tuple(weekly), freezes=tuple(freezes), horizon_days=5, zone=zone)
    begin = datetime.combine(start, time(), tzinfo=UTC) + timedelta(minutes=minutes)
    windows = windows_of(policy, not_before=begin)
    assert [fault for window in windows for fault in window_faults(window, policy)] == []


def faults(policy: Policy, opens: datetime, closes: datetime) -> set[str]:
    window = planned_window((opens, closes), zone_of(policy.zone))
    return {rule for rule, _says in window_faults(window, policy)}


def test_a_window_that_ends_only_in_the_second_turn_of_the_doubled_hour_is_refused() -> None:
    early = WeeklyWindow(days=tuple(Weekday), opens=time(0), closes=time(2, 30))
    policy = a_policy(weekly=(early,), holidays="")
    opens = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    assert faults(policy, opens, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == set()
    assert faults(policy, opens, datetime(2026, 10, 25, 1, 30, tzinfo=UTC)) == {"window_not_allowed"}


def test_a_window_of_the_wrong_weekday_is_refused() -> None:
    """27 November 2026 is a Friday."""
    friday = datetime(2026, 11, 27, 21, 0, tzinfo=UTC)
    assert faults(a_policy(), friday, friday + timedelta(hours=2)) == {"window_not_allowed"}


def test_a_window_on_a_holiday_is_refused() -> None:
    """26 October 2026 is a Monday; in 2026 Ascension Day is Thursday 14 May."""
    ascension = datetime(2026, 5, 14, 20, 0, tzinfo=UTC)
    assert faults(a_policy(), ascension, ascension + timedelta(hours=2)) == {"window_holiday"}

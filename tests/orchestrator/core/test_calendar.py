"""Windows as instants: weekly, single, clock changes, holidays, freezes. Berlin changes its clock at 01:00 UTC."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from orchestrator.core.calendar import public_holidays, resolved
from orchestrator.core.openings import windows_of
from orchestrator.core.policy import Freeze, InvalidPolicy, Policy, Weekday, WeeklyWindow, Window
from tests.estates import MONDAY, a_policy

BERLIN = ZoneInfo("Europe/Berlin")
SPRING = (date(2026, 3, 29), date(2027, 3, 28), date(2028, 3, 26))
AUTUMN = (date(2026, 10, 25), date(2027, 10, 31), date(2028, 10, 29))
EVERY_DAY = tuple(Weekday)


def texts(policy: Policy, not_before: datetime = MONDAY) -> list[str]:
    return [window.local for window in windows_of(policy, not_before=not_before)]


def weekly(opens: str, closes: str, days: tuple[Weekday, ...] = EVERY_DAY) -> WeeklyWindow:
    return WeeklyWindow(days=days, opens=time.fromisoformat(opens), closes=time.fromisoformat(closes))


def single(opens: str, closes: str) -> Window:
    local = [datetime.fromisoformat(one).replace(tzinfo=BERLIN) for one in (opens, closes)]
    return Window(opens=local[0], closes=local[1])


def test_a_weekly_window_comes_back_on_its_days_and_runs_over_midnight() -> None:
    windows = windows_of(a_policy(horizon_days=8), not_before=MONDAY)
    assert [one.local for one in windows] == [
        "Mon 2026-11-23 22:00-04:30",
        "Tue 2026-11-24 22:00-04:30",
        "Wed 2026-11-25 22:00-04:30",
        "Thu 2026-11-26 22:00-04:30",
        "Mon 2026-11-30 22:00-04:30",
    ]
    assert windows[0].opens == datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
    assert windows[0].closes == datetime(2026, 11, 24, 3, 30, tzinfo=UTC)


def test_a_window_that_is_open_already_counts_with_what_remains() -> None:
    at = datetime(2026, 11, 24, 0, 15, tzinfo=UTC)
    assert texts(a_policy(horizon_days=1), at)[0] == "Tue 2026-11-24 01:15-04:30"


def test_a_window_that_ends_at_this_moment_is_over() -> None:
    at = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
    assert texts(a_policy(horizon_days=1), at) == ["Tue 2026-11-24 22:00-04:30"]


@pytest.mark.parametrize("day", SPRING)
def test_a_time_that_the_clock_skips_in_spring_is_the_next_that_exists(day: date) -> None:
    assert resolved(datetime.combine(day, time(2, 30)), BERLIN) == datetime(day.year, 3, day.day, 1, 0, tzinfo=UTC)
    assert resolved(datetime.combine(day, time(1, 59)), BERLIN) == datetime(day.year, 3, day.day, 0, 59, tzinfo=UTC)
    assert resolved(datetime.combine(day, time(3, 0)), BERLIN) == datetime(day.year, 3, day.day, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize("day", AUTUMN)
def test_of_a_doubled_hour_in_autumn_the_first_counts(day: date) -> None:
    assert resolved(datetime.combine(day, time(2, 30)), BERLIN) == datetime(day.year, 10, day.day, 0, 30, tzinfo=UTC)
    assert resolved(datetime.combine(day, time(3, 0)), BERLIN) == datetime(day.year, 10, day.day, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(("day", "hours"), [*((day, 5.5) for day in SPRING), *((day, 7.5) for day in AUTUMN)])
def test_a_night_in_which_the_clock_changes_is_an_hour_shorter_or_longer(day: date, hours: float) -> None:
    policy = a_policy(weekly=(weekly("22:00", "04:30"),), horizon_days=1)
    noon = datetime.combine(day - timedelta(days=1), time(12), tzinfo=UTC)
    (window,) = windows_of(policy, not_before=noon)
    assert (window.closes - window.opens) == timedelta(hours=hours)
    assert window.local.endswith("22:00-04:30")


@pytest.mark.parametrize("day", [*SPRING, *AUTUMN])
def test_a_window_at_half_past_two_comes_once_in_every_clock_change_night(day: date) -> None:
    policy = a_policy(weekly=(weekly("02:30", "05:00"),), holidays="", horizon_days=4)
    start = datetime.combine(day - timedelta(days=1), time(12), tzinfo=UTC)
    opening = [one.opens.astimezone(BERLIN) for one in windows_of(policy, not_before=start)]
    assert [one.date() for one in opening[:3]] == [day, day + timedelta(days=1), day + timedelta(days=2)]
    assert opening[0].strftime("%H:%M") == ("03:00" if day in SPRING else "02:30")


def test_a_window_that_the_clock_skips_altogether_falls_out() -> None:
    policy = a_policy(weekly=(weekly("02:10", "02:50"),), holidays="", horizon_days=3)
    found = texts(policy, datetime(2027, 3, 27, 12, tzinfo=UTC))
    assert found == ["Mon 2027-03-29 02:10-02:50", "Tue 2027-03-30 02:10-02:50"]


def test_the_second_turn_of_the_doubled_hour_carries_its_offset() -> None:
    twice = Window(opens=datetime(2026, 10, 25, 0, 30, tzinfo=UTC), closes=datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    policy = a_policy(weekly=(), windows=(twice,))
    assert texts(policy, datetime(2026, 10, 1, tzinfo=UTC)) == ["Sun 2026-10-25 02:30-02:30+01:00"]


def test_no_window_begins_on_a_public_holiday_of_the_state_nor_on_24_and_31_december() -> None:
    policy = a_policy(weekly=(weekly("22:00", "23:00"),), holidays="BB", horizon_days=365)
    begun = {
        one.opens.astimezone(BERLIN).date() for one in windows_of(policy, not_before=datetime(2027, 1, 1, tzinfo=UTC))
    }
    closed = public_holidays("BB", 2027)
    assert len(closed) == 12 and date(2027, 10, 31) in closed and date(2027, 3, 28) in closed
    missing = {date(2027, 1, 1) + timedelta(days=n) for n in range(365)} - begun
    assert missing == closed | {date(2027, 12, 24), date(2027, 12, 31)}


def test_a_window_of_the_evening_before_runs_into_a_holiday() -> None:
    policy = a_policy(weekly=(weekly("22:00", "04:30"),), horizon_days=3)
    found = texts(policy, datetime(2027, 5, 5, 12, tzinfo=UTC))
    assert found == ["Wed 2027-05-05 22:00-04:30", "Fri 2027-05-07 22:00-04:30"]


def test_a_lab_without_a_state_has_windows_on_every_day() -> None:
    policy = a_policy(weekly=(weekly("22:00", "23:00"),), holidays="", horizon_days=14)
    assert len(texts(policy, datetime(2026, 12, 20, 12, tzinfo=UTC))) == 14


def test_a_single_window_counts_on_a_holiday_but_not_in_a_freeze() -> None:
    christmas = single("2026-12-25T08:00", "2026-12-25T12:00")
    policy = a_policy(weekly=(), windows=(christmas,))
    assert texts(policy) == ["Fri 2026-12-25 08:00-12:00"]
    frozen = replace(policy, freezes=(Freeze(name="rest", first=date(2026, 12, 25), last=date(2026, 12, 25)),))
    assert texts(frozen) == []


def test_a_freeze_covers_its_first_and_its_last_day_and_cuts_the_night_before() -> None:
    freeze = Freeze(name="year end", first=date(2026, 11, 24), last=date(2026, 11, 25))
    policy = a_policy(weekly=(weekly("22:00", "04:30"),), freezes=(freeze,), horizon_days=4)
    assert texts(policy) == [
        "Mon 2026-11-23 22:00-00:00",
        "Thu 2026-11-26 00:00-04:30",
        "Thu 2026-11-26 22:00-04:30",
    ]


def test_a_freeze_in_the_middle_of_a_long_window_leaves_both_ends() -> None:
    weekend = single("2026-12-04T18:00", "2026-12-07T06:00")
    freeze = Freeze(name="market", first=date(2026, 12, 5), last=date(2026, 12, 5))
    policy = a_policy(weekly=(), windows=(weekend,), freezes=(freeze,))
    assert texts(policy) == ["Fri 2026-12-04 18:00-00:00", "Sun 2026-12-06 00:00-Mon 2026-12-07 06:00"]


def test_where_windows_overlap_the_later_one_begins_when_the_earlier_ends() -> None:
    policy = a_policy(
        windows=(single("2026-11-23T20:00", "2026-11-23T23:00"), single("2026-11-23T23:30", "2026-11-24T01:00")),
        horizon_days=1,
    )
    assert texts(policy) == ["Mon 2026-11-23 20:00-23:00", "Mon 2026-11-23 23:00-04:30"]


def test_windows_of_a_whole_day_follow_each_other_without_overlap() -> None:
    windows = windows_of(a_policy(weekly=(weekly("00:00", "00:00"),), holidays="", horizon_days=400), not_before=MONDAY)
    assert all(one.closes == two.opens for one, two in pairwise(windows))
    assert windows[1].local == "Tue 2026-11-24 00:00-Wed 2026-11-25 00:00"


def test_nothing_lies_beyond_the_horizon() -> None:
    windows = windows_of(a_policy(horizon_days=30), not_before=MONDAY)
    assert max(one.opens for one in windows) < MONDAY + timedelta(days=30)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"zone": "Europe/Cottbus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"holidays": "XX"}, "holidays"),
        ({"horizon_days": 10**9}, "horizon_days"),
    ],
)
def test_what_no_calendar_can_hold_is_refused_by_name(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        windows_of(a_policy(**changes), not_before=MONDAY)
    assert refused.value.facts["field"] == field


def test_a_beginning_without_a_time_zone_is_refused() -> None:
    with pytest.raises(InvalidPolicy):
        windows_of(a_policy(), not_before=datetime(2026, 11, 23, 8))  # noqa: DTZ001


def test_a_freeze_that_ends_before_it_begins_freezes_nothing() -> None:
    freeze = Freeze(name="odd", first=date(2026, 12, 2), last=date(2026, 11, 24))
    assert texts(a_policy(freezes=(freeze,), horizon_days=9)) == texts(a_policy(horizon_days=9))

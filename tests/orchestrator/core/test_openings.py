"""Windows with what they take: cut by freezes of all assets, apart from each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

from orchestrator.core.constraints import EVERYWHERE, Hours, Occasion, Planning, Scope, Weekday
from orchestrator.core.openings import openings_of
from orchestrator.core.policy import WeeklyWindow
from tests.estates import MONDAY, NIGHTS, a_policy

RATHAUS, BAUHOF = Scope(sites=("Rathaus",)), Scope(sites=("Bauhof",))


def test_two_windows_of_the_same_times_are_one_that_takes_what_either_takes() -> None:
    weekly = (replace(NIGHTS, scope=RATHAUS), replace(NIGHTS, scope=BAUHOF))
    openings = openings_of(a_policy(weekly=weekly, horizon_days=2), not_before=MONDAY)
    assert [one.scopes for one in openings] == [frozenset({RATHAUS, BAUHOF})] * 2
    openings = openings_of(a_policy(weekly=(*weekly, NIGHTS), horizon_days=1), not_before=MONDAY)
    assert openings[0].scopes == frozenset({EVERYWHERE})


def test_a_window_that_begins_in_another_one_waits_for_its_end() -> None:
    early = WeeklyWindow(days=(Weekday.MON,), opens=time(20), closes=time(23), scope=RATHAUS)
    openings = openings_of(a_policy(weekly=(NIGHTS, early), horizon_days=1), not_before=MONDAY)
    assert [(one.window.local, one.scopes) for one in openings] == [
        ("Mon 2026-11-23 20:00-23:00", frozenset({RATHAUS})),
        ("Mon 2026-11-23 23:00-04:30", frozenset({EVERYWHERE})),
    ]


def test_freezes_of_all_assets_cut_windows_and_those_of_some_do_not() -> None:
    counter = Hours(name="counter", days=(Weekday.TUE,), opens=time(3), closes=time(18))
    vote = Occasion(name="vote", on=(date(2026, 11, 24),), scope=RATHAUS)
    policy = a_policy(horizon_days=2, planning=Planning(hours=(counter,), occasions=(vote,)))
    assert [one.window.local for one in openings_of(policy, not_before=MONDAY)] == [
        "Mon 2026-11-23 22:00-03:00",
        "Tue 2026-11-24 22:00-04:30",
    ]

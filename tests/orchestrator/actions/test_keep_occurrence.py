"""The row of a wave's start goes with the wave; in nights in which clocks change it starts once, at the right time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from orchestrator.actions.record import change_wave
from orchestrator.core.lifecycle import WaveEvent, WaveState
from orchestrator.core.occurrence import Occurrence, OccurrenceState
from orchestrator.core.openings import windows_of
from orchestrator.core.policy import Policy, Weekday, WeeklyWindow, Window
from orchestrator.core.refusals import Overtaken
from tests.copied_towns import a_town
from tests.fresh_stores import fresh_store
from tests.simulated_runs import SimulatedRuns
from tests.towns import STADT, TestClock, Town


def start(town: Town) -> Occurrence | None:
    wave, _progress = town.wave()
    with town.store.reading() as books:
        return books.occurrences.get(STADT, "W01", revision=wave.revision)


def state(town: Town) -> str:
    found = start(town)
    return found.state.value if found else ""


def test_a_start_is_planned_claimed_by_the_driver_and_done(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    assert state(town) == ""
    driver = town.driver()
    driver.tick(appointments=True)
    assert state(town) == "due"
    driver.tick(appointments=True)
    found = start(town)
    assert found is not None and found.state is OccurrenceState.CLAIMED
    with town.store.reading() as books:
        assert found.epoch == books.epoch()
    town.drive(driver)
    assert state(town) == "done"


def test_a_start_by_hand_claims_the_same_row(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    assert state(town) == "claimed"


def test_a_missed_start_can_be_claimed_by_a_person_and_a_withdrawn_one_cannot(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    town.clock.moment += timedelta(hours=5)
    driver = town.driver()
    driver.tick(appointments=True)
    driver.tick(appointments=True)
    assert (town.wave()[0].state, state(town)) == (WaveState.MISSED, "missed")
    with town.outside().desk() as desk:
        change_wave(desk, desk.books.waves.get(STADT, "W01"), WaveEvent.REPLACE)
    assert state(town) == "dropped"


def test_two_that_read_the_same_wave_cannot_both_start_it(tmp_path: Path) -> None:
    """Even where somebody put the wave's own row back: the start's row remembers."""
    town = a_town(tmp_path, "started")
    with town.store.transaction() as books:
        found = books.occurrences.get(STADT, "W01", revision=1)
        assert found is not None
        due = Occurrence(
            tenant=found.tenant, wave="W01", revision=1, starts=found.starts, local=found.local, zone=found.zone
        )
        with pytest.raises(Overtaken):
            books.occurrences.change(due, to=OccurrenceState.CLAIMED, epoch=9, at=town.clock.now())


NIGHT = WeeklyWindow(days=tuple(Weekday), opens=time(2, 30), closes=time(6, 0))
AUTUMN, SPRING = date(2026, 10, 25), date(2027, 3, 28)


def a_night_town(folder: Path, night: date) -> Town:
    """An approved wave whose window opens at 02:30 in Berlin in that night; the clock stands at the noon before."""
    noon = datetime.combine(night - timedelta(days=1), time(12), tzinfo=UTC)
    found = windows_of(Policy(weekly=(NIGHT,), holidays="", freezes=(), horizon_days=2), not_before=noon)
    wanted = next(one for one in found if one.opens.date() == night)
    store = fresh_store(folder / "kahn.sqlite")
    town = Town(store=store, runs=SimulatedRuns(), folder=folder, seats=2, clock=TestClock(moment=noon))
    town.policy = Policy(
        **{name: getattr(town.policy, name) for name in town.policy.__dataclass_fields__ if name != "windows"},
        windows=(Window(opens=wanted.opens, closes=wanted.closes),),
    )
    town.propose()
    town.approve()
    return town


@pytest.mark.parametrize(
    ("night", "at", "local"),
    [
        (AUTUMN, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25 02:30 +02:00"),
        (SPRING, datetime(2027, 3, 28, 1, 0, tzinfo=UTC), "2027-03-28 03:00 +02:00"),
    ],
)
def test_a_wave_at_half_past_two_starts_once_in_both_nights_in_which_the_clock_changes(
    tmp_path: Path, night: date, at: datetime, local: str
) -> None:
    """In October that time comes twice, in March never: the first, and the next that exists."""
    town = a_night_town(tmp_path, night)
    driver = town.driver()
    driver.tick(appointments=True)
    found = start(town)
    assert found is not None and (found.state, found.starts, found.local) == (OccurrenceState.DUE, at, local)
    begun: list[datetime] = []
    town.clock.moment = at - timedelta(hours=2)
    while town.clock.moment < at + timedelta(hours=3):
        driver.tick(appointments=True)
        if town.wave()[0].state is WaveState.RUNNING and not begun:
            begun.append(town.clock.moment)
        town.clock.moment += timedelta(minutes=10)
    assert begun == [at] and town.wave()[0].state is WaveState.CLOSED
    with town.store.reading() as books:
        kinds = [one.entry.body.get("event") for one in books.journal.read(STADT, subject="wave:W01")]
    assert kinds.count("claim") == 1


def test_a_wave_whose_start_was_dropped_and_that_is_approved_again_can_be_started_by_hand(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    with town.outside().desk() as desk:
        scheduled = change_wave(desk, desk.books.waves.get(STADT, "W01"), WaveEvent.SCHEDULE)
        change_wave(desk, scheduled, WaveEvent.EXPIRE)
    assert state(town) == "dropped"
    town.approve()
    town.start()
    assert state(town) == "claimed"

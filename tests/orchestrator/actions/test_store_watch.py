"""Calls about a store that is away, without the store."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.actions.store_watch import StoreWatch
from orchestrator.core.notices import Contact
from orchestrator.core.store_away import Away
from tests.orchestrator.actions.test_switchboard import MAIL, PAGER, Lines
from tests.towns import TestClock
from tests.waiting import PATIENCE_S, until


def a_watch(lines: Lines, *contacts: Contact) -> tuple[StoreWatch, TestClock]:
    clock = TestClock()
    return StoreWatch(clock=clock, channels=lines, everyone=lambda: contacts), clock


def look(watch: StoreWatch, clock: TestClock, *, after_s: float = 0) -> None:
    clock.moment += timedelta(seconds=after_s)
    watch.is_away()
    watch.wait(within_s=PATIENCE_S)


def test_a_short_restart_of_the_database_wakes_nobody() -> None:
    watch, clock = a_watch(lines := Lines(), MAIL)
    look(watch, clock)
    look(watch, clock, after_s=59)
    watch.is_back()
    assert lines.sent == []


def test_a_lasting_outage_calls_once_then_the_next_contact_and_tells_its_end_to_both() -> None:
    watch, clock = a_watch(lines := Lines(), MAIL, PAGER)
    for after_s in (0, 61, 10, 900, 10):
        look(watch, clock, after_s=after_s)
    assert [channel for channel, _id in lines.sent] == ["mail", "pager"]
    watch.is_back()
    watch.wait(within_s=PATIENCE_S)
    assert sorted(channel for channel, _id in lines.sent) == ["mail", "mail", "pager", "pager"]
    watch.is_back()
    assert len(lines.sent) == 4


def test_a_failed_call_is_tried_again_and_only_the_told_hear_of_the_end() -> None:
    watch, clock = a_watch(lines := Lines(broken={"mail"}), MAIL, PAGER)
    look(watch, clock)
    for _ in range(4):
        look(watch, clock, after_s=130)
    assert [channel for channel, _id in lines.sent] == ["pager"], "who cannot be reached gives way at once"
    lines.broken.clear()
    watch.is_back()
    watch.wait(within_s=PATIENCE_S)
    assert [channel for channel, _id in lines.sent] == ["pager", "pager"]


def test_a_channel_that_hangs_holds_no_look_up() -> None:
    watch, clock = a_watch(lines := Lines(hangs={"mail"}), MAIL, PAGER)
    watch.is_away()
    clock.moment += timedelta(minutes=16)
    watch.is_away()
    until(lambda: [channel for channel, _id in lines.sent] == ["pager"])
    lines.free.set()


class Remembered:
    """A memory that two watches share."""

    def __init__(self) -> None:
        self.away: Away | None = None

    def recall(self) -> Away | None:
        return self.away

    def keep(self, away: Away) -> None:
        self.away = away

    def forget(self) -> bool:
        known, self.away = self.away, None
        return known is not None


def test_programs_that_run_for_a_moment_only_call_once_in_turn_and_one_of_them_tells_the_end() -> None:
    lines, clock, memory = Lines(), TestClock(), Remembered()

    def another() -> StoreWatch:
        return StoreWatch(clock=clock, channels=lines, everyone=lambda: (MAIL, PAGER), memory=memory)

    for after_s in (0, 61, 60, 900, 60):
        look(another(), clock, after_s=after_s)
    assert [channel for channel, _id in lines.sent] == ["mail", "pager"]
    both = another(), another()
    for one in both:
        one.is_back()
        one.wait(within_s=PATIENCE_S)
    assert sorted(channel for channel, _id in lines.sent) == ["mail", "mail", "pager", "pager"]


def test_a_long_running_watch_and_a_timer_do_not_both_call_and_do_not_both_tell_the_end() -> None:
    lines, clock, memory = Lines(), TestClock(), Remembered()
    service, timer = (
        StoreWatch(clock=clock, channels=lines, everyone=lambda: (MAIL,), memory=memory) for _ in range(2)
    )
    look(service, clock)
    look(timer, clock, after_s=61)
    look(service, clock, after_s=1)
    assert [channel for channel, _id in lines.sent] == ["mail"]
    for one in (timer, service):
        one.is_back()
        one.wait(within_s=PATIENCE_S)
    assert [channel for channel, _id in lines.sent] == ["mail", "mail"]

"""The switchboard: calls are made beside the driver; what hangs, fails or cannot be written down loses nothing."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from inventory.errors import ExpectedError
from orchestrator.actions.switchboard import Switchboard
from orchestrator.adapters.notice_secret import NotDelivered
from orchestrator.core.notices import Call, Contact, Letter
from orchestrator.core.refusals import StoreUnavailable
from orchestrator.ports import Store
from tests.copied_towns import a_town
from tests.orchestrator.actions.test_call_people import CHIEF, WACHE, a_held_town
from tests.towns import STADT, Town
from tests.waiting import PATIENCE_S, until

HANGS_S = 2 * PATIENCE_S


@dataclass
class Lines:
    """Channels that keep what they are given; some fail, some hang until they are freed."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    hangs: set[str] = field(default_factory=set)
    free: threading.Event = field(default_factory=threading.Event)

    def send(self, channel: str, letter: Letter) -> None:
        """Deliver to ``sent``."""
        if channel in self.hangs:
            self.free.wait(HANGS_S)
        if channel in self.broken:
            raise NotDelivered(channel=channel, why="refused")
        self.sent.append((channel, letter.id))


MAIL, PAGER = replace(WACHE, channel="mail"), replace(CHIEF, channel="pager")


def a_board(town: Town, lines: Lines, *contacts: Contact, store: Store | None = None) -> Switchboard:
    outside = town.outside(store=store or town.store)
    return Switchboard(outside=outside, channels=lines, contacts_of=lambda _tenant: contacts)


def calls(town: Town) -> dict[str, Call]:
    with town.store.reading() as books:
        return {
            call.contact: call for one in books.notices.all(STADT) for call in books.notices.calls(STADT, one.number)
        }


def test_a_call_is_made_once_and_written_down(tmp_path: Path) -> None:
    town, lines = a_held_town(tmp_path), Lines()
    for _ in range(3):
        a_board(town, lines, MAIL).finish(within_s=PATIENCE_S)
    assert len(lines.sent) == 1 and calls(town)["wache"].delivered_at is not None


def test_a_failed_call_waits_and_is_tried_again(tmp_path: Path) -> None:
    town, lines = a_held_town(tmp_path), Lines(broken={"mail"})
    board = a_board(town, lines, MAIL)
    board.finish(within_s=PATIENCE_S)
    board.finish(within_s=PATIENCE_S)
    assert (calls(town)["wache"].tries, calls(town)["wache"].trouble) == (1, "refused")
    lines.broken.clear()
    town.clock.moment += timedelta(seconds=16)
    board.finish(within_s=PATIENCE_S)
    assert calls(town)["wache"].tries == 2 and lines.sent


def test_a_channel_that_hangs_delays_neither_the_round_nor_the_next_contact(tmp_path: Path) -> None:
    town, lines = a_held_town(tmp_path), Lines(hangs={"mail"})
    board = a_board(town, lines, MAIL, PAGER)
    begun = time.monotonic()
    board.round()
    assert time.monotonic() - begun < HANGS_S / 2
    town.clock.moment += timedelta(minutes=15)
    board.round()
    until(lambda: [channel for channel, _ in lines.sent] == ["pager"])
    until(lambda: "pager" not in str(board._flights))
    board.round()
    assert "no end after" in calls(town)["wache"].trouble
    lines.free.set()
    until(lambda: not board._flights)
    assert calls(town)["wache"].delivered_at is not None, "it arrived after all, and that is said"
    assert len(lines.sent) == 2, "nobody was called twice"


class AwayForWriting:
    """A store whose writes fail while ``away`` is set."""

    def __init__(self, store: Store) -> None:
        self._store, self.away = store, True

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def transaction(self) -> object:
        if self.away:
            raise StoreUnavailable(url="postgresql://", why="gone")
        return self._store.transaction()


def test_what_was_sent_while_the_database_went_away_is_written_down_before_anything_is_sent_again(
    tmp_path: Path,
) -> None:
    town, lines = a_held_town(tmp_path), Lines()
    away = AwayForWriting(town.store)
    board = a_board(town, lines, MAIL, store=away)  # type: ignore[arg-type]
    board.round()
    until(lambda: lines.sent and not board._flights)
    with pytest.raises(ExpectedError):
        board.round()
    away.away = False
    board.finish(within_s=PATIENCE_S)
    assert len(lines.sent) == 1 and calls(town)["wache"].delivered_at is not None


def test_a_new_driver_after_a_crash_makes_the_calls_that_the_old_one_owed(tmp_path: Path) -> None:
    """The notice was committed with the state; whoever drives next finds it."""
    town, lines = a_held_town(tmp_path), Lines()
    a_board(town, lines, MAIL).finish(within_s=PATIENCE_S)
    assert len(lines.sent) == 1


def test_a_town_where_all_is_well_calls_nobody(tmp_path: Path) -> None:
    town, lines = a_town(tmp_path, "started"), Lines()
    town.drive()
    a_board(town, lines, MAIL).finish(within_s=PATIENCE_S)
    assert lines.sent == []

"""The driver as a service: it outlives a store that goes away, and goes when somebody else drives."""

from __future__ import annotations

import logging
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from apscheduler.events import EVENT_JOB_MAX_INSTANCES

from orchestrator.cli.context import Context
from orchestrator.cli.service import Service, every_second
from orchestrator.core.refusals import StoreUnavailable
from orchestrator.ports import Books, Store
from tests.town_terminals import a_terminal
from tests.towns import Town
from tests.waiting import PATIENCE_S, until


@dataclass
class Leaving:
    """A store that goes away and comes back; ``seats`` counts how often its seat was taken.

    ``fails``: which of the uses of it fail, counted from 1.
    """

    store: Store
    away: bool = False
    seats: int = 0
    fails: range = range(0)
    uses: int = 0

    def _there(self) -> Store:
        self.uses += 1
        if self.away or self.uses in self.fails:
            raise StoreUnavailable(url="postgresql://", why="gone")
        return self.store

    def transaction(self) -> AbstractContextManager[Books]:
        """As the store's."""
        return self._there().transaction()

    def reading(self) -> AbstractContextManager[Books]:
        """As the store's."""
        return self._there().reading()

    def seat(self) -> AbstractContextManager[bool]:
        """As the store's."""
        self.seats += 1
        return self._there().seat()


def a_service(folder: Path) -> tuple[Service, Leaving, Town, threading.Event]:
    context, town = a_terminal(folder, "started")
    leaving, told = Leaving(store=town.store), threading.Event()
    kahn = Context(home=folder, plain=True)
    kahn.__dict__["world"] = replace(context.world, store=leaving)
    return Service(kahn, told=told), leaving, town, told


def test_it_sits_down_again_after_an_outage_and_drives_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service, leaving, town, told = a_service(tmp_path)
    leaving.away = True
    answers: list[int | None] = []
    thread = threading.Thread(target=lambda: answers.append(service.serve()))
    thread.start()
    try:
        until(lambda: leaving.seats >= 1)
        leaving.away = False
        until(lambda: "moved" in town.states().values())
        leaving.away = True
        until(lambda: service._patience.away_since is not None)
        before = leaving.seats
        leaving.away = False
        until(lambda: leaving.seats > before)
        until(lambda: set(town.states().values()) == {"moved"})
    finally:
        told.set()
        thread.join(timeout=PATIENCE_S)
    assert answers == [0]
    said = capsys.readouterr()
    assert said.err.count("The database is away") == 2 and said.err.count("is back after") == 2
    assert said.out.count("Kahn drives") == 1


def test_where_somebody_else_drives_it_does_not(tmp_path: Path) -> None:
    service, _leaving, town, _told = a_service(tmp_path)
    with town.store.seat() as mine:
        assert mine and service.serve() is None


def test_one_that_was_unseated_goes(tmp_path: Path) -> None:
    service, _leaving, town, told = a_service(tmp_path)
    answers: list[int | None] = []
    thread = threading.Thread(target=lambda: answers.append(service.serve()))
    thread.start()
    try:
        until(lambda: service._calls is not None)
        with town.store.transaction() as books:
            books.raise_epoch()
        thread.join(timeout=PATIENCE_S)
        assert answers == [None]
    finally:
        told.set()


def test_a_tick_that_takes_longer_than_a_second_is_no_matter_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    may_end, passed_over = threading.Event(), threading.Event()

    def slow() -> None:
        may_end.wait(PATIENCE_S)

    clock = every_second(slow)
    clock.add_listener(lambda _event: passed_over.set(), EVENT_JOB_MAX_INSTANCES)
    try:
        assert passed_over.wait(PATIENCE_S)
    finally:
        may_end.set()
        clock.shutdown(wait=True)
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []

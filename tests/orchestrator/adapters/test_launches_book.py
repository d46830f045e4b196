"""The stop of all dispatch and launches by key, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.launches import DispatchStop
from orchestrator.core.refusals import Overtaken
from tests.orchestrator.adapters.builders import TOWN
from tests.orchestrator.adapters.test_waves_book import Town, town

__all__ = ["town"]
NOW = datetime(2026, 12, 1, 21, 0, tzinfo=UTC)
STOP = DispatchStop(by="anna", reason="smoke", at=NOW)


def test_a_stop_is_read_back_and_there_is_one_at_most(store: DatabaseStore) -> None:
    with store.transaction() as books:
        assert books.launches.stopped() is None
        books.launches.stop(STOP)
        assert books.launches.stopped() == STOP
        with pytest.raises(Overtaken):
            books.launches.stop(STOP)
        books.launches.lift()
        assert books.launches.stopped() is None
        with pytest.raises(Overtaken):
            books.launches.lift()


def test_a_key_stays_with_the_first_wave_that_used_it(store: DatabaseStore, town: Town) -> None:
    with store.transaction() as books:
        assert books.launches.claim(TOWN, "k", wave="W01", at=NOW) == ""
    with store.transaction() as books:
        assert books.launches.claim(TOWN, "k", wave="W01", at=NOW) == "W01"
        assert books.launches.claim(TOWN, "k", wave="W02", at=NOW) == "W01"


def test_a_key_for_a_wave_that_is_not_there_is_refused(store: DatabaseStore, town: Town) -> None:
    with pytest.raises(Overtaken), store.transaction() as books:
        books.launches.claim(TOWN, "k", wave="W99", at=NOW)

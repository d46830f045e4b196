"""Starts of waves on both databases: planned once, claimed once, whoever tries at the same moment."""

from __future__ import annotations

import pytest

from orchestrator.core.occurrence import Occurrence, OccurrenceState, occurrence_of
from orchestrator.core.refusals import Overtaken
from orchestrator.ports import Store
from tests.orchestrator.adapters.builders import NOW, TOWN, WINDOW
from tests.orchestrator.adapters.test_waves_book import Town, town

__all__ = ["town"]


def planned(revision: int = 1) -> Occurrence:
    return occurrence_of(TOWN, "W01", revision, window=WINDOW)


def test_a_start_is_read_back_with_its_local_time_zone_and_instant(store: Store, town: Town) -> None:
    with store.transaction() as books:
        assert books.occurrences.get(TOWN, "W01", revision=1) is None
        kept = books.occurrences.put(planned(), at=NOW)
    with store.reading() as books:
        assert books.occurrences.get(TOWN, "W01", revision=1) == kept
        assert kept.local == "2026-11-30 22:00 +01:00" and kept.since == NOW
        assert books.occurrences.get(TOWN, "W01", revision=2) is None


def test_a_revision_has_one_start_and_a_claim_is_won_once(store: Store, town: Town) -> None:
    with store.transaction() as books:
        due = books.occurrences.put(planned(), at=NOW)
        with pytest.raises(Overtaken):
            books.occurrences.put(planned(), at=NOW)
        claimed = books.occurrences.change(due, to=OccurrenceState.CLAIMED, epoch=7, at=NOW)
        assert claimed.epoch == 7
        with pytest.raises(Overtaken):
            books.occurrences.change(due, to=OccurrenceState.CLAIMED, epoch=8, at=NOW)
        assert books.occurrences.get(TOWN, "W01", revision=1) == claimed

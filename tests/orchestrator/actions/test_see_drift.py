"""What changed since the plan in force was made, on a real store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inventory.changes import Appeared, Changed, ChangeSet, FieldChange, Gone
from inventory.model import Asset, AssetId
from orchestrator.actions.see_drift import NoPlanYet, drift_in
from orchestrator.adapters.store import DatabaseStore
from tests.databases import database_url
from tests.simulated_runs import SimulatedRuns
from tests.towns import STADT, TestClock, Town

__all__ = ["database_url"]


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[Town]:
    clock = TestClock()
    with closing(DatabaseStore.open(database_url, clock=clock)) as store:
        yield Town(store=store, runs=SimulatedRuns(), folder=tmp_path, clock=clock)


def the(town: Town, name: str) -> Asset:
    with town.store.reading() as books:
        return next(one for one in books.assets.snapshot(STADT).assets if one.name == name)


def written(town: Town, **changes: object) -> None:
    town.clock.moment += timedelta(minutes=1)
    with town.store.transaction() as books:
        books.assets.apply(ChangeSet(tenant=STADT, **changes))  # type: ignore[arg-type]


def test_without_a_plan_there_is_nothing_to_drift_from(town: Town) -> None:
    with town.store.reading() as books, pytest.raises(NoPlanYet):
        drift_in(books, STADT)


def test_a_plan_that_was_just_made_fits(town: Town) -> None:
    town.propose()
    with town.store.reading() as books:
        assert drift_in(books, STADT).is_none


def test_changes_losses_and_news_since_the_plan_are_told(town: Town) -> None:
    town.propose()
    first, second = the(town, "apc-001"), the(town, "apc-002")
    moved = replace(first, values={**first.values, "room": "9.99"})
    change = FieldChange(field="room", before=None, after="9.99", source="office-csv")
    key = FieldChange(field="host_key", before=None, after="k", source="scan")
    new = replace(first, id=AssetId("new-1"), name="apc-neu", values={})
    written(town, changed=(Changed(asset=moved, changes=(change, key)),))
    written(town, gone=(Gone(asset=second, source="ad"),), appeared=(Appeared(asset=new, source="ad"),))
    with town.store.reading() as books:
        found = drift_in(books, STADT)
    assert [(one.wave, one.name, one.field, one.after) for one in found.changes] == [("W01", "apc-001", "room", "9.99")]
    assert found.gone == (second.id,)
    assert sorted(one.name for one in found.unplanned) == ["apc-neu", "neu-002"]
    assert found.since <= town.clock.now() + timedelta(seconds=1)

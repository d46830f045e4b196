"""A filter knows state and wave of each move, and the sources that have an asset."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.filtering import InvalidFilter
from inventory.model import TenantId
from inventory.store import UnknownTenant
from orchestrator.actions.choose_assets import assets_chosen, facts_in
from orchestrator.ports import Store
from tests.databases import database_url, store
from tests.simulated_runs import SimulatedRuns
from tests.towns import STADT, Town

__all__ = ["database_url", "store"]


def test_assets_are_chosen_by_state_wave_and_source(store: Store, tmp_path: Path) -> None:
    town = Town(store=store, runs=SimulatedRuns(), folder=tmp_path)
    with store.reading() as books:
        assert assets_chosen(books, STADT, ["state:planned"])[1] == ()
    town.propose()
    with store.reading() as books:
        planned = assets_chosen(books, STADT, ["state:planned", "wave:W01"])[1]
        assert [one.name for one in planned] == [f"apc-00{number}" for number in range(1, 7)]
        assert assets_chosen(books, STADT, ["source:test", "apc-001"])[1] == planned[:1]
        assert assets_chosen(books, STADT, ["source:glpi"])[1] == ()
        assert facts_in(books, STADT, ())[planned[0].id] == {"state": ("planned",), "wave": ("W01",)}
        with pytest.raises(InvalidFilter):
            assets_chosen(books, STADT, ["colour:red"])
        with pytest.raises(UnknownTenant):
            assets_chosen(books, TenantId("nowhere"), [])

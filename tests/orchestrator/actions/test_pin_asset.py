"""Pins live in the journal; the last word on an asset counts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from inventory.model import AssetKind
from orchestrator.actions.pin_asset import (
    EmptyPin,
    UnknownAsset,
    UnknownPinWave,
    Word,
    machine_named,
    pin,
    pins_in,
    unpin,
)
from orchestrator.cli.context import Context
from orchestrator.core.plan import Pin, WaveKey
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.wave import PersonId
from tests.estates import MONDAY, TENANT, a_request, an_asset, an_estate, old
from tests.planning_town import a_home

WORD = Word(by=PersonId("p-1"), at=MONDAY, reason="Bürgeramt is closed")
LATER = Pin(asset=old(1), not_before=MONDAY + timedelta(days=7))


@pytest.fixture
def town(tmp_path: Path) -> Context:
    return a_home(tmp_path)


def test_the_last_pin_of_an_asset_counts_until_it_is_taken_away(town: Context) -> None:
    with town.world.transaction() as books:
        pin(books, TENANT, Pin(asset=old(1), not_before=MONDAY), word=WORD)
        pin(books, TENANT, LATER, word=WORD)
        pin(books, TENANT, Pin(asset=old(0), not_before=MONDAY), word=WORD)
        assert pins_in(books, TENANT) == (Pin(asset=old(0), not_before=MONDAY), LATER)
        unpin(books, TENANT, old(0), word=WORD)
        assert pins_in(books, TENANT) == (LATER,)


def test_the_reason_is_a_text_that_can_be_erased(town: Context) -> None:
    with town.world.transaction() as books:
        pin(books, TENANT, LATER, word=WORD)
        (entry,) = books.journal.read(TENANT, subject="plan")
        assert entry.entry.texts == {"reason": "Bürgeramt is closed"}
        assert "Bürgeramt" not in str(entry.entry.body)


def test_a_pin_can_name_a_wave_of_the_plan_in_force_and_no_other(town: Context) -> None:
    with town.world.transaction() as books:
        with pytest.raises(UnknownPinWave):
            pin(books, TENANT, Pin(asset=old(0), wave=WaveKey("W01")), word=WORD)
        books.plans.put(TENANT, FirstFitPlanner().propose(a_request(an_estate(5))), at=MONDAY)
        pin(books, TENANT, Pin(asset=old(0), wave=WaveKey("W01")), word=WORD)
        with pytest.raises(UnknownPinWave) as refused:
            pin(books, TENANT, Pin(asset=old(0), wave=WaveKey("W09")), word=WORD)
        assert refused.value.facts["waves"] == "W01"


def test_a_pin_that_fixes_nothing_is_refused(town: Context) -> None:
    with town.world.transaction() as books, pytest.raises(EmptyPin):
        pin(books, TENANT, Pin(asset=old(0)), word=WORD)


def test_a_pin_with_a_time_without_zone_is_refused(town: Context) -> None:
    with town.world.transaction() as books, pytest.raises(EmptyPin):
        pin(books, TENANT, Pin(asset=old(0), not_before=MONDAY.replace(tzinfo=None)), word=WORD)


def test_a_machine_is_found_by_name_in_any_writing_before_anything_else_of_that_name() -> None:
    seats = (an_asset("Platz", kind=AssetKind.SEAT), an_asset("Old-0000", kind=AssetKind.SEAT))
    estate = an_estate(1, also=seats)
    assert machine_named(estate, "OLD-0000").id == old(0)
    assert machine_named(estate, "platz").name == "Platz"
    with pytest.raises(UnknownAsset):
        machine_named(estate, "nobody")

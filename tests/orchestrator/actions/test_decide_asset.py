"""Decisions of people: written once, kept for good, stronger than every later import."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inventory.changes import Holdings
from inventory.model import Asset, AssetId, AssetKind
from inventory.observation import Observation
from orchestrator.actions.decide_asset import Asked, NotDecidable, Word, decide, decided, effect
from orchestrator.actions.take_inventory import FileRead, compare, holdings_in, take_inventory
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.wave import PersonId
from tests.estates import a_policy
from tests.fresh_stores import fresh_store
from tests.inventory.builders import TENANT, a_reading, said

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
WORD = Word(by=PersonId("p-1"), at=NOW, reason="looked at it")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DatabaseStore]:
    with closing(fresh_store(tmp_path / "kahn.db")) as opened:
        with opened.transaction() as books:
            books.tenants.add(TENANT, policy=a_policy())
        yield opened


def a_new_id() -> AssetId:
    return AssetId(str(uuid.uuid4()))


def known(store: DatabaseStore) -> Holdings:
    with store.reading() as books:
        return holdings_in(books, TENANT)


def taken(store: DatabaseStore, source: str, *rows: Observation, day: int = 0) -> None:
    reading = replace(a_reading(*(replace(one, source=source) for one in rows)), source=source)
    at = NOW + timedelta(days=day)
    intake = compare(known(store), [FileRead(file=source, reading=reading)], new_id=a_new_id, at=at)
    with store.transaction() as books:
        take_inventory(books, intake, at=at)


def the(store: DatabaseStore, name: str) -> Asset:
    return next(one for one in known(store).assets if one.name == name)


def say(store: DatabaseStore, name: str, asked: Asked) -> None:
    holdings = known(store)
    decision = decided(holdings, the(store, name), asked, word=WORD)
    changes = effect(holdings, decision, new_id=a_new_id)
    with store.transaction() as books:
        decide(books, holdings, decision, changes, word=WORD)


def test_a_value_that_a_person_set_survives_every_later_import(store: DatabaseStore) -> None:
    taken(store, "ad", said("srv", ram_mib=1))
    say(store, "srv", Asked(field="ram_mib", use="8.192"))
    assert the(store, "srv").values["ram_mib"] == 8192
    taken(store, "glpi", said("srv", ram_mib=2, note="x"), day=1)
    assert dict(the(store, "srv").values) == {"note": "x", "ram_mib": 8192}
    (decision,) = known(store).decisions
    assert (decision.by, decision.reason) == ("p-1", "looked at it")


def test_one_sources_word_can_be_taken_for_good(store: DatabaseStore) -> None:
    taken(store, "ad", said("srv", note="from ad"))
    taken(store, "glpi", said("srv", note="from glpi"), day=1)
    say(store, "srv", Asked(field="note", source="ad"))
    taken(store, "glpi", said("srv", note="from glpi again"), day=2)
    assert the(store, "srv").text("note") == "from ad"
    taken(store, "ad", said("srv", note="ad says more"), day=3)
    assert the(store, "srv").text("note") == "ad says more"


def test_two_records_become_one_and_two_again_and_what_became_another_is_gone(store: DatabaseStore) -> None:
    taken(store, "ad", said("a", ram_mib=1))
    taken(store, "glpi", said("b", note="x"), day=1)
    say(store, "a", Asked(same=the(store, "b")))
    assert [dict(one.values) for one in known(store).assets] == [{"note": "x", "ram_mib": 1}]
    taken(store, "glpi", said("b", note="y"), day=2)
    assert [one.text("note") for one in known(store).assets] == ["y"]
    say(store, known(store).assets[0].name, Asked(split="glpi"))
    assert {one.name: dict(one.values) for one in known(store).assets} == {"a": {"ram_mib": 1}, "b": {"note": "y"}}


def test_what_says_nothing_is_refused(store: DatabaseStore) -> None:
    taken(store, "ad", said("srv", note="x"), said("Rathaus", AssetKind.SITE))
    holdings, srv = known(store), the(store, "srv")
    for asked in (
        Asked(field="colour", use="red"),
        Asked(field="ram_mib", source="ad"),
        Asked(field="name", use="other"),
        Asked(same=srv),
        Asked(different=the(store, "Rathaus")),
        Asked(split="ad"),
    ):
        with pytest.raises(NotDecidable):
            decided(holdings, srv, asked, word=WORD)

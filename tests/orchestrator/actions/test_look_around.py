"""Looking around before the rules are asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from inventory.model import AssetKind
from orchestrator.actions.look_around import earlier_times, known_machines, surroundings
from orchestrator.actions.stop_all import stop_all
from orchestrator.core.policy import Freeze
from orchestrator.core.runbook import Direction
from orchestrator.core.surroundings import CALM, Room, Surroundings
from tests.copied_towns import a_town
from tests.towns import STADT, Town


def around(town: Town, **facts: object) -> Surroundings:
    with town.outside().look() as desk:
        return surroundings(desk, desk.books.waves.get(STADT, "W01"), **facts)  # type: ignore[arg-type]


def test_a_stop_of_all_dispatch_is_seen(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    assert around(town) == replace(CALM, driven=False, outage_allowed_s=240 * 60)
    with town.store.seat():
        assert around(town).driven
    with town.outside().desk() as desk:
        stop_all(desk, by="anna", reason="smoke")
    assert around(town).stopped


@pytest.mark.parametrize(("first", "last", "name"), [(1, 1, "election"), (2, 3, ""), (30, 30, "")])
def test_a_freeze_counts_on_its_own_days_in_the_towns_zone(tmp_path: Path, first: int, last: int, name: str) -> None:
    """It is 22:00 on 1 December in Berlin."""
    town = a_town(tmp_path)
    month = 11 if first == 30 else 12
    freeze = Freeze(name="election", first=date(2026, month, first), last=date(2026, month, last))
    with town.store.transaction() as books:
        books.tenants.set_policy(STADT, replace(books.tenants.policy(STADT), freezes=(freeze,)))
    assert around(town).frozen == name


def test_what_runs_full_is_named(tmp_path: Path) -> None:
    rooms = (Room(where="state", free_gib=50.0), Room(where="database", free_gib=0.3))
    assert around(a_town(tmp_path), rooms=rooms).full == "database"
    assert around(a_town(tmp_path / "2"), rooms=rooms[:1]).full == ""


def test_the_times_of_earlier_runs_are_known_once_they_went_well(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    town.drive()
    with town.outside().look() as desk:
        took = earlier_times(desk, desk.books.waves.get(STADT, "W01"))
    assert set(took) == {"baseline:", "do:look", "do:copy", "do:switch"}


def test_the_outage_that_was_agreed_is_that_of_the_waves_kinds_of_asset(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    for minutes, seconds in (({AssetKind.WORKSTATION: 15, AssetKind.SERVER: 5}, 900), ({}, 0)):
        with town.store.transaction() as books:
            policy = replace(books.tenants.policy(STADT), max_outage_min=minutes)
            books.tenants.set_policy(STADT, policy)
        assert around(town).outage_allowed_s == seconds


def test_machines_are_known_by_their_address_only_to_a_service_check_of_procedures(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    with town.outside().look() as desk:
        row = desk.books.waves.get(STADT, "W01")
        served = replace(row, content=replace(row.content, runbook=replace(row.content.runbook, procedure=True)))
        assert known_machines(desk, row, Direction.SERVICE) == {}
        assert known_machines(desk, served, Direction.DO) == {}
        found = known_machines(desk, served, Direction.SERVICE)
    assert {move.name for move in row.content.moves} <= set(found.values())

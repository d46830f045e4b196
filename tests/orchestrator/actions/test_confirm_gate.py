"""Confirmations are journal entries, and the start reads them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inventory.model import AssetId
from orchestrator.actions.confirm_gate import (
    GATES,
    GateNeedsWave,
    GateUnknown,
    Say,
    StaffNumberMissing,
    confirm_gate,
    confirmations_in,
)
from orchestrator.core.confirmed import Confirmation
from orchestrator.core.demands import KNOWN
from orchestrator.core.ready import NotReady
from orchestrator.ports import Entry
from tests.copied_towns import a_town
from tests.towns import STADT, Town


def a_strict_town(folder: Path, *gates: str) -> Town:
    town = a_town(folder, "approved")
    demands = tuple(KNOWN[name] for name in gates)
    with town.store.transaction() as books:
        books.tenants.set_policy(STADT, replace(books.tenants.policy(STADT), gates=demands))
    return town


def say(town: Town, gate: str, *, wave: bool = True, **more: object) -> Confirmation:
    with town.outside().desk() as desk:
        bert = desk.books.people.find(STADT, "bert").id
        row = desk.books.waves.get(STADT, "W01") if wave else None
        return confirm_gate(desk, STADT, replace(Say(gate=gate), **more), wave=row, person=bert)  # type: ignore[arg-type]


def test_a_gate_that_nobody_opened_stops_the_start_and_one_word_lets_it_go(tmp_path: Path) -> None:
    town = a_strict_town(tmp_path, "staff-council")
    with pytest.raises(NotReady, match="nobody has confirmed it"):
        town.start()
    say(town, "staff-council", wave=False)
    town.start()
    assert town.wave()[0].state.value == "running"


def test_an_asset_without_a_restored_backup_stays_behind_and_the_wave_goes(tmp_path: Path) -> None:
    town = a_strict_town(tmp_path, "backup-restored")
    say(town, "backup-restored", assets=(AssetId("apc-001-id"),))
    town.start()
    assert town.states() == {"apc-001": "planned", "apc-002": "held"}
    town.drive()
    assert town.states() == {"apc-001": "moved", "apc-002": "held"}


def test_what_was_confirmed_is_read_back_as_it_was_said(tmp_path: Path) -> None:
    town = a_strict_town(tmp_path, "staff", "hardware", "rehearsal")
    said = (
        say(town, "staff", people=3, until=town.clock.now() + timedelta(days=1), note="laut Dienstplan"),
        say(town, "hardware"),
        say(town, "rehearsal"),
    )
    with town.store.reading() as books:
        assert confirmations_in(books, STADT) == said
        assert books.journal.read(STADT, subject=GATES)[0].entry.texts == {"note": "laut Dienstplan"}
    assert len(said[1].assets) == 2 and said[2].runbook == town.runbook.tree


def test_what_would_open_nothing_is_refused(tmp_path: Path) -> None:
    town = a_strict_town(tmp_path, "staff", "hardware")
    with pytest.raises(GateUnknown, match="staff, hardware"):
        say(town, "staff-council")
    with pytest.raises(GateNeedsWave):
        say(town, "hardware", wave=False)
    with pytest.raises(StaffNumberMissing):
        say(town, "staff")


def test_an_entry_that_cannot_be_read_opens_nothing(tmp_path: Path) -> None:
    town = a_strict_town(tmp_path, "staff-council")
    bad = Entry(kind="gate.confirmed", subject=GATES, body={"gate": "staff-council", "until": 5, "assets": None})
    with town.store.transaction() as books:
        books.journal.append(STADT, [bad], at=town.clock.now())
        assert confirmations_in(books, STADT) == ()

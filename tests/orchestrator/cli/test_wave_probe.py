"""A machine that nobody could reach is asked again, from a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.model import AssetId
from orchestrator.actions.take_back import ReasonMissing
from orchestrator.cli import wave_control
from orchestrator.cli.context import Context
from orchestrator.cli.lines import entry_line
from orchestrator.cli.wave_probe import probe
from orchestrator.core.control import AssetNotFit
from tests.known_town import call
from tests.orchestrator.cli.lone import command_app
from tests.orchestrator.cli.test_wave_control import by
from tests.simulated_runs import SimulatedRuns
from tests.town_terminals import a_terminal, sitting_down
from tests.towns import STADT, Town

APP = command_app(probe)
ONCE = "switch-off-old"
PROBE = ("W01", "apc-001")


def lost(folder: Path) -> tuple[Context, Town]:
    """The canary was lost sight of in its last step, and every probe failed: it needs a person."""
    _context, town = a_terminal(folder, "started")
    runs = town.runs
    assert isinstance(runs, SimulatedRuns)
    fault = {(ONCE, "do"): "lost", (ONCE, "probe"): "unreachable"}
    runs.fault = lambda asset, step, direction: fault.get((step, str(direction)), "") if asset == "apc-001-id" else ""
    town.drive()
    assert town.states()["apc-001"] == "needs_person"
    runs.fault = lambda _asset, _step, _direction: ""
    return sitting_down(town), town


def test_an_asset_that_needs_a_person_goes_on_by_what_its_machine_says(tmp_path: Path) -> None:
    context, town = lost(tmp_path)
    assert isinstance(town.runs, SimulatedRuns)
    town.runs.answers = ["done"]
    done_before = [line for line in town.runs.ledger if line[2] == ONCE]
    said = call(APP, context, *PROBE, *by(town, "bert"))
    assert "apc-001" in said.output and "Signed." in said.output
    assert town.states()["apc-001"] == "moved"
    again = [line for line in town.runs.ledger if line[2] == ONCE][len(done_before) :]
    assert [line[1] for line in again] == ["probe"]


def test_the_page_of_evidence_and_the_screen_offer_it(tmp_path: Path) -> None:
    context, _town = lost(tmp_path)
    wanted = "kahn wave probe W01 --reason REASON -- apc-001"
    page = call(wave_control.app, context, "show", "W01", "--evidence", "apc-001").output
    screen = call(wave_control.app, context, "show", "W01").output
    assert wanted in page and wanted in " ".join(screen.split())


def test_nobody_is_asked_without_a_reason_and_nothing_that_was_not_lost(tmp_path: Path) -> None:
    context, town = lost(tmp_path)
    with pytest.raises(AssetNotFit):
        call(APP, context, "W01", "apc-002", *by(town, "anna"))
    with pytest.raises(ReasonMissing):
        call(APP, context, *PROBE, "--reason", " ", "--as", "anna", "--key", str(town.anna.key_file))
    assert town.states()["apc-001"] == "needs_person"


def test_the_wish_and_its_answer_stand_in_the_journal(tmp_path: Path) -> None:
    context, town = lost(tmp_path)
    call(APP, context, *PROBE, *by(town, "anna"))
    with town.store.reading() as books:
        entries = books.journal.read(STADT, subject="wave:W01")
    asked = max(place for place, one in enumerate(entries) if one.entry.kind == "act")
    line = entry_line(entries[asked], {AssetId("apc-001-id"): "apc-001"}, zone="Europe/Berlin")
    assert line is not None and "signs: ask the machine again: apc-001" in line
    assert {"move.state", "run.intended", "attempt.ended"} <= {one.entry.kind for one in entries[asked:]}

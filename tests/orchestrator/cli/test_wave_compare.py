"""Before and after, from a terminal: what is lost is seen, and a person decides about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.cli import wave, wave_control
from orchestrator.cli.wave_compare import NothingCompared, section_word, verdict_word
from orchestrator.core.likeness import SECTIONS, Verdict
from tests.known_town import call
from tests.orchestrator.cli.test_wave_control import by
from tests.simulated_runs import SimulatedRuns
from tests.town_terminals import a_terminal, sitting_down


def test_equal_successors_lose_nothing(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    town.drive()
    said = call(wave.app, context, "compare", "W01").output
    assert "apc-001: before and after: nothing is lost; same 1" in said
    assert "before and after: compared" in call(wave.app, context, "show", "W01").output


def test_a_missing_printer_is_listed_and_holds_the_asset(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    assert isinstance(town.runs, SimulatedRuns)
    town.runs.printers = {"neu\x1b[2J": "ipp://drucker/neu"}
    town.drive()
    assert (
        "apc-001: before and after: LESS THAN BEFORE (1); missing 1, new 1"
        in call(wave.app, context, "compare", "W01").output
    )
    said = call(wave.app, context, "compare", "W01", "APC-001").output
    assert "MISSING" in said and "ipp://drucker/flur" in said and "\x1b[2J" not in said
    shown = call(wave.app, context, "show", "W01").output
    assert "LESS THAN BEFORE" in shown and "its successor lacks something" in shown
    page = call(wave.app, context, "show", "W01", "--evidence", "apc-001").output
    assert "kahn wave compare W01 -- apc-001" in page and "--step not-done" in page
    told = json.loads(call(wave.app, sitting_down(town, json=True), "compare", "W01", "apc-001").stdout)
    assert next(iter(told.values()))["serious"] == 1


def test_once_somebody_signed_that_it_may_stay_so_the_screen_is_loud_no_more(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    assert isinstance(town.runs, SimulatedRuns)
    town.runs.printers = {"neu": "ipp://drucker/neu"}
    town.drive()
    context.yes = True
    call(wave_control.app, context, "repaired", "W01", "apc-001", "apc-002", "--step", "done", *by(town, "anna"))
    shown = " ".join(call(wave.app, context, "show", "W01").output.split())
    assert "LESS THAN BEFORE" not in shown and "nothing is lost" not in shown
    assert "a person signed that it may stay so: apc-001, apc-002" in shown


def test_before_the_wave_nothing_was_compared(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "approved")
    assert "apc-001: before and after: not compared (planned)" in call(wave.app, context, "compare", "W01").output
    told = json.loads(call(wave.app, sitting_down(town, json=True), "compare", "W01").stdout)
    assert told and {(one["compared"], one["state"]) for one in told.values()} == {(False, "planned")}


def test_every_verdict_and_every_section_has_its_word() -> None:
    assert len({verdict_word(one) for one in Verdict}) == len(Verdict)
    assert len({section_word(one) for one in SECTIONS}) == len(SECTIONS) and section_word("x\n") == "x"


def test_a_runbook_that_compares_nothing_says_so() -> None:
    with pytest.raises(NothingCompared, match="compares nothing"):
        raise NothingCompared(runbook="small", wave="W01")

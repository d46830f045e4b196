"""The list that a department signs in the morning, from a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.actions.take_back import UnknownAsset
from orchestrator.cli.wave_handover import handover
from tests.known_town import call, fails_at
from tests.orchestrator.cli.lone import command_app
from tests.simulated_runs import SimulatedRuns
from tests.town_terminals import a_terminal, sitting_down

LEFT = [
    "printer Kasse\x1b[2J: the successor has no CUPS",
    "share //datei01/Bauamt at /home/x: " + "it is not below " * 9,
]
APP = command_app(handover)


def test_each_asset_is_handed_over_with_what_is_left_to_do_and_a_line_to_sign(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started", fault=fails_at("apc-001-id", "switch-off-old"))
    assert isinstance(town.runs, SimulatedRuns)
    town.runs.left = LEFT
    town.drive()
    said = call(APP, context, "W01").output
    assert "== apc-002 -> " in said and "[ ] printer Kasse\\x1b[2J: the successor has no CUPS" in said
    assert "printers 1" in said and "taken over by ____" in said
    assert "apc-001: rolled back, proven; nothing is handed over" in said
    assert max(map(len, said.splitlines())) <= 80


def test_only_those_that_were_asked_for_and_only_those_with_work(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    town.drive()
    said = call(APP, context, "W01", "apc-002").output
    assert "apc-002" in said and "apc-001" not in said and "handed over: 1; left to do by hand: 0" in said
    assert "apc-002" not in call(APP, context, "W01", "--by-hand").output
    answer = json.loads(call(APP, sitting_down(town, json=True), "W01").stdout)
    assert {one["state"] for one in answer["handovers"]} == {"moved"}


def test_an_unknown_asset_is_refused(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    town.drive()
    with pytest.raises(UnknownAsset):
        call(APP, context, "W01", "nobody")

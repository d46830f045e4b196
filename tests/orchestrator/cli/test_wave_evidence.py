"""The page about one asset, from a terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from inventory.model import AssetId
from orchestrator.actions.take_back import UnknownAsset
from orchestrator.cli import wave
from orchestrator.cli.wave_evidence import what_can_be_done
from orchestrator.core.evidence import evidence_of
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.runbook import Direction
from tests.known_town import call, fails_at
from tests.orchestrator.core.builders import Game, a_wave, failing_at
from tests.simulated_runs import SimulatedRuns
from tests.town_terminals import a_terminal, sitting_down


def lost_switch(asset: str, step: str, direction: Direction) -> str:
    """The last step of apc-001 is lost sight of, and no probe reaches it."""
    if (asset, step) == ("apc-001-id", "switch-off-old") and direction is not Direction.UNDO:
        return "lost" if direction is Direction.DO else "unreachable"
    return ""


def test_the_page_tells_what_was_seen_and_what_can_be_done(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started", fault=lost_switch)
    town.drive()
    said = call(wave.app, context, "show", "W01", "--evidence", "APC-001").output
    assert "BEGUN, NOT FINISHED" in said and "happens only once" in said and "probe switch-off-old" in said
    assert "point of no return: not reached" in said and "IF NOBODY ACTS" in said
    page = json.loads(call(wave.app, sitting_down(town, json=True), "show", "W01", "--evidence", "apc-001").stdout)
    assert page["name"] == "apc-001" and page["signatures"] == 2


def test_the_page_lists_what_differs_from_before_and_never_calls_that_well(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started", fault=fails_at("apc-001-id", "switch-off-old"))
    assert isinstance(town.runs, SimulatedRuns)
    town.runs.differences = [f"/etc/{number}\x1b[2J: new" for number in range(12)]
    town.drive()
    said = call(wave.app, context, "show", "W01", "--evidence", "apc-001").output
    assert "comparison with before: DIFFERS FROM BEFORE" in said
    assert said.count(": new") == 10 and "... and 2 more" in said and "\x1b[2J" not in said


def test_a_hostile_name_cannot_leave_the_commands_that_are_shown() -> None:
    game = Game(a_wave(batches={"b1": 1}), choose=failing_at("a01", "switch", "unknown")).play()
    content = replace(game.content, moves=(replace(game.content.moves[0], name="-x; rm -rf /\x1b[2J"),))
    page = evidence_of(content, game.progress, game.facts, AssetId("a01"))
    commands = [
        line for line in what_can_be_done(content, replace(page, state=MoveState.NEEDS_PERSON)) if "kahn" in line
    ]
    assert len(commands) == 4
    assert all(" -- '-x; rm -rf /\\x1b[2J'" in line and "|" not in line for line in commands), commands


def test_what_was_taken_back_is_not_called_never_begun_and_a_wave_that_is_over_offers_no_retry(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started", fault=fails_at("apc-001-id", "switch-off-old"))
    town.drive()
    said = call(wave.app, context, "show", "W01", "--evidence", "apc-001").output
    assert "taken back" in said and "undo" in said
    context, town = a_terminal(tmp_path / "held", "started", fault=fails_at("apc-001-id", "preflight"))
    town.drive()
    said = call(wave.app, context, "show", "W01", "--evidence", "apc-001").output
    assert town.wave()[0].state is WaveState.CLOSED
    assert "kahn wave retry" not in said and "kahn plan propose" in said and "the wave is over" in said


@pytest.mark.parametrize("name", ["apc-999", "../x", "\x1b[2J"])
def test_an_asset_that_the_wave_does_not_have_is_nothing_found(tmp_path: Path, name: str) -> None:
    context, _town = a_terminal(tmp_path, "started")
    with pytest.raises(UnknownAsset):
        call(wave.app, context, "show", "W01", "--evidence", name)

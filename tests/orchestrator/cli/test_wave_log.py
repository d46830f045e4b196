"""``kahn wave show W --log ASSET[:STEP]``: evidence, shown harmlessly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.actions.take_back import UnknownAsset
from orchestrator.cli import wave
from tests.known_town import call
from tests.orchestrator.actions.test_follow_run import LyingHosts
from tests.town_terminals import a_terminal, sitting_down


def test_every_recorded_line_of_an_asset_is_shown_by_step(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    town.drive()
    whole = call(wave.app, context, "show", "W01", "--log", "APC-001").output
    step = town.runbook.step_names[0]
    one = call(wave.app, context, "show", "W01", "--log", f"apc-001:{step}").output
    assert f"do {step}, ended" in one
    assert len(one) < len(whole)
    assert "task_start" in one and "part=done" in one


def test_what_a_host_said_can_do_nothing_to_the_terminal(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    town.runs = LyingHosts(report={"msg": "\x1b[2J\x07[red]:bug: {{ 7*7 }}\u202e"})
    town.drive()
    shown = call(wave.app, context, "show", "W01", "--log", "apc-001").output
    assert "\\x1b[2J\\x07[red]:bug: {{ 7*7 }}" in shown.replace("\\\\", "\\")
    assert all(char.isprintable() or char == "\n" for char in shown)


def test_an_asset_that_is_not_in_the_wave_is_said(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path)
    with pytest.raises(UnknownAsset):
        call(wave.app, context, "show", "W01", "--log", "apc-999:save")


def test_a_step_that_nobody_took_has_no_lines(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path)
    asking = sitting_down(town, json=True)
    assert json.loads(call(wave.app, asking, "show", "W01", "--log", "apc-001:nothing").stdout) == []
    told = call(wave.app, context, "show", "W01", "--log", "apc-001:nothing").output
    assert "Nothing is recorded of that" in told

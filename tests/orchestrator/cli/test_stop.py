"""``kahn stop`` from a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import Result

from orchestrator.actions.stop_all import StoppedAlready
from orchestrator.cli import wave_control
from orchestrator.cli.context import Context, NoPerson
from orchestrator.cli.stop import stop
from tests.known_town import call
from tests.town_terminals import a_terminal, sitting_down

app = typer.Typer()
app.command("stop")(stop)
app.command("nothing")(lambda: None)


def kahn(context: Context, *words: str) -> Result:
    return call(app, context, "stop", *words)


def test_the_brake_needs_a_name_and_a_reason_but_no_key_and_lifting_it_needs_one(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    with pytest.raises(NoPerson):
        kahn(context, "--all", "--reason", "smoke", "--as", "")
    said = kahn(context, "--all", "--reason", "smoke", "--as", "anna").output
    assert "ALL DISPATCH IS STOPPED" in said and "smoke" in said and "Running steps: 0" in said
    with pytest.raises(StoppedAlready):
        kahn(context, "--all", "--reason", "smoke", "--as", "bert")
    shown = call(wave_control.app, context, "show", "W01").output
    assert "All dispatch is stopped" in shown
    with pytest.raises(NoPerson):
        kahn(context, "--lift", "--reason", "false alarm", "--as", "anna")
    lifted = kahn(context, "--lift", "--reason", "false alarm", "--as", "anna", "--key", str(town.anna.key_file))
    assert "Dispatch is free." in lifted.output


def test_all_and_lift_together_make_no_sense(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path)
    assert kahn(context, "--all", "--lift", "--as", "anna").exit_code == 2


def test_the_list_is_one_json_document(tmp_path: Path) -> None:
    _context, town = a_terminal(tmp_path, "started")
    assert json.loads(kahn(sitting_down(town, json=True)).stdout) == {"stopped": None, "running": []}

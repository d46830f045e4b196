"""``kahn runbook times``."""

from __future__ import annotations

from pathlib import Path

import typer

from orchestrator.cli.runbook_times import times
from tests.known_town import call, document
from tests.orchestrator.cli.lone import command_app
from tests.town_terminals import a_terminal

app: typer.Typer = command_app(times)


def test_each_step_has_its_line_once_a_wave_ran(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    assert "Nothing of this runbook was measured yet" in call(app, context, town.runbook.name).output
    town.drive()
    output = call(app, context, town.runbook.name).output
    assert all(step in output for step in town.runbook.step_names)
    found = document(app, context, town.runbook.name)
    assert {one["step"] for one in found if one["direction"] == "do"} == set(town.runbook.step_names)

"""``kahn asset due``: what is kept, and from when on it may be erased."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from orchestrator.cli import asset
from tests.known_town import call
from tests.town_terminals import a_terminal, sitting_down


def test_nothing_is_kept_before_a_wave_is_closed(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path, "started")
    assert call(asset.app, context, "due").exit_code == 5


def test_each_old_machine_is_listed_with_the_day_from_which_it_may_be_erased(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    town.drive()
    moved = town.clock.now()
    town.clock.moment += timedelta(days=10)
    assert "0 of them may be erased today" in " ".join(call(asset.app, context, "due").output.split())
    listed = json.loads(call(asset.app, sitting_down(town, json=True), "due").stdout)
    assert [(one["name"], one["due"], one["erased"]) for one in listed] == [
        ("apc-001", False, None),
        ("apc-002", False, None),
    ]
    assert {one["from"] for one in listed} == {str((moved + timedelta(days=90)).date())}

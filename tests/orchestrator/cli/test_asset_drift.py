"""``kahn asset drift`` on a real store."""

from __future__ import annotations

from pathlib import Path

from orchestrator.actions.see_drift import NoPlanYet
from tests.orchestrator.cli.test_asset import error
from tests.planning_town import a_home


def test_without_a_plan_the_command_says_so(tmp_path: Path) -> None:
    assert isinstance(error(a_home(tmp_path), "drift"), NoPlanYet)

"""``kahn runbook join``."""

from __future__ import annotations

import json
from pathlib import Path

from orchestrator.adapters.runbooks import find_runbook
from orchestrator.cli.context import Context
from orchestrator.cli.runbook_join import join
from tests.known_town import call
from tests.orchestrator.cli.lone import command_app


def test_a_joined_runbook_is_found_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "kahn.toml").write_text("")
    words = ("install-machine", "replace-workstation", "--as-runbook", "replace-by-bare")
    made = json.loads(call(command_app(join), Context(home=tmp_path, json=True), *words).stdout)
    assert made["steps"][:4] == ["clear-release", "install", "first-contact", "preflight"]
    assert find_runbook("replace-by-bare", state_dir=tmp_path) == tmp_path / "runbooks/replace-by-bare"

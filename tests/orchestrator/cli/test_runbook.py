"""`kahn runbook`: list, check and show, on the real command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.command_line import called

STEP = "  - {name: look, title: Look, on: source, effect: EFFECT, playbook: look.yml, deadline_s: 60}\n"
HEAD = """title: Look
ansible: modern
roles: {source: asset}
baseline: {on: source, take: look.yml, compare: look.yml, deadline_s: 60}
steps:
"""


def a_runbook(folder: Path, effect: str) -> Path:
    place = folder / "look"
    place.mkdir()
    (place / "runbook.yml").write_text(HEAD + STEP.replace("EFFECT", effect), encoding="utf-8")
    (place / "look.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks: []\n", encoding="utf-8")
    return place


def test_a_good_runbook_is_checked_and_its_tree_named(tmp_path: Path) -> None:
    ended = called("--json", "runbook", "check", str(a_runbook(tmp_path, "none")))
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["steps"] == ["look"]


def test_a_missing_undo_is_named_with_file_and_line(tmp_path: Path) -> None:
    ended = called("runbook", "check", str(a_runbook(tmp_path, "idempotent")))
    assert ended.returncode == 2
    assert "RBK-001" in ended.stderr
    assert "line 6" in ended.stderr
    assert "undo" in ended.stderr


def test_the_shipped_runbook_is_listed_and_shown_with_its_undos(tmp_path: Path) -> None:
    assert "replace-workstation" in called("--home", str(tmp_path), "runbook", "list").stdout
    shown = called("--home", str(tmp_path), "runbook", "show", "replace-workstation").stdout
    assert all(step in shown for step in ("preflight", "save", "restore", "switch-off-old", "once"))
    assert "join is part of a wave only where the policy has [domain]" in shown


def test_an_unknown_runbook_matches_nothing(tmp_path: Path) -> None:
    assert called("--home", str(tmp_path), "runbook", "show", "no-such").returncode == 5

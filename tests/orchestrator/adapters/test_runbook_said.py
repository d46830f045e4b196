"""What is wrong in runbook.yml, said to its author."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.runbook_said import meant
from orchestrator.adapters.runbooks import load_runbook
from orchestrator.core.runbook import RunbookInvalid

TEXT = """\
title: Move a note
ansible: modern
roles: {source: asset}
baseline: {on: source, take: take.yml, compare: take.yml}
steps:
  - {name: write, title: Write, on: source, effect: once, playbook: take.yml, undo: take.yml, probe: take.yml}
"""
PLAY = "- {hosts: all, gather_facts: false, tasks: [{ansible.builtin.command: {argv: ['true']}}]}\n"


def told(place: Path, old: str, new: str) -> str:
    """What is said of the runbook with one change in it."""
    folder = place / "note"
    folder.mkdir()
    (folder / "take.yml").write_text(PLAY)
    assert old in TEXT
    (folder / "runbook.yml").write_text(TEXT.replace(old, new))
    with pytest.raises(RunbookInvalid) as refused:
        load_runbook(folder)
    return str(refused.value.facts["what"])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("undo: take.yml, ", "undo: take.yml, deadline: 5, ", "unknown key 'deadline'; did you mean 'deadline_s'?"),
        ("undo: take.yml", "undo: take.yml, deadline_s: 2h", "'deadline_s' must be a whole number, without a unit"),
        ("undo: take.yml", "undo: take.yml, deadline_s: 0", "'deadline_s' must be greater than 0"),
        ("undo: take.yml", "undo: take.yml, no_return: maybe", "'no_return' must be true or false"),
        ("name: write", "name: Write It", "'name' is 'Write It', but it begins with a-z and goes on with a-z, 0-9"),
        ("{source: asset}", "[asset]", "'roles' must be lines of the form `key: value`"),
        ("ansible: modern\n", "", "'ansible' is missing; write `ansible: modern`"),
        ("effect: once, ", "", "'effect' is missing; write `effect: none, idempotent or once`"),
        (TEXT[TEXT.index("baseline") : TEXT.index("steps")], "", "'baseline' is missing; write `baseline: {on"),
        (TEXT, "\n", "the document must be lines of the form `key: value`"),
        (TEXT[TEXT.index("steps") :], "steps: all\n", "'steps' must be a list"),
        (", probe: take.yml", "", "step 'write' must happen once, so it needs 'probe': a playbook that looks"),
        ("title: Write, on: source", "title: Write, on: new", "unknown role 'new'; the roles are source"),
        ("roles:", "needs: {os: Debian}\nroles:", "the inventory has no field 'os'; did you mean 'os_name'?"),
    ],
)  # fmt: skip
def test_a_fault_is_said_with_what_would_be_right(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert words in told(tmp_path, old, new)


def test_nothing_is_guessed_where_no_word_is_alike() -> None:
    assert meant("colour", ("name", "title")) == "" and meant("chekclist", ("checklist",)) != ""

"""Rules of the kinds of steps: what is missing or makes no sense is refused with file, line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.runbooks import load_runbook
from orchestrator.core.runbook import RunbookInvalid

TEXT = """\
title: By hand
ansible: modern
roles:
  source: asset
  tool: tool
needs:
  os_name: Windows*
groups: [seats]
baseline:
  on: source
  checklist: [How it is]
steps:
  - name: order
    kind: external
    title: Order
    on: tool
    effect: once
    start: start.yml
    probe: start.yml
    undo: start.yml
    reversible_until: swap
    every_s: 5
  - name: swap
    kind: manual
    title: Swap
    on: source
    effect: once
    checklist: [The old one is off]
    undo_checklist: [The old one is on]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "by-hand"
    made.mkdir()
    (made / "start.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks: []\n")
    (made / "runbook.yml").write_text(TEXT)
    return made


def test_an_external_step_and_needs_are_read_with_all_their_parts(folder: Path) -> None:
    found = load_runbook(folder)
    order, swap = found.steps
    assert (order.external, order.playbook, order.every_s, order.reversible_until) == (True, "start.yml", 5, "swap")
    assert not swap.external and found.touches_machines
    assert (found.needs[0].fact, found.needs[0].values, found.groups) == ("os_name", ("Windows*",), ("seats",))


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("    probe: start.yml\n", "", 13, "needs 'probe'"),
        ("    undo: start.yml\n", "", 13, "needs 'undo' (or 'no_return: true')"),
        ("effect: once\n    start", "effect: none\n    start", 17, "say 'idempotent' or 'once'"),
        ("    every_s: 5\n", "    checklist: [x]\n", 22, "'checklist' makes no sense"),
        ("    checklist: [The old one is off]\n", "", 23, "needs 'checklist'"),
        ("    checklist: [The", "    start: start.yml\n    checklist: [The", 28, "'start' makes no sense"),
        ("reversible_until: swap", "reversible_until: order", 21, "names no later step"),
        ("reversible_until: swap", "reversible_until: nowhere", 21, "names no later step"),
        ("os_name: Windows*", 'os_name: \'{{ lookup("pipe", "id") }}\'', 7, "never a template"),
        ("os_name: Windows*", "os_flavour: Windows", 7, "no field 'os_flavour'"),
        ("os_name: Windows*", "os_name: []", 7, "which values"),
        ("groups: [seats]", "groups: [all]", 8, "own groups"),
        ("start: start.yml", "start: ../start.yml", 18, "no playbook path inside"),
        ("start: start.yml", "start: gone.yml", 18, "there is no playbook gone.yml"),
        ("    every_s: 5\n", "    waits_for: [busy]\n", 22, "'waits_for' makes no sense"),
        ("    title: Swap\n", "    title: Swap\n    only_with: domain\n", 21, "'swap' is not in every wave"),
        ("    title: Swap\n", "    title: Swap\n    only_with: luck\n", 26, "'only_with' is 'luck' but must be"),
    ],
)
def test_a_broken_rule_is_named_with_its_line(folder: Path, old: str, new: str, line: int, what: str) -> None:
    assert old in TEXT
    (folder / "runbook.yml").write_text(TEXT.replace(old, new, 1))
    with pytest.raises(RunbookInvalid) as error:
        load_runbook(folder)
    assert what in str(error.value.facts["what"]) and error.value.facts["line"] == line


def test_a_playbook_behind_a_link_is_refused_even_when_only_its_folder_is_one(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "start.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks: []\n")
    (folder / "sub").symlink_to(outside)
    (folder / "runbook.yml").write_text(TEXT.replace("start: start.yml", "start: sub/start.yml"))
    with pytest.raises(RunbookInvalid, match=r"link|out of the folder"):
        load_runbook(folder)


WAITING = """\
  - name: look
    title: Look
    on: source
    effect: none
    playbook: start.yml
    waits_for: [source_busy]
    waits_s: 600
"""


def with_a_look(folder: Path, text: str) -> Path:
    (folder / "runbook.yml").write_text(TEXT.replace("steps:\n", "steps:\n" + text))
    return folder


def test_a_step_that_waits_looks_once_a_minute_unless_it_says_otherwise(folder: Path) -> None:
    look = load_runbook(with_a_look(folder, WAITING)).steps[0]
    assert (look.waits_for, look.waits_s, look.every_s) == (("source_busy",), 600, 60)
    look = load_runbook(with_a_look(folder, WAITING + "    every_s: 20\n")).steps[0]
    assert look.every_s == 20


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("effect: none", "effect: idempotent\n    undo: start.yml", "only one that looks may wait"),
        ("    waits_s: 600\n", "", "needs both"),
        ("    waits_for: [source_busy]\n", "", "needs both"),
        ("    waits_for: [source_busy]\n    waits_s: 600\n", "    every_s: 5\n", "waits for nothing"),
        ("[source_busy]", "['{{ busy }}']", "entry 1"),
    ],
)
def test_what_makes_no_sense_of_waiting_is_refused(folder: Path, old: str, new: str, what: str) -> None:
    assert old in WAITING
    with pytest.raises(RunbookInvalid, match=what):
        load_runbook(with_a_look(folder, WAITING.replace(old, new, 1)))

"""Which modules the playbooks of a runbook use."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.runbook_modules import modules_of
from orchestrator.adapters.runbooks import SHIPPED, load_runbook
from tests.orchestrator.core.builders import STEPS, a_runbook

NESTED = """\
- hosts: all
  gather_facts: false
  pre_tasks:
    - kahn_look: {state: a}
      when: true
  tasks:
    - name: Both
      block:
        - name: One
          ansible.builtin.command: {argv: ["true"]}
          with_items: [1]
      rescue:
        - {name: Two, my.own.thing: {a: !unsafe "{{ b }}"}, register: c}
"""


def test_modules_are_found_in_blocks_and_beside_the_words_of_a_task(tmp_path: Path) -> None:
    runbook = a_runbook(STEPS[:1])
    for name in ("take.yml", "compare.yml", "look.yml"):
        (tmp_path / name).write_text(NESTED)
    assert modules_of(runbook, tmp_path) == {"kahn_look", "command", "my.own.thing"}


def test_a_play_with_roles_says_so_for_nobody_reads_them_here(tmp_path: Path) -> None:
    for name in ("take.yml", "compare.yml", "look.yml"):
        (tmp_path / name).write_text("- {hosts: all, gather_facts: false, roles: [a]}\n")
    assert modules_of(a_runbook(STEPS[:1]), tmp_path) == {"roles"}


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("install-machine", {"kahn_netboot", "kahn_installed"}),
        ("replace-windows-seat", {"kahn_windows_seat"}),
        ("move-windows-server", {"kahn_windows_seat", "kahn_windows_server"}),
    ],
)
def test_of_shipped_runbooks_the_trial_knows_what_they_use(name: str, modules: set[str]) -> None:
    folder = SHIPPED / name
    assert modules_of(load_runbook(folder), folder) == modules

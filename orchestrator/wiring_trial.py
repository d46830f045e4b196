"""Names what a trial of a runbook is made of: its copy, the frozen tree, real Ansible, and its ground."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.runbook_modules import modules_of
from orchestrator.adapters.runbook_trees import TreeWatch, freeze_tree
from orchestrator.adapters.runbooks import SHIPPED, load_runbook
from orchestrator.adapters.runs import AnsibleRuns
from orchestrator.core.runbook import Runbook
from orchestrator.core.trial import Ground, ground_of

if TYPE_CHECKING:
    from orchestrator.lab.ground import TrialGround
    from orchestrator.lab.lab import Lab
    from orchestrator.lab.trial import SeatTrial

FAILING = "trial-fails.yml"
FAILS = """- name: Fail as the trial wants it
  hosts: all
  gather_facts: false
  tasks:
    - name: Fail
      ansible.builtin.fail: {msg: As the trial wants it.}
"""


def what_is_tried(folder: Path) -> tuple[Runbook, frozenset[str]]:
    """The runbook of a folder and the modules that its playbooks use. Raises RunbookInvalid."""
    runbook = load_runbook(folder)
    return runbook, modules_of(runbook, folder)


def double_lacks() -> str:
    """Which Python package a protocol double needs and is not installed; empty when nothing lacks."""
    return "" if find_spec("psrpcore") else "psrpcore"


def trial_of(folder: Path, *, lab: Lab | None, state: Path, tell: Callable[[str], None]) -> SeatTrial:
    """A trial of the runbook in that folder; its copy in ``state`` has one playbook more, which fails.

    Without a lab only what is played against a double can be tried.
    """
    from orchestrator.lab.trial import SeatTrial  # the lab: only who tries a runbook needs it

    copy = state / "runbook" / folder.resolve().name
    shutil.copytree(folder, copy, symlinks=True)
    (copy / FAILING).write_text(FAILS, encoding="utf-8")
    ground = _ground(copy, lab, state, tell)
    runbook, clock, trees = load_runbook(copy), SystemClock(), state / "trees"
    frozen = freeze_tree(copy, trees, shared=SHIPPED)
    ansible_playbook = Path(sys.executable).parent / "ansible-playbook"
    return SeatTrial(
        ground=ground,
        runbook=runbook,
        runs=AnsibleRuns(state=state, trees=trees, ansible_playbook=ansible_playbook, clock=clock),
        clock=clock,
        failing=FAILING,
        tell=tell,
        look=TreeWatch(frozen).changes,
    )


def _ground(copy: Path, lab: Lab | None, state: Path, tell: Callable[[str], None]) -> TrialGround:
    """What the runbook in the copy is played on; for a double the copy gets variables of its own."""
    runbook = load_runbook(copy)
    modules = modules_of(runbook, copy)
    kind = ground_of(runbook)
    if kind is Ground.DOUBLE:
        from orchestrator.lab.double_ground import DoubleGround, set_variables  # psrpcore: not part of Kahn

        set_variables(copy)
        return DoubleGround(runbook=runbook, place=state / "double", server="kahn_windows_server" in modules)
    if lab is None:
        raise ValueError("only a double needs no lab")
    if kind is Ground.BARE:
        from orchestrator.lab.boot_ground import BootGround  # an emulator: only who tries network boot needs it

        return BootGround.of(lab, runbook, place=state / "bare", tell=lambda notice: tell(str(notice)))
    from orchestrator.lab.ground import LabGround  # as the lab itself
    from orchestrator.lab.stage import stage_for  # as above

    return LabGround(lab=lab, runbook=runbook, stage=stage_for(runbook))

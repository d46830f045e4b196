"""A trial on real hosts: a good runbook passes, and an undo that forgets a file is found, by path."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.core.trial import Ground, StepTrial, Trial, Tried
from orchestrator.lab.lab import Lab
from orchestrator.wiring_trial import trial_of
from tests.labs import lab

__all__ = ["lab"]
TEXT = """\
title: Two files
ansible: modern
roles: {source: asset}
baseline: {on: source, take: fingerprint.yml, compare: compare-with-baseline.yml}
steps:
  - {name: write, title: Write, on: source, effect: idempotent, playbook: write.yml, undo: back.yml, deadline_s: 120}
  - {name: forget, title: Forget, on: source, effect: idempotent, playbook: forget.yml, undo: look.yml, deadline_s: 120}
"""
PLAY = """\
- name: Play
  hosts: all
  gather_facts: false
  tasks:
    - name: Do it
      ansible.builtin.raw: {command}
"""
COMMANDS = {
    "write.yml": "echo a > /opt/one && sleep 2 && echo b > /opt/two",
    "forget.yml": "echo c > /opt/three",
    "back.yml": "rm -f /opt/one /opt/two",
    "look.yml": "ls /opt",
}


@pytest.fixture(scope="module")
def trial(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """The trial of a runbook of somebody's own, whose last undo forgets what its step wrote."""
    place = tmp_path_factory.mktemp("own")
    folder = place / "two-files"
    folder.mkdir()
    (folder / "runbook.yml").write_text(TEXT)
    for name in ("fingerprint.yml", "compare-with-baseline.yml"):
        shutil.copy(SHIPPED / "replace-workstation" / name, folder / name)
    for name, command in COMMANDS.items():
        (folder / name).write_text(PLAY.format(command=command))
    yield trial_of(folder, lab=lab, state=place / "state", tell=lambda _text: None).run()


def step(trial: Trial, name: str) -> StepTrial:
    return next(one for one in trial.steps if one.step == name)


@pytest.mark.lab
@pytest.mark.long
def test_a_step_whose_undo_is_whole_passes_failed_and_killed_and_forward(trial: Trial) -> None:
    write = step(trial, "write")
    assert (write.forward.verdict, write.failed.verdict, write.killed.verdict) == (Tried.WELL, Tried.WELL, Tried.WELL)
    assert write.failed.told.startswith("failed")


@pytest.mark.lab
@pytest.mark.long
def test_an_undo_that_forgets_a_file_is_found_by_its_path(trial: Trial) -> None:
    forgot = step(trial, "forget").failed
    assert (forgot.verdict, forgot.differences) == (Tried.DIFFERS, ("apc-0001: opt/three",))
    assert trial.back.verdict is Tried.DIFFERS and not trial.passed


@pytest.mark.lab
@pytest.mark.long
@pytest.mark.parametrize("name", ["move-procedure", "move-files"])
def test_a_shipped_runbook_of_a_procedure_passes_with_its_comparison_and_its_service(
    name: str, lab: Lab, tmp_path: Path
) -> None:
    trial = trial_of(SHIPPED / name, lab=lab, state=tmp_path, tell=lambda _text: None).run()
    assert trial.passed, trial
    assert (trial.after.verdict, trial.service.verdict, trial.back.verdict) == (Tried.WELL,) * 3
    assert {one.killed.verdict for one in trial.steps} == {Tried.WELL}


@pytest.mark.lab
@pytest.mark.long
def test_a_bare_machine_is_installed_disturbed_and_given_up_as_far_as_nature_allows(lab: Lab, tmp_path: Path) -> None:
    trial = trial_of(SHIPPED / "install-machine", lab=lab, state=tmp_path, tell=lambda _text: None).run()
    install = step(trial, "install")
    assert trial.passed and trial.ground is Ground.BARE, trial
    assert {install.failed.verdict, install.killed.verdict, install.cut.verdict} == {Tried.WELL}
    assert install.cut.told.startswith("failed interrupted") and "stays there, by nature" in trial.back.told

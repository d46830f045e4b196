"""The ground of a trial for Windows: doubles on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.adapters.runbooks import SHIPPED, load_runbook
from orchestrator.core.trial import Ground, Tried
from orchestrator.lab.double_ground import DoubleGround, set_variables
from orchestrator.wiring_trial import trial_of


def test_both_machines_are_on_this_machine_and_known_by_certificates_of_their_own(tmp_path: Path) -> None:
    runbook = load_runbook(SHIPPED / "replace-windows-seat")
    ground = DoubleGround(runbook=runbook, place=tmp_path / "double", server=False)
    ground.lay()
    try:
        machines, profiles = ground.move().machines, ground.profiles()
        assert {one.address for one in machines} == {"localhost", "127.0.0.1"}
        assert len({one.host_key for one in machines}) == len({one.port for one in profiles}) == 2
        assert set(ground.pictures()) == {"old", "new", "share"} and ground.kind is Ground.DOUBLE
    finally:
        ground.clear()


def test_a_trial_names_no_share_of_the_users(tmp_path: Path) -> None:
    set_variables(tmp_path)
    (file,) = (tmp_path / "host_vars").iterdir()
    assert json.loads(file.read_text())["windows_share_password"] == "made up"


@pytest.mark.ansible
@pytest.mark.long
@pytest.mark.parametrize("name", ["replace-windows-seat", "move-windows-server"])
def test_a_shipped_runbook_for_windows_passes_against_the_double(name: str, tmp_path: Path) -> None:
    trial = trial_of(SHIPPED / name, lab=None, state=tmp_path, tell=lambda _text: None).run()
    assert trial.passed and trial.ground is Ground.DOUBLE, trial
    assert (trial.back.verdict, trial.tree.verdict) == (Tried.WELL, Tried.WELL)
    played = [one for one in trial.steps if one.forward.verdict is not Tried.NOT_TRIED]
    assert len(played) >= 4 and {one.killed.verdict for one in played} == {Tried.WELL}

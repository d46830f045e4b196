"""What a trial is made of: its copy of the runbook, the frozen tree, and the ground."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.runbook_trees import verify_tree
from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.core.runbook import RunbookInvalid
from orchestrator.core.trial import Ground
from orchestrator.lab.lab import Lab
from orchestrator.wiring_trial import FAILING, trial_of, what_is_tried


@pytest.mark.parametrize(
    ("name", "ground"),
    [
        ("replace-workstation", Ground.HOSTS),
        ("install-machine", Ground.BARE),
        ("move-windows-server", Ground.DOUBLE),
    ],
)
def test_each_runbook_is_tried_on_its_ground_from_a_frozen_copy_that_can_fail(
    name: str, ground: Ground, tmp_path: Path
) -> None:
    trial = trial_of(SHIPPED / name, lab=Lab(tmp_path / "lab"), state=tmp_path, tell=lambda _text: None)
    assert trial.ground.kind is ground and trial.look() == ()
    (frozen,) = (tmp_path / "trees").iterdir()
    verify_tree(frozen)
    assert (frozen / name / FAILING).is_file() and not (SHIPPED / name / FAILING).exists()
    assert what_is_tried(SHIPPED / name)[0].name == name


def test_a_folder_that_is_no_runbook_is_refused_before_anything_is_copied(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(RunbookInvalid, match="there is no such file"):
        what_is_tried(tmp_path / "mine")

"""The ground of a trial on the lab's hosts; that they are raised and furnished is proven by whole trials."""

from __future__ import annotations

from pathlib import Path

from orchestrator.core.trial import Ground
from orchestrator.lab.ground import LabGround
from orchestrator.lab.lab import Lab
from orchestrator.lab.stage import stage_for
from tests.orchestrator.core.builders import a_runbook


def test_hosts_of_the_lab_have_no_tool_and_nothing_that_stays(tmp_path: Path) -> None:
    ground = LabGround(lab=Lab(tmp_path / "lab"), runbook=a_runbook(), stage=stage_for(a_runbook()))
    ground.clear()
    assert (ground.kind, ground.worker, dict(ground.stays)) == (Ground.HOSTS, None, {})

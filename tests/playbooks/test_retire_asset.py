"""retire-asset on a real host: signs of use stop it; without any the host goes off, and comes back as it was."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.core.trial import Tried
from orchestrator.lab.lab import Lab
from orchestrator.lab.seed import seed_user_files
from orchestrator.wiring_trial import trial_of
from tests.labs import lab
from tests.playbooks.seats import Seats

__all__ = ["lab"]
pytestmark = pytest.mark.lab
SERVES = "import socket; s=socket.create_server(('', 4450)); print(1, flush=True); kept=s.accept()[0]; kept.recv(1)"
USES = "import socket,sys; s=socket.create_connection((sys.argv[1], 4450)); print(1, flush=True); sys.stdin.read()"


def test_a_host_that_is_used_stays_and_one_that_is_not_goes_off(lab: Lab, tmp_path: Path) -> None:
    seats = Seats(lab, tenant="ende", count=1, state=tmp_path, runbook="retire-asset")
    old = seats.old(1)
    seed_user_files(old, seed=1, files=4, users=1)
    fresh = old.root / "srv/neu\nheute"
    fresh.write_text("x")
    serving = subprocess.Popen(old.inside("python3", "-u", "-c", SERVES), stdout=subprocess.PIPE)
    assert serving.stdout is not None and serving.stdout.readline()
    words = seats.new(1).inside("python3", "-u", "-c", USES, old.address)
    using = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert using.stdout is not None and using.stdout.readline()
    refused = seats.play("unused", 1)[1]
    using.communicate()
    serving.communicate()
    told = refused.evidence["kahn"]
    assert (refused.kind, told["cause"]) == ("failed", "still_used")
    assert told["changed_files"] == ["/srv/neu\\nheute"]
    assert told["connections"] == [f"port 4450 from {seats.new(1).address}"]

    os.utime(fresh, (1, 1))
    seen = seats.must("unused", 1)[1].evidence["kahn"]
    assert (seen["connections"], seen["logons"], seen["changed_files"]) == ([], [], [])
    seats.must("switch-off", 1)
    assert not old.running


@pytest.mark.long
def test_every_step_can_be_taken_back_wherever_it_is_disturbed(lab: Lab, tmp_path: Path) -> None:
    trial = trial_of(SHIPPED / "retire-asset", lab=lab, state=tmp_path, tell=lambda _text: None).run()
    assert trial.passed, trial
    tried = {one.step for one in trial.steps if one.forward.verdict is Tried.WELL}
    assert tried == {"unused", "switch-off"} and trial.back.verdict is Tried.WELL

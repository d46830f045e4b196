"""move-files on a real Samba, failed and killed at every step: files, ACLs and what a client sees are as before."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from inventory.model import AssetId
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.runbook_trees import freeze_tree
from orchestrator.adapters.runbooks import SHIPPED, load_runbook
from orchestrator.adapters.runs import AnsibleRuns
from orchestrator.core.outcome import Outcome, outcomes
from orchestrator.core.procedures import ProcedureSettings
from orchestrator.core.runbook import Direction, RoleSource
from orchestrator.core.wave import RunId, WaveMove
from orchestrator.lab.lab import Lab
from orchestrator.run_ports import RunOrder, SpoolLine
from orchestrator.wiring_trial import FAILING, FAILS
from tests.labs import lab
from tests.playbooks.seats import Seats, asset
from tests.playbooks.test_move_files_samba import DEFINITION, SHARE, Office, an_office, looks, seen
from tests.run_orders import PLAYBOOK
from tests.waiting import until

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]
SETTINGS = ProcedureSettings(
    name="Ablage",
    data=(f"/{SHARE}",),
    programs=(f"/{DEFINITION}",),
    configuration=(f"/{DEFINITION}",),
    unit="smbd.service",
    port=445,
    gateway_file="/etc/relay/1",
    gateway_line="proxy_pass http://{address}:445;",
    gateway_reload=("true",),
    gateway_port=445,
)
NAMES = {RoleSource.ASSET: "alt-1", RoleSource.SUCCESSOR: "rz-1", RoleSource.GATEWAY: "gate", RoleSource.JUMP: "jump"}
KILLED_AT = {"cut-over": (0.1, 0.35, 0.6, 0.85)}
"""At which parts of a step's own time Ansible is killed; others in the middle."""


class Steps(Seats):
    """The steps of the move, played one by one on the office's hosts."""

    def __init__(self, office: Office, state: Path) -> None:
        copy = state / "runbook/move-files"
        shutil.copytree(SHIPPED / "move-files", copy, symlinks=True)
        (copy / FAILING).write_text(FAILS)
        self.lab, self.tenant, self.count, self.state = office.story.lab, office.story.tenant, 1, state
        self.runbook, self.clock, self.epoch, self.reach = load_runbook(copy), SystemClock(), 0, ()
        freeze_tree(copy, state / "trees", shared=SHIPPED)
        self.runs = AnsibleRuns(state=state, trees=state / "trees", ansible_playbook=PLAYBOOK, clock=self.clock)

    def _move(self, seat: int) -> WaveMove:
        machines = tuple(self._machine(role.name, NAMES[role.machine]) for role in self.runbook.roles)
        return WaveMove(
            asset=AssetId(asset(seat)),
            name="alt-1",
            department="",
            site="",
            users=1,
            machines=machines,
            procedure=SETTINGS,
        )

    def failed(self, step: str) -> float:
        """Made to fail after its work; how many seconds the work itself took."""
        order = self._order(step, (1,), Direction.DO)
        ended, lines = self._ended(replace(order, playbooks=(*order.playbooks, FAILING)))
        assert ended.kind == "failed", ended
        return _worked(lines)

    def killed(self, step: str, after_s: float) -> Outcome:
        """Ansible is killed so long after the step itself began."""
        return self._ended(self._order(step, (1,), Direction.DO), kill_after_s=after_s)[0]

    def _ended(self, order: RunOrder, kill_after_s: float | None = None) -> tuple[Outcome, Sequence[SpoolLine]]:
        run = order.run.id
        with self.lab.controller():
            self.runs.start(order)
            if kill_after_s is not None:
                until(lambda: self._works(run), within_s=300)
                time.sleep(kill_after_s)
                self.runs.kill(run)
            self._wait_for(run)
            assert self.runs.close(run)
        read = self.runs.read(run, offset=0)
        found = outcomes(
            read.lines,
            hosts=(asset(1),),
            started=read.started,
            exited=read.exited,
            last_seq=read.last_seq,
            damaged=read.damaged,
        )
        return found[asset(1)], read.lines

    def _works(self, run: RunId) -> bool:
        read = self.runs.read(run, offset=0)
        begun = any(line.kind == "task_start" and line.fields.get("part") == "step" for line in read.lines)
        return begun or (read.started and not read.alive)

    def taken_back(self, step: str) -> None:
        """Its undo; again while a program of the killed run still works there."""
        for _try in range(6):
            ended = self.undo(step, 1)[1]
            if ended.kind == "done":
                return
            assert ended.evidence.get("kahn", {}).get("cause") == "still_working", ended
            time.sleep(5)
        raise AssertionError(ended)


def _worked(lines: Sequence[SpoolLine]) -> float:
    times = [line.wall_us for line in lines if line.fields.get("part") == "step"]
    return (max(times) - min(times)) / 1e6 if times else 0.0


@dataclass(frozen=True)
class Sight:
    """Everything that counts: files of both servers with ACLs and attributes, the service, and a client's view."""

    office: Office

    def taken(self) -> dict[str, object]:
        found: dict[str, object] = {"client": seen(self.office)}
        for name in ("alt-1", "rz-1"):
            host = self.office.host(name)
            found[f"{name}: files"] = looks(host)
            found[f"{name}: shares"] = sorted(one.name for one in (host.root / DEFINITION).parent.iterdir())
            units = "systemctl is-active smbd.service; systemctl is-enabled smbd.service; true"
            found[f"{name}: service"] = host.run("sh", "-c", units).split()
            found[f"{name}: barrier"] = (host.root / "etc/systemd/system/smbd.service.d").exists()
        relay = self.office.host("gate").root / "etc/relay/1"
        return {**found, "gateway": relay.read_text()}


def test_every_step_can_be_failed_and_killed_and_leaves_nothing_that_a_client_could_see(
    lab: Lab, tmp_path: Path
) -> None:
    office = an_office(tmp_path / "ort", lab, "gestoert")
    steps, sight = Steps(office, tmp_path / "state"), Sight(office)
    at_first = sight.taken()
    steps.must("", 1, direction=Direction.BASELINE)
    for step in steps.runbook.steps:
        before = sight.taken()
        worked = steps.failed(step.name)
        if step.undo:
            steps.taken_back(step.name)
        assert sight.taken() == before, f"{step.name} failed"
        for part in KILLED_AT.get(step.name, (0.4,)):
            steps.killed(step.name, worked * part)
            if step.undo:
                steps.taken_back(step.name)
            assert sight.taken() == before, f"{step.name} killed at {part}"
        steps.must(step.name, 1)
    moved = sight.taken()
    assert (moved["client"], moved["rz-1: files"]) == (at_first["client"], at_first["alt-1: files"])
    assert moved["gateway"] != at_first["gateway"] and moved["alt-1: service"] != at_first["alt-1: service"]
    for one in reversed([step for step in steps.runbook.steps if step.undo]):
        steps.taken_back(one.name)
    assert sight.taken() == at_first
    same = steps.must("", 1, direction=Direction.COMPARE)[1].evidence["kahn"]
    assert same["baseline"] == same["now"], same["differences"]

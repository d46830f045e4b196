"""One run of a trial after the other: started, killed if so wished, waited for, read; the frozen tree looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from inventory.errors import ExpectedError
from inventory.model import TenantId
from orchestrator.core.command import StartRun
from orchestrator.core.order import play_for
from orchestrator.core.outcome import Outcome, outcomes
from orchestrator.core.runbook import Direction, Step
from orchestrator.core.wave import RunId, WaveContent
from orchestrator.lab.ground import TENANT
from orchestrator.lab.seats import seat_asset
from orchestrator.ports import Clock
from orchestrator.run_ports import AttemptSpec, PlaybookRunner, RunOrder, RunRow, SpoolLine

ASSET, BATCH = seat_asset(1), "canary"
UNDO_TRIES, PAUSE_S = 5, 5.0
PATIENCE_S = 120.0


class TrialStuck(ExpectedError):
    """A run of a trial that neither ended nor could be ended."""

    code, says = "RBK-007", "The trial stopped at {step}: its run did not end within {seconds} s."
    remedy = "Look at the lab's hosts (`kahn lab list`), take the lab down (`kahn lab down`) and try again."
    exit_code = 70


@dataclass
class TrialRuns:
    """The runs of one trial. ``failing`` is a playbook that always fails; ``look`` tells what changed in the tree."""

    runs: PlaybookRunner
    clock: Clock
    content: WaveContent
    inside: Callable[[], AbstractContextManager[None]]
    failing: str
    look: Callable[[], Sequence[str]]
    strays: list[str] = field(default_factory=list)
    """``run: path`` of what runs left in the frozen tree."""
    worked_s: float = 0.0
    """How long the step itself worked when it was last failed after its work."""
    _epoch: int = 0
    _attempts: list[str] = field(default_factory=list)

    def play(
        self, direction: Direction, step: str, *, fail: bool = False, kill_after_s: float | None = None
    ) -> Outcome:
        """Play it; ``kill_after_s`` kills Ansible so long after the step itself began, if it still runs then.

        Raises TrialStuck, and what a runner raises.
        """
        order = self._order(direction, step, fail=fail)
        with self.inside():
            self.runs.start(order)
            if kill_after_s is not None:
                self._wait(lambda: self._working(order.run.id), step=step)
                time.sleep(kill_after_s)
                self.runs.kill(order.run.id)
            self._wait(lambda: not self.runs.read(order.run.id, offset=0).alive, step=step)
            self._wait(lambda: self.runs.close(order.run.id), step=step)
        self.strays += [f"{direction.value} {step}".strip() + f": {path}" for path in self.look()]
        read = self.runs.read(order.run.id, offset=0)
        self.worked_s = _worked(read.lines) if fail else self.worked_s
        found = outcomes(
            read.lines,
            hosts=(str(ASSET),),
            started=read.started,
            exited=read.exited,
            last_seq=read.last_seq,
            damaged=read.damaged,
        )
        return found[str(ASSET)]

    def undo(self, step: Step) -> Outcome:
        """Taken back; tried again while a program of the killed run still works on the machine."""
        ended = self.play(Direction.UNDO, step.name)
        for _try in range(UNDO_TRIES - 1):
            if ended.kind == "done":
                break
            time.sleep(PAUSE_S)
            ended = self.play(Direction.UNDO, step.name)
        return ended

    def _working(self, run: RunId) -> bool:
        """Whether the step itself has begun on the machine, or the run is over already."""
        read = self.runs.read(run, offset=0)
        begun = any(line.kind == "task_start" and line.fields.get("part") == "step" for line in read.lines)
        return begun or (read.started and not read.alive)

    def _wait(self, until: Callable[[], bool], *, step: str) -> None:
        limit = PATIENCE_S + max(one.deadline_s for one in self.content.runbook.steps)
        end = time.monotonic() + limit
        while not until():
            if time.monotonic() > end:
                raise TrialStuck(step=step or "baseline", seconds=round(limit))
            time.sleep(0.1)

    def _order(self, direction: Direction, step: str, *, fail: bool) -> RunOrder:
        command = StartRun(batch=BATCH, step=step, direction=direction, assets=(ASSET,), last=True)
        play = play_for(self.content, command)
        now, self._epoch = self.clock.now(), self._epoch + 1
        attempt = AttemptSpec(id=self.clock.new_id(), asset=ASSET, machines=(), settled=tuple(self._attempts))
        self._attempts.append(attempt.id)
        row = RunRow(
            id=RunId(self.clock.new_id()),
            tenant=TenantId(TENANT),
            wave="W01",
            revision=1,
            batch=BATCH,
            step=step,
            direction=direction,
            epoch=self._epoch,
            attempts=(attempt,),
            intended_at=now,
            deadline=now + play.limit,
        )
        playbooks = (*play.playbooks, self.failing) if fail else play.playbooks
        return RunOrder(run=row, content=self.content, playbooks=playbooks, on=play.on, once=play.once)


def _worked(lines: Sequence[SpoolLine]) -> float:
    """How many seconds the step's own tasks took."""
    times = [line.wall_us for line in lines if line.fields.get("part") == "step"]
    return (max(times) - min(times)) / 1e6 if times else 0.0

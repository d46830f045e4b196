"""A runbook tried on hosts of the lab: forward, failed and killed at each step, and back; pictures from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from inventory.errors import ExpectedError
from inventory.model import TenantId
from orchestrator.core.arrival import comparison_of
from orchestrator.core.command import StartRun
from orchestrator.core.likeness import Comparison, portrait_of
from orchestrator.core.order import play_for
from orchestrator.core.outcome import Outcome, outcomes
from orchestrator.core.plan import PlannedBatch, PlannedWindow, WaveKey
from orchestrator.core.runbook import Direction, Runbook, Step
from orchestrator.core.trial import Finding, StepTrial, Trial, Tried, left_untried, no_way_back, not_looked_at
from orchestrator.core.wave import RunId, Thresholds, WaveContent
from orchestrator.lab.host import Host
from orchestrator.lab.lab import Lab
from orchestrator.lab.picture import Picture, unlike
from orchestrator.lab.seats import move_of, seat_asset, seat_profile
from orchestrator.lab.stage import Stage, stage_for
from orchestrator.ports import Clock
from orchestrator.run_ports import AttemptSpec, PlaybookRunner, RunOrder, RunRow, SpoolLine

TENANT, ASSET, BATCH = "trial", seat_asset(1), "canary"
UNDO_TRIES, PAUSE_S = 5, 5.0
PATIENCE_S = 120.0
SHOWN = 20
KILLED_AT = 0.3
"""Where in a step's work Ansible is killed; its verification counts as work, so that half would often be too late."""


class TrialStuck(ExpectedError):
    """A run of a trial that neither ended nor could be ended."""

    code, says = "RBK-007", "The trial stopped at {step}: its run did not end within {seconds} s."
    remedy = "Look at the lab's hosts (`kahn lab list`), take the lab down (`kahn lab down`) and try again."
    exit_code = 70


@dataclass
class SeatTrial:
    """The hosts of one asset's way and what is played on them. ``failing`` is a playbook that always fails."""

    lab: Lab
    runbook: Runbook
    runs: PlaybookRunner
    clock: Clock
    failing: str
    tell: Callable[[str], None]
    _epoch: int = 0
    _attempts: list[str] = field(default_factory=list)
    _work_s: float = 0.0
    """How long the step itself worked when it was failed after its work."""

    def run(self) -> Trial:
        """Raise the hosts and try everything. Raises TrialStuck and what the lab raises."""
        self._stage: Stage = stage_for(self.runbook)
        self.lab.up(tenant=TENANT, specs=self._stage.specs)
        self._stage.furnish(self._host)
        self._content = self._frozen()
        before = self._pictures()
        baseline = self._play(Direction.BASELINE, "") if self.runbook.baseline.take else None
        steps = tuple(self._step(step) for step in self.runbook.steps)
        arrived = all(one.forward.verdict is not Tried.BROKEN for one in steps)
        after, service = self._after(baseline, arrived=arrived), self._service(arrived=arrived)
        return Trial(
            runbook=self.runbook.name,
            steps=steps,
            after=after,
            service=service,
            back=self._back(before),
            unseen=not_looked_at(self.runbook),
        )

    def _host(self, name: str) -> Host:
        return self.lab.host(name, tenant=TENANT)

    # -- what arrived

    def _after(self, baseline: Outcome | None, *, arrived: bool) -> Finding:
        """The successor compared with the old machine, as at the end of every asset's way."""
        if self.runbook.after is None or not arrived:
            return _untried(arrived, "the runbook has no compare_after")
        self.tell("compare_after")
        before = portrait_of(baseline.evidence.get("kahn")) if baseline is not None else None
        ended = self._play(Direction.AFTER, "")
        now = portrait_of(ended.evidence.get("kahn"))
        if before is None or now is None:
            told = "the old machine told no portrait" if before is None else _told(ended)
            return Finding(verdict=Tried.BROKEN, told=told)
        return _as_finding(comparison_of(self._content, ASSET, (before, now)))

    def _service(self, *, arrived: bool) -> Finding:
        """Asked as the soak asks."""
        if self.runbook.service is None or not arrived:
            return _untried(arrived, "the runbook has no service check")
        self.tell("service")
        return _as_outcome(self._play(Direction.SERVICE, ""), wanted="done")

    # -- one step

    def _step(self, step: Step) -> StepTrial:
        why = left_untried(step)
        if why:
            return StepTrial(step=step.name, forward=Finding(verdict=Tried.NOT_TRIED, told=why))
        without = no_way_back(step)
        refused = Finding(verdict=Tried.NOT_TRIED, told=without)
        before = {} if without else self._pictures()
        failed = refused if without else self._disturbed(step, before, kill=False)
        killed = refused if without else self._disturbed(step, before, kill=True)
        self.tell(f"{step.name}: forward")
        forward = _as_outcome(self._play(Direction.DO, step.name), wanted="done")
        return StepTrial(step=step.name, forward=forward, failed=failed, killed=killed)

    def _disturbed(self, step: Step, before: dict[str, Picture], *, kill: bool) -> Finding:
        """Fail it after its work, or kill Ansible in its midst; take it back; nothing may be left of it."""
        self.tell(f"{step.name}: {'killed' if kill else 'failed'}, then taken back")
        ended = self._play(
            Direction.DO, step.name, fail=not kill, kill_after_s=self._work_s * KILLED_AT if kill else None
        )
        if not kill and ended.kind != "failed":
            return _as_outcome(ended, wanted="failed")
        undone = self._undo(step) if step.undo else None
        if undone is not None and undone.kind != "done":
            return _as_outcome(undone, wanted="done")
        return _compared(before, self._pictures(), told=f"{ended.kind} {ended.cause}".strip())

    def _undo(self, step: Step) -> Outcome:
        """Taken back; tried again while a program of the killed run still works on the machine."""
        ended = self._play(Direction.UNDO, step.name)
        for _try in range(UNDO_TRIES - 1):
            if ended.kind == "done":
                break
            time.sleep(PAUSE_S)
            ended = self._play(Direction.UNDO, step.name)
        return ended

    def _back(self, before: dict[str, Picture]) -> Finding:
        """All the way back, last first, and compared both by Kahn and from outside."""
        self.tell("back")
        steps = [step for step in reversed(self.runbook.steps) if not left_untried(step)]
        lacking = [step.name for step in steps if no_way_back(step)]
        if lacking:
            return Finding(verdict=Tried.NOT_TRIED, told=f"no undo: {', '.join(lacking)}")
        for step in steps:
            ended = self._undo(step) if step.undo else None
            if ended is not None and ended.kind != "done":
                told = f"undo of {step.name}: {ended.kind} {ended.cause}"
                return Finding(verdict=Tried.BROKEN, told=told)
        if not self.runbook.baseline.take:
            return _compared(before, self._pictures(), told="")
        shown = self._play(Direction.COMPARE, "").evidence.get("kahn", {})
        if not shown.get("baseline") or shown.get("baseline") != shown.get("now"):
            return Finding(verdict=Tried.DIFFERS, told="the runbook's own comparison")
        return _compared(before, self._pictures(), told="")

    # -- one run

    def _play(
        self, direction: Direction, step: str, *, fail: bool = False, kill_after_s: float | None = None
    ) -> Outcome:
        """Play it; ``kill_after_s`` kills Ansible so long after the step itself began, if it still runs then."""
        order = self._order(direction, step, fail=fail)
        with self.lab.controller():
            self.runs.start(order)
            if kill_after_s is not None:
                self._wait(lambda: self._working(order.run.id), step=step)
                time.sleep(kill_after_s)
                self.runs.kill(order.run.id)
            self._wait(lambda: not self.runs.read(order.run.id, offset=0).alive, step=step)
            self._wait(lambda: self.runs.close(order.run.id), step=step)
        read = self.runs.read(order.run.id, offset=0)
        self._work_s = _worked(read.lines) if fail else self._work_s
        found = outcomes(
            read.lines,
            hosts=(str(ASSET),),
            started=read.started,
            exited=read.exited,
            last_seq=read.last_seq,
            damaged=read.damaged,
        )
        return found[str(ASSET)]

    def _working(self, run: RunId) -> bool:
        """Whether the step itself has begun on the machine, or the run is over already."""
        read = self.runs.read(run, offset=0)
        begun = any(line.kind == "task_start" and line.fields.get("part") == "step" for line in read.lines)
        return begun or (read.started and not read.alive)

    def _wait(self, until: Callable[[], bool], *, step: str) -> None:
        limit = PATIENCE_S + max(one.deadline_s for one in self.runbook.steps)
        end = time.monotonic() + limit
        while not until():
            if time.monotonic() > end:
                raise TrialStuck(step=step or "baseline", seconds=round(limit))
            time.sleep(0.1)

    def _order(self, direction: Direction, step: str, *, fail: bool) -> RunOrder:
        play = play_for(
            self._content, StartRun(batch=BATCH, step=step, direction=direction, assets=(ASSET,), last=True)
        )
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
        return RunOrder(run=row, content=self._content, playbooks=playbooks, on=play.on, once=play.once)

    # -- the seat

    def _frozen(self) -> WaveContent:
        access = self.lab.access(TENANT)
        move = move_of(access, self.runbook, number=1, names=self._stage.names)
        now = self.clock.now()
        return WaveContent(
            tenant=TenantId(TENANT),
            key=WaveKey("W01"),
            runbook=self.runbook,
            ansible_core="",
            window=PlannedWindow(opens=now, closes=now + timedelta(days=1), zone="UTC", local=""),
            groups=(),
            batches=(PlannedBatch(name=BATCH, assets=(ASSET,)),),
            moves=(replace(move, procedure=self._stage.settings),),
            access=(seat_profile(access),),
            approvers_needed=1,
            contacts=(),
            shown="",
            thresholds=Thresholds(
                batch_budget=1.0,
                wave_budget=1.0,
                auto_rollback_max=1,
                max_tries=1,
                probe_tries=1,
                probe_gap_s=1,
                forks=1,
            ),
        )

    def _pictures(self) -> dict[str, Picture]:
        """Every file that counts of every host, and what files do not show, as seen from outside."""
        return self._stage.pictures(self.runbook, self._host)


def _untried(arrived: bool, why: str) -> Finding:
    return Finding(verdict=Tried.NOT_TRIED, told=why if arrived else "a step did not end well")


def _worked(lines: Sequence[SpoolLine]) -> float:
    """How many seconds the step's own tasks took."""
    times = [line.wall_us for line in lines if line.fields.get("part") == "step"]
    return (max(times) - min(times)) / 1e6 if times else 0.0


def _as_finding(found: Comparison) -> Finding:
    listed = tuple(f"{one.section}: {one.name}: {one.before} -> {one.now}" for one in found.differences if one.serious)
    return Finding(verdict=Tried.DIFFERS if found.serious else Tried.WELL, differences=listed[:SHOWN])


def _told(ended: Outcome) -> str:
    return f"{ended.kind} {ended.cause} {ended.msg[:200]}".strip()


def _as_outcome(ended: Outcome, *, wanted: str) -> Finding:
    if ended.kind == wanted:
        return Finding(verdict=Tried.WELL)
    return Finding(verdict=Tried.BROKEN, told=_told(ended))


def _compared(before: dict[str, Picture], now: dict[str, Picture], *, told: str) -> Finding:
    found = [f"{host}: {path}" for host in before for path in unlike(before[host], now[host])]
    verdict = Tried.DIFFERS if found else Tried.WELL
    return Finding(verdict=verdict, told=told, differences=tuple(found[:SHOWN]))

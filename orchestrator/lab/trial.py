"""A runbook tried on one seat of the lab: forward, failed and killed at each step, and back; pictures from outside."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from inventory.errors import ExpectedError
from inventory.model import TenantId
from orchestrator.core.command import StartRun
from orchestrator.core.order import play_for
from orchestrator.core.outcome import Outcome, outcomes
from orchestrator.core.plan import PlannedBatch, PlannedWindow, WaveKey
from orchestrator.core.runbook import Direction, RoleSource, Runbook, Step
from orchestrator.core.trial import Finding, StepTrial, Trial, Tried, left_untried, no_way_back
from orchestrator.core.wave import RunId, Thresholds, WaveContent
from orchestrator.lab.lab import Lab, seat_specs
from orchestrator.lab.seats import seat_asset, seat_move, seat_names, seat_profile
from orchestrator.lab.seed import seed_user_files
from orchestrator.ports import Clock
from orchestrator.run_ports import AttemptSpec, PlaybookRunner, RunOrder, RunRow

TENANT, ASSET, BATCH = "trial", seat_asset(1), "canary"
NAMES = seat_names(1)
LOOKED_AT = ("etc", "home", "root", "opt", "srv", "boot", "usr/local", "var")
LEFT_BEHIND = ("var/lib/kahn", "var/log", "var/tmp", "var/cache", "etc/.pwd.lock", "home/.kahn-kept")
"""What may differ afterwards: Kahn's own notes, logs, and a lock file of the system. Nothing else."""
UNDO_TRIES, PAUSE_S = 5, 5.0
PATIENCE_S = 120.0
SHOWN = 20

Picture = dict[str, tuple[object, ...]]


class TrialStuck(ExpectedError):
    """A run of a trial that neither ended nor could be ended."""

    code, says = "RBK-007", "The trial stopped at {step}: its run did not end within {seconds} s."
    remedy = "Look at the lab's hosts (`kahn lab list`), take the lab down (`kahn lab down`) and try again."
    exit_code = 70


@dataclass
class SeatTrial:
    """One seat of the lab and everything that is played on it. ``failing`` is a playbook that always fails."""

    lab: Lab
    runbook: Runbook
    runs: PlaybookRunner
    clock: Clock
    failing: str
    tell: Callable[[str], None]
    _epoch: int = 0
    _attempts: list[str] = field(default_factory=list)

    def run(self) -> Trial:
        """Raise the seat and try everything. Raises TrialStuck and what the lab raises."""
        self.lab.up(tenant=TENANT, specs=seat_specs(1))
        seed_user_files(self.lab.host(NAMES[RoleSource.ASSET], tenant=TENANT), seed=1, files=12, users=2)
        self._content = self._frozen()
        before = self._pictures()
        self._play(Direction.BASELINE, "")
        steps = tuple(self._step(step) for step in self.runbook.steps)
        return Trial(runbook=self.runbook.name, steps=steps, back=self._back(before))

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
        ended = self._play(Direction.DO, step.name, fail=not kill, kill=kill)
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

    def _play(self, direction: Direction, step: str, *, fail: bool = False, kill: bool = False) -> Outcome:
        order = self._order(direction, step, fail=fail)
        with self.lab.controller():
            self.runs.start(order)
            if kill:
                self._wait(lambda: self._working(order.run.id), step=step)
                self.runs.kill(order.run.id)
            self._wait(lambda: not self.runs.read(order.run.id, offset=0).alive, step=step)
            self._wait(lambda: self.runs.close(order.run.id), step=step)
        read = self.runs.read(order.run.id, offset=0)
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
        play = play_for(self._content, StartRun(batch=BATCH, step=step, direction=direction, assets=(ASSET,)))
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
        now = self.clock.now()
        return WaveContent(
            tenant=TenantId(TENANT),
            key=WaveKey("W01"),
            runbook=self.runbook,
            ansible_core="",
            window=PlannedWindow(opens=now, closes=now + timedelta(days=1), zone="UTC", local=""),
            groups=(),
            batches=(PlannedBatch(name=BATCH, assets=(ASSET,)),),
            moves=(seat_move(access, self.runbook, 1),),
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
        """Every file that counts of every host of the seat, as seen from outside."""
        names = {NAMES[role.machine] for role in self.runbook.roles} - {NAMES[RoleSource.JUMP]}
        return {name: picture(self.lab.host(name, tenant=TENANT).root) for name in sorted(names)}


def _as_outcome(ended: Outcome, *, wanted: str) -> Finding:
    if ended.kind == wanted:
        return Finding(verdict=Tried.WELL)
    return Finding(verdict=Tried.BROKEN, told=f"{ended.kind} {ended.cause} {ended.msg[:200]}".strip())


def _compared(before: dict[str, Picture], now: dict[str, Picture], *, told: str) -> Finding:
    found = [f"{host}: {path}" for host in before for path in unlike(before[host], now[host])]
    verdict = Tried.DIFFERS if found else Tried.WELL
    return Finding(verdict=verdict, told=told, differences=tuple(found[:SHOWN]))


def picture(root: Path) -> Picture:
    """Kind, mode, owner, size, content, link target of every file below the root that counts; times below /home."""
    found: Picture = {}
    base = os.fsencode(root)
    waiting = [os.path.join(base, os.fsencode(top)) for top in LOOKED_AT]
    while waiting:
        path = waiting.pop()
        name = os.path.relpath(path, base).decode("utf-8", "backslashreplace")
        if name.startswith(LEFT_BEHIND) or name == "srv/kahn-vault" or not os.path.lexists(path):
            waiting += _inside(path) if name == "srv/kahn-vault" else []
            continue
        entry = os.lstat(path)
        found[name] = _look(path, entry, times=name.startswith("home/"))
        if stat.S_ISDIR(entry.st_mode):
            waiting += _inside(path)
    return found


def _inside(path: bytes) -> list[bytes]:
    return [os.path.join(path, one) for one in os.listdir(path)] if os.path.isdir(path) else []


def _look(path: bytes, entry: os.stat_result, *, times: bool) -> tuple[object, ...]:
    content = os.readlink(path).hex() if stat.S_ISLNK(entry.st_mode) else ""
    if stat.S_ISREG(entry.st_mode):
        with open(path, "rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
    size = 0 if stat.S_ISDIR(entry.st_mode) else entry.st_size
    return (entry.st_mode, entry.st_uid, entry.st_gid, size, entry.st_mtime_ns if times else 0, content)


def unlike(one: Picture, other: Picture) -> list[str]:
    """Paths that differ between two pictures."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))

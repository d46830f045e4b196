"""Runs on simulated hosts, in virtual time: the same protocol as real ansible, without a process, a file or a network.

Everything happens in one order: events wait in a heap and are played up to the clock's present whenever anybody looks.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.adapters.run_directory import RunRefused
from orchestrator.adapters.simulated_hosts import LedgerEntry, LedgerKind, SimulatedHost
from orchestrator.adapters.simulated_run import (
    KIND_OF,
    PORTRAIT,
    Mishap,
    SimulatedLook,
    SimulatedRun,
    Trouble,
    look_answer,
    part_of,
    receipt_refusal,
    tasks_of,
)
from orchestrator.core.fleet import HostAnswer
from orchestrator.core.host_keys import Door
from orchestrator.core.runbook import Direction
from orchestrator.core.wave import RunId
from orchestrator.run_ports import RunOrder, SpoolLine, SpoolRead

STARTUP_US, BETWEEN_US, SECOND_US = 900_000, 50_000, 1_000_000
NEVER_US = 2**62
LOOK_US = 4 * SECOND_US


@dataclass(kw_only=True)
class SimulatedRuns:
    """A PlaybookRunner over simulated hosts. ``now_us`` is the world's monotonic time."""

    now_us: Callable[[], int]
    wall: Callable[[], datetime]
    seconds_for: Callable[[str, str, str], float] = lambda _run, _task, _host: 2.0
    """Duration of a task on a host."""
    trouble: Trouble = field(default_factory=Trouble)
    hosts: dict[str, SimulatedHost] = field(default_factory=dict)
    ledger: list[LedgerEntry] = field(default_factory=list)
    runs: dict[RunId, SimulatedRun] = field(default_factory=dict)
    known_epoch: int = 0
    at_us: int = 0
    _heap: list[tuple[int, int, str, RunId, Any]] = field(default_factory=list)
    _count: int = 0

    # ------------------------------------------------------------------ the port

    def start(self, order: RunOrder) -> None:
        """Build the directory and start the supervisor. Raises RunRefused."""
        self.advance()
        self.build(order)
        self.begin(order.run.id)

    def build(self, order: RunOrder) -> SimulatedRun:
        """The first half of a start: everything on the disk, no process yet. Raises RunRefused."""
        run = order.run
        if run.deadline <= self.wall():
            raise RunRefused(run=run.id, why="its deadline has passed")
        if run.epoch < self.known_epoch:
            raise RunRefused(run=run.id, why=f"a newer driver is at work: {run.epoch} is older than {self.known_epoch}")
        self.known_epoch = run.epoch
        if run.id in self.runs:
            raise RunRefused(run=run.id, why="its directory exists already; a run is never started twice")
        left_us = int((run.deadline - self.wall()).total_seconds() * SECOND_US)
        made = SimulatedRun(order=order, tasks=tasks_of(order), deadline_us=self.at_us + left_us)
        made.active = [str(attempt.asset) for attempt in run.attempts]
        self.runs[run.id] = made
        return made

    def begin(self, run: RunId) -> None:
        """The second half: the supervisor's START. Raises RunRefused."""
        made = self.runs[run]
        assert made.order is not None
        if made.closed or made.started or made.order.run.epoch < self.known_epoch:
            raise RunRefused(run=run, why="this run was closed, started before, or a newer driver is at work")
        made.started = made.supervisor = made.main = True
        self.later(STARTUP_US, "task", run, 0)
        self.later(made.deadline_us - self.at_us, "deadline", run)
        self.trouble.at_start(made)

    def read(self, run: RunId, *, offset: int) -> SpoolRead:
        """New lines since the offset, which counts lines here."""
        self.advance()
        made = self.runs.get(run, SimulatedRun())
        whole = made.lines[: made.bad_line - 1] if made.bad_line else made.lines
        damaged = f"line {made.bad_line} fails its checksum" if 0 < made.bad_line < len(made.lines) else ""
        if made.exited and not damaged and len(whole) != made.last_seq:
            damaged = f"the spool ends with line {len(whole)}, but {made.last_seq} were written"
        return SpoolRead(
            lines=tuple(whole[offset:]),
            offset=max(offset, len(whole)),
            started=made.started,
            exited=made.exited,
            exit_code=made.rc if made.exited else None,
            last_seq=made.last_seq if made.exited else None,
            alive=made.alive,
            damaged=damaged,
        )

    def close(self, run: RunId) -> bool:
        """Forbid a late start for ever, unless a process lives."""
        self.advance()
        made = self.runs.setdefault(run, SimulatedRun())
        made.closed = made.closed or not made.alive
        return made.closed

    def kill(self, run: RunId) -> None:
        """Kill every process of the run."""
        self.advance()
        if run in self.runs and self.runs[run].alive:
            self._end_all(run, rc=-15)

    def epoch(self) -> int:
        """The highest driver epoch that started a run here."""
        return self.known_epoch

    def runs_here(self) -> frozenset[RunId]:
        """Simulated runs leave no directory that another store could meet."""
        return frozenset()

    def look(self, doors: Sequence[Door]) -> SimulatedLook:
        """Begin a look at hosts; each tells how it is when the look ends."""
        ends_us, hosts = self.now_us() + LOOK_US, [str(one.asset) for one in doors]
        return SimulatedLook(is_over=lambda: self.now_us() >= ends_us, ask=lambda: self._look_answers(hosts))

    def _look_answers(self, hosts: Sequence[str]) -> tuple[HostAnswer, ...]:
        self.advance()
        return tuple(look_answer(self.trouble.at_look(self.host(one)), at=self.wall()) for one in hosts)

    # ------------------------------------------------------------------ time

    def later(self, delay_us: int, kind: str, run: RunId, detail: Any = None) -> None:
        """Let something happen later."""
        self._count += 1
        heapq.heappush(self._heap, (self.at_us + max(delay_us, 0), self._count, kind, run, detail))

    def next_us(self) -> int:
        """When the next thing happens."""
        return self._heap[0][0] if self._heap else NEVER_US

    def advance(self) -> None:
        """Play everything that is due."""
        now = self.now_us()
        while self._heap and self._heap[0][0] <= now:
            self.at_us, _count, kind, run, detail = heapq.heappop(self._heap)
            _EVENTS[kind](self, run, self.runs[run], detail)
        self.at_us = max(now, self.at_us)

    def host(self, name: str) -> SimulatedHost:
        """The host of that name, made when nobody spoke of it yet."""
        return self.hosts.setdefault(name, SimulatedHost(name=name))

    # ------------------------------------------------------------------ ansible

    def _task(self, run: RunId, made: SimulatedRun, number: int) -> None:
        """Ansible begins its next task on every host that is still with it."""
        if not made.main:
            return
        if made.at_task < 0:
            self._line(made, "run_start", "", run=run)
        if number >= len(made.tasks) or not made.active:
            self._line(made, "stats", "")
            made.main = False
            self.later(2 * BETWEEN_US, "supervisor", run, 0 if len(made.active) == len(made.attempts) else 2)
            return
        made.at_task = number
        for name in made.active:
            self._fork(run, made, made.tasks[number], name)

    def _fork(self, run: RunId, made: SimulatedRun, task: str, name: str) -> None:
        host = self.host(name)
        mishap = self.trouble.at_task(made, task, host)
        self._line(made, "task_start", name, part=part_of(task), task=task)
        took = int(self.seconds_for(run, task, name) * mishap.slow * SECOND_US)
        ends = NEVER_US - self.at_us - 1 if mishap.what == "hang" else took
        made.forks[name] = self.at_us + ends
        if task in ("act", "claim", "end"):
            middle = took * 6 // 10
            if task == "act" and host.quiet(self.at_us):
                host.at_work[made.attempts[name].id] = NEVER_US if mishap.what == "hang" else self.at_us + middle
                self._note(made, "begin", host, answer=made.direction)
            elif task == "act":
                mishap = Mishap(what="refuse", cause="still_working")
            if mishap.what != "hang":
                self.later(middle, "effect", run, (task, name, mishap))
        self.later(ends, "fork", run, (task, name, mishap, made.generation))

    def _effect(self, run: RunId, made: SimulatedRun, detail: tuple[str, str, Mishap]) -> None:
        """What a task does on its host; ansible may be dead by now."""
        task, name, mishap = detail
        host, attempt = self.host(name), made.attempts[name]
        if task != "act":
            if mishap.what not in ("unreachable", "refuse") and made.alive:
                self._receipt(made, task, host)
            return
        if attempt.id not in host.at_work or mishap.what in ("refuse", "fail", "unreachable", "fork_dies"):
            host.at_work.pop(attempt.id, None)
            return
        del host.at_work[attempt.id]
        self._act(made, host, half=mishap.what.endswith("half"))

    def _act(self, made: SimulatedRun, host: SimulatedHost, *, half: bool) -> None:
        assert made.order is not None
        row, attempt = made.order.run, made.attempts[host.name].id
        before = host.fingerprint()
        if made.changes_nothing:
            return
        if row.direction is Direction.DO:
            (host.apply_half if half else host.apply)(row.step, attempt)
        elif row.direction is Direction.UNDO and not half:
            host.take_back(row.step)
        elif row.direction is Direction.BASELINE:
            host.baseline = before
        kind: LedgerKind = "half" if half else "effect" if row.direction is Direction.DO else KIND_OF[row.direction]
        self._note(made, kind, host, before=before, answer=host.answer(row.step) if kind == "probe" else "")

    def _receipt(self, made: SimulatedRun, task: str, host: SimulatedHost) -> None:
        if receipt_refusal(made, task, host):
            return
        attempt = made.attempts[host.name]
        if task == "claim" and made.order is not None:
            host.epoch, host.begun, host.ended = made.order.run.epoch, attempt.id, ""
        else:
            host.ended = attempt.id
        self._note(made, "claim" if task == "claim" else "end", host)

    def _fork_ends(self, run: RunId, made: SimulatedRun, detail: tuple[str, str, Mishap, int]) -> None:
        """A fork has its result; it is written down while ansible's main process lives."""
        task, name, mishap, generation = detail
        if name not in made.forks or generation != made.generation:
            return
        del made.forks[name]
        if not made.main:
            return
        if mishap.what.startswith("fork_dies"):
            self._end_all(run, rc=250)
            return
        kind, fields = self._result(made, task, self.host(name), mishap)
        self._line(made, kind, name, part=part_of(task), task=task, **fields)
        if kind in ("failed", "unreachable"):
            made.active.remove(name)
        if not made.forks:
            self.later(BETWEEN_US, "task", run, made.at_task + 1)

    def _result(self, made: SimulatedRun, task: str, host: SimulatedHost, mishap: Mishap) -> tuple[str, dict[str, Any]]:
        assert made.order is not None
        if mishap.what.startswith("unreachable"):
            return "unreachable", {}
        if mishap.what.startswith("fail") or mishap.what == "refuse":
            return "failed", {"rc": 1, "kahn": {"cause": mishap.cause}}
        if task in ("claim", "end"):
            own = made.attempts[host.name].id
            rc = 0 if own in (host.begun if task == "claim" else host.ended,) else receipt_refusal(made, task, host)
            return ("failed", {"rc": rc}) if rc else ("ok", {})
        if task == "verify":
            there = made.order.run.step in host.whole
            return ("ok", {}) if there else ("failed", {"rc": 1, "kahn": {"cause": "verify_failed"}})
        return ("done" if task == "done" else "ok"), (
            {"kahn": self._report(made, host, mishap)} if task == "act" else {}
        )

    def _report(self, made: SimulatedRun, host: SimulatedHost, mishap: Mishap) -> dict[str, Any]:
        assert made.order is not None
        row, now = made.order.run, host.fingerprint()
        if row.direction is Direction.BASELINE:
            return {"baseline": now, "portrait": PORTRAIT}
        if row.direction is Direction.AFTER:
            return {"portrait": PORTRAIT}
        if row.direction is Direction.COMPARE:
            return {"baseline": host.baseline, "now": now, "equal": host.baseline == now}
        if row.direction is Direction.PROBE:
            return {"answer": "cannot_tell" if mishap.what == "blind" else host.answer(row.step)}
        return {}

    # ------------------------------------------------------------------ deaths

    def _supervisor_ends(self, run: RunId, made: SimulatedRun, rc: int | None) -> None:
        """Ansible's main process is gone: EXIT, unless the supervisor is gone too."""
        if not made.supervisor:
            return
        made.exited, made.rc, made.last_seq = True, rc, len(made.lines)
        made.supervisor = False

    def _deadline(self, run: RunId, made: SimulatedRun, _detail: object) -> None:
        if made.supervisor:
            self._end_all(run, rc=-15)

    def _end_all(self, run: RunId, *, rc: int | None) -> None:
        made = self.runs[run]
        made.generation += 1
        for name in list(made.forks):
            self._orphan(made, self.host(name))
        made.forks.clear()
        made.main = False
        self._supervisor_ends(run, made, rc)

    def _orphan(self, made: SimulatedRun, host: SimulatedHost) -> None:
        """A program on a host lost its ansible."""
        attempt = made.attempts[host.name].id
        if attempt not in host.at_work:
            return
        until_us = host.at_work[attempt]
        fate = "dies" if until_us == NEVER_US else self.trouble.when_killed(made, host, until_us)
        if fate == "half":
            self._act(made, host, half=True)
        if fate != "late":
            del host.at_work[attempt]

    def kill_main(self, run: RunId) -> bool:
        """SIGKILL ansible's main process; its forks go on. Whether there was one."""
        made = self.runs[run]
        there, made.main = made.main, False
        if there:
            self._supervisor_ends(run, made, -9)
        return there

    def kill_supervisor(self, run: RunId) -> bool:
        """SIGKILL the supervisor; ansible goes on, and nobody will write EXIT. Whether there was one."""
        made = self.runs[run]
        there, made.supervisor = made.supervisor, False
        return there

    def power_cut(self) -> int:
        """Everything on this machine dies, and what was not synced is gone; how many runs it met."""
        met = 0
        for run, made in self.runs.items():
            if not made.alive:
                continue
            met += 1
            made.supervisor = False
            self._end_all(run, rc=None)
            del made.lines[made.synced :]
        return met

    def stop_recording(self, run: RunId) -> bool:
        """The spool cannot be written: the callback ends ansible at once (exit 70). Whether it was at work."""
        if not self.runs[run].main:
            return False
        self._end_all(run, rc=70)
        return True

    # ------------------------------------------------------------------ notes

    def _line(self, made: SimulatedRun, kind: str, host: str, **fields: Any) -> None:
        if made.torn is not None:
            tear, made.torn = made.torn, None
            tear()
            return
        line = SpoolLine(seq=len(made.lines) + 1, wall_us=self.at_us, kind=kind, host=host, fields=fields)
        made.lines.append(line)
        if kind != "ok":
            made.synced = len(made.lines)

    def _note(
        self, made: SimulatedRun, kind: LedgerKind, host: SimulatedHost, *, before: str = "", answer: str = ""
    ) -> None:
        assert made.order is not None
        row, now = made.order.run, host.fingerprint()
        entry = LedgerEntry(
            at_us=self.at_us, host=host.name, kind=kind, step=row.step, attempt=made.attempts[host.name].id,
            run=row.id, epoch=row.epoch, before=before or now, after=now, answer=answer,
        )  # fmt: skip
        self.ledger.append(entry)
        self.trouble.on_entry(entry)


_EVENTS: dict[str, Callable[[SimulatedRuns, RunId, SimulatedRun, Any], None]] = {
    "task": SimulatedRuns._task,
    "effect": SimulatedRuns._effect,
    "fork": SimulatedRuns._fork_ends,
    "supervisor": SimulatedRuns._supervisor_ends,
    "deadline": SimulatedRuns._deadline,
    "call": lambda runs, run, made, act: act(),
}

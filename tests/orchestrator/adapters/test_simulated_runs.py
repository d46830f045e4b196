"""One contract for runs, kept by real ansible over real ssh and by simulated hosts in virtual time."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pytest

from orchestrator.adapters.run_directory import RunRefused
from orchestrator.adapters.simulated_runs import SimulatedRuns
from orchestrator.core.outcome import Outcome, outcomes
from orchestrator.run_ports import PlaybookRunner, RunOrder, SpoolRead
from orchestrator.supervisor import files
from tests.orchestrator.adapters.test_runs import (
    built,
    pid_of_ansible,
    pid_of_supervisor,
    supervisor,
)
from tests.run_orders import SLOW, Field, wait_until
from tests.sshd import Server, server

__all__ = ["server"]
STEP = SLOW


class Rig(Protocol):
    """A runner, and what a test does to its processes and hosts."""

    field: Field

    @property
    def runs(self) -> PlaybookRunner: ...
    def build(self, order: RunOrder) -> None: ...
    def start_late(self, order: RunOrder) -> bool: ...
    def until_working(self, order: RunOrder) -> None: ...
    def until_over(self, order: RunOrder) -> SpoolRead: ...
    def kill_supervisor(self, order: RunOrder) -> None: ...
    def kill_ansible(self, order: RunOrder) -> None: ...
    def effects(self, order: RunOrder) -> int: ...


@dataclass
class RealRig:
    """Real ansible on a throw-away ssh server."""

    field: Field

    @property
    def runs(self) -> PlaybookRunner:
        return self.field.runs

    def build(self, order: RunOrder) -> None:
        built(self.field, order)

    def start_late(self, order: RunOrder) -> bool:
        return supervisor(self.field, order) == 0

    def until_working(self, order: RunOrder) -> None:
        wait_until(lambda: self._marks(order))

    def until_over(self, order: RunOrder) -> SpoolRead:
        return self.field.over(order)

    def kill_supervisor(self, order: RunOrder) -> None:
        os.kill(pid_of_supervisor(self.field, order), signal.SIGKILL)

    def kill_ansible(self, order: RunOrder) -> None:
        os.kill(pid_of_ansible(self.field, order), signal.SIGKILL)
        records = self.field.directory(order) / files.RECORDS
        wait_until(lambda: len(records.read_bytes().splitlines()) == 2)

    def effects(self, order: RunOrder) -> int:
        return self._marks(order).count("ended")

    def _marks(self, order: RunOrder) -> list[str]:
        assert self.field.server is not None
        return self.field.server.text_of(f"/run/{order.run.id}").split()


class SimulatedRig:
    """Simulated hosts; waiting costs nothing."""

    def __init__(self, field: Field) -> None:
        self.field, self.now_us = field, 0
        self.simulated = SimulatedRuns(now_us=lambda: self.now_us, wall=field.clock.now)

    @property
    def runs(self) -> PlaybookRunner:
        return self.simulated

    def build(self, order: RunOrder) -> None:
        self.simulated.build(order)

    def start_late(self, order: RunOrder) -> bool:
        try:
            self.simulated.begin(order.run.id)
        except RunRefused:
            return False
        return True

    def until_working(self, order: RunOrder) -> None:
        while not any(one.kind == "begin" and one.run == order.run.id for one in self.simulated.ledger):
            self._wait(100_000)

    def until_over(self, order: RunOrder) -> SpoolRead:
        while self.simulated.read(order.run.id, offset=0).alive:
            self._wait(1_000_000)
        return self.simulated.read(order.run.id, offset=0)

    def kill_supervisor(self, order: RunOrder) -> None:
        self.simulated.kill_supervisor(order.run.id)

    def kill_ansible(self, order: RunOrder) -> None:
        self.simulated.kill_main(order.run.id)

    def effects(self, order: RunOrder) -> int:
        return sum(one.kind == "effect" and one.run == order.run.id for one in self.simulated.ledger)

    def _wait(self, us: int) -> None:
        self.now_us += us
        self.simulated.advance()


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.ansible)])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    if request.param == "simulated":
        yield SimulatedRig(Field(state=tmp_path / "state"))
        return
    found: Server = request.getfixturevalue("server")
    field = Field(state=tmp_path / "state", server=found)
    yield RealRig(field)
    assert field.leave() == ()


def judged(rig: Rig, order: RunOrder) -> dict[str, Outcome]:
    """Outcomes once the run is over and closed."""
    rig.until_over(order)
    assert rig.runs.close(order.run.id)
    read = rig.runs.read(order.run.id, offset=0)
    hosts = [str(attempt.asset) for attempt in order.run.attempts]
    return outcomes(
        read.lines, hosts=hosts, started=read.started, exited=read.exited, last_seq=read.last_seq, damaged=read.damaged
    )


def test_a_run_ends_with_its_proof_for_every_host(rig: Rig) -> None:
    order = rig.field.order(STEP, assets=("pc-1", "pc-2"), once=True)
    rig.runs.start(order)
    assert {host: one.kind for host, one in judged(rig, order).items()} == {"pc-1": "done", "pc-2": "done"}
    read = rig.runs.read(order.run.id, offset=0)
    assert (read.started, read.exited, read.exit_code, read.alive, read.damaged) == (True, True, 0, False, "")
    assert read.last_seq == len(read.lines)
    starts = [line.seq for line in read.lines if line.kind == "task_start" and line.fields["part"] == "step"]
    ends = [line.seq for line in read.lines if line.kind == "ok" and line.fields["part"] == "step"]
    assert len(starts) == len(ends) == 2 and max(starts) < min(ends)


def test_a_run_never_starts_twice_nor_once_it_is_closed(rig: Rig) -> None:
    played, closed, unbuilt = (rig.field.order(STEP) for _ in range(3))
    rig.runs.start(played)
    rig.until_over(played)
    rig.build(closed)
    assert rig.runs.close(closed.run.id) and rig.runs.close(unbuilt.run.id)
    assert not rig.start_late(closed)
    for order in (played, unbuilt):
        with pytest.raises(RunRefused):
            rig.runs.start(order)
    assert [rig.effects(order) for order in (played, closed, unbuilt)] == [1, 0, 0]
    assert not rig.runs.read(unbuilt.run.id, offset=0).started


def test_an_older_driver_starts_nothing_and_its_late_supervisor_refuses(rig: Rig) -> None:
    late, newer, older = (rig.field.order(STEP, epoch=epoch) for epoch in (4, 5, 4))
    rig.build(late)
    rig.runs.start(newer)
    with pytest.raises(RunRefused, match="newer driver"):
        rig.runs.start(older)
    assert not rig.start_late(late)
    assert (rig.runs.epoch(), rig.effects(late)) == (5, 0)
    rig.until_over(newer)


def test_without_its_supervisor_a_run_goes_on_and_cannot_be_closed_before_its_end(rig: Rig) -> None:
    order = rig.field.order(STEP, once=True)
    rig.runs.start(order)
    rig.until_working(order)
    rig.kill_supervisor(order)
    assert rig.runs.read(order.run.id, offset=0).alive
    assert not rig.runs.close(order.run.id)
    assert judged(rig, order)["pc-1"].kind == "done"
    assert (rig.runs.read(order.run.id, offset=0).exited, rig.effects(order)) == (False, 1)


def test_without_ansible_the_effect_may_still_come_and_the_host_is_unknown(rig: Rig) -> None:
    order = rig.field.order(STEP)
    rig.runs.start(order)
    rig.until_working(order)
    rig.kill_ansible(order)
    read = rig.runs.read(order.run.id, offset=0)
    assert (read.alive, read.exited, read.exit_code) == (True, True, -9)
    found = judged(rig, order)["pc-1"]
    assert (found.kind, found.cause, rig.effects(order)) == ("unknown", "result_lost", 1)


def test_a_killed_run_is_over_and_its_host_unknown(rig: Rig) -> None:
    order = rig.field.order(STEP)
    rig.runs.start(order)
    rig.until_working(order)
    rig.runs.kill(order.run.id)
    assert not rig.runs.read(order.run.id, offset=0).alive
    assert judged(rig, order)["pc-1"].kind == "unknown"


def test_reading_on_from_an_offset_gives_each_line_once(rig: Rig) -> None:
    order = rig.field.order(STEP)
    rig.runs.start(order)
    rig.until_working(order)
    first = rig.runs.read(order.run.id, offset=0)
    rig.until_over(order)
    rest = rig.runs.read(order.run.id, offset=first.offset)
    numbers = [line.seq for line in (*first.lines, *rest.lines)]
    assert numbers == list(range(1, (rest.last_seq or 0) + 1))


def test_a_run_whose_deadline_has_passed_is_refused(rig: Rig) -> None:
    order = rig.field.order(STEP)
    late = replace(order, run=replace(order.run, deadline=order.run.intended_at))
    with pytest.raises(RunRefused, match="deadline"):
        rig.runs.start(late)

"""Builders of run orders for tests: a state directory with one approved tree, and moves on a throw-away ssh server."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from inventory.model import AssetId, TenantId
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.runs import AnsibleRuns, RunStuck
from orchestrator.core.access import AccessProfile
from orchestrator.core.outcome import Outcome, outcomes
from orchestrator.core.plan import PlannedBatch, PlannedWindow, WaveKey
from orchestrator.core.runbook import Baseline, Direction, Effect, Role, RoleSource, Runbook, Step
from orchestrator.core.wave import RunId, Thresholds, WaveContent, WaveMachine, WaveMove
from orchestrator.run_ports import AttemptSpec, RunOrder, RunRow, SpoolLine, SpoolRead
from tests.sshd import Server
from tests.waiting import PATIENCE_S, until

TREE = "ab" * 32
NOBODYS_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBf5P5mV6eDq2yIYqkEo3KpVJpsVmjYbLhIYtDq7yM5q"
SLOW = """
- name: work for a while
  ansible.builtin.shell: |
    echo begun >> /run/{{ kahn_run }}
    tries=0
    until [ -e /run/{{ kahn_run }}.enough ] || [ "$tries" -gt 3000 ]; do tries=$((tries + 1)); sleep 0.1; done
    echo ended >> /run/{{ kahn_run }}
"""
"""Works until the test says that it is enough (or five minutes), so that the test may look as slowly as it likes."""
PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"


def a_runbook(name: str = "try-out") -> Runbook:
    """A runbook of one step."""
    return Runbook(
        name=name,
        title="Try-out",
        ansible="modern",
        roles=(Role(name="source", machine=RoleSource.ASSET), Role(name="vault", machine=RoleSource.VAULT)),
        baseline=Baseline(on="source", take="take.yml", compare="compare.yml"),
        steps=(Step(name="act", title="Act", on="source", effect=Effect.ONCE, playbook="act.yml"),),
        tree=TREE,
    )


def a_move(asset: str, *, address: str, host_key: str, name: str = "", vault: WaveMachine | None = None) -> WaveMove:
    """A move with a source, and a vault when given."""
    source = WaveMachine(role="source", name=name or asset, address=address, host_key=host_key, access="admin")
    return WaveMove(
        asset=AssetId(asset),
        name=name or asset,
        department="Bauamt",
        site="Rathaus",
        users=1,
        machines=(source, vault) if vault else (source,),
    )


def a_content(moves: tuple[WaveMove, ...], *, profile: AccessProfile, forks: int = 5) -> WaveContent:
    """A wave of these moves in one batch."""
    opens = datetime(2026, 11, 30, 21, tzinfo=UTC)
    return WaveContent(
        tenant=TenantId("stadt"),
        key=WaveKey("W01"),
        runbook=a_runbook(),
        ansible_core="2.19.14",
        window=PlannedWindow(opens=opens, closes=opens + timedelta(hours=6), zone="Europe/Berlin", local="Mon 22:00"),
        groups=(),
        batches=(PlannedBatch(name="canary", assets=tuple(move.asset for move in moves)),),
        moves=moves,
        access=(profile,),
        thresholds=Thresholds(
            batch_budget=0.2,
            wave_budget=0.1,
            auto_rollback_max=3,
            max_tries=2,
            probe_tries=2,
            probe_gap_s=1,
            forks=forks,
        ),
        approvers_needed=1,
        contacts=(),
        shown="",
    )


@dataclass(kw_only=True)
class Field:
    """A state directory in which orders can be made and run."""

    state: Path
    server: Server | None = None
    clock: SystemClock = field(default_factory=SystemClock)
    sockets: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="kf-", dir="/tmp")))
    """Short, because a socket's path is; the test that made the field removes it with ``leave``."""

    def leave(self) -> tuple[str, ...]:
        """Close every run and remove the socket directory; what was left behind before that."""
        runs = [RunId(path.name) for path in (self.state / "runs").glob("*") if path.is_dir() and not path.is_symlink()]
        left = [line for run in runs for line in pids_of(run).values()]
        for run in runs:
            self.runs.kill(run)
            with suppress(RunStuck):
                self.runs.close(run)
        left += [str(path) for path in self.sockets.iterdir()]
        shutil.rmtree(self.sockets)
        return tuple(left)

    @property
    def runs(self) -> AnsibleRuns:
        """A fresh adapter, as another process of Kahn would have."""
        trees = self.state / "trees"
        return AnsibleRuns(
            state=self.state, trees=trees, ansible_playbook=PLAYBOOK, clock=self.clock, sockets=self.sockets
        )

    def order(
        self,
        tasks: str,
        *,
        assets: tuple[str, ...] = ("pc-1",),
        once: bool = False,
        epoch: int = 1,
        seconds: float = 600,
    ) -> RunOrder:
        """An order to play these tasks on the server, each asset being the same machine."""
        self.playbook("act.yml", tasks)
        port, key, login = (22, NOBODYS_KEY, Path("/nonexistent/key"))
        if self.server is not None:
            port, key, login = self.server.port, self.server.host_key, self.server.key_file
        profile = AccessProfile(name="admin", user="root", key_file=str(login), port=port)
        vault = WaveMachine(role="vault", name="Tresor", address="127.0.0.1", host_key=key, access="admin")
        moves = tuple(a_move(asset, address="127.0.0.1", host_key=key, vault=vault) for asset in assets)
        attempts = tuple(AttemptSpec(id=self.clock.new_id(), asset=move.asset, machines=()) for move in moves)
        now = self.clock.now()
        row = RunRow(
            id=RunId(self.clock.new_id()),
            tenant=TenantId("stadt"),
            wave="W01",
            revision=1,
            batch="canary",
            step="act",
            direction=Direction.DO,
            epoch=epoch,
            attempts=attempts,
            intended_at=now,
            deadline=now + timedelta(seconds=seconds),
        )
        content = a_content(moves, profile=profile)
        return RunOrder(run=row, content=content, playbooks=("act.yml",), on="source", once=once)

    def playbook(self, name: str, tasks: str) -> None:
        """Put a playbook with these tasks into the approved tree."""
        folder = self.state / "trees" / TREE / "try-out"
        folder.mkdir(parents=True, exist_ok=True)
        text = f"- hosts: kahn_moves\n  gather_facts: false\n  tasks:\n{indented(tasks)}"
        (folder / name).write_text(text)

    def directory(self, order: RunOrder) -> Path:
        """The run's directory."""
        return self.state / "runs" / order.run.id

    def finished(self, order: RunOrder, *, within: float = 300) -> SpoolRead:
        """The run's whole spool once none of its processes lives."""
        wait_until(lambda: not self.runs.read(order.run.id, offset=0).alive, within=within)
        return self.runs.read(order.run.id, offset=0)

    def enough(self, order: RunOrder) -> None:
        """The slow task of the order may end."""
        assert self.server is not None
        self.server.inside("touch", f"/run/{order.run.id}.enough")

    def over(self, order: RunOrder) -> SpoolRead:
        """The whole spool of a run with a slow task, which may end now."""
        self.enough(order)
        return self.finished(order)

    def played(self, order: RunOrder) -> dict[str, Outcome]:
        """Start the order, wait for its end, close it, and judge it."""
        self.runs.start(order)
        self.finished(order)
        return self.judged(order)

    def judged(self, order: RunOrder) -> dict[str, Outcome]:
        """Outcomes of a run that ended."""
        assert self.runs.close(order.run.id)
        read = self.runs.read(order.run.id, offset=0)
        return outcomes(
            read.lines,
            hosts=[str(attempt.asset) for attempt in order.run.attempts],
            started=read.started,
            exited=read.exited,
            last_seq=read.last_seq,
            damaged=read.damaged,
        )


def indented(tasks: str) -> str:
    """The tasks as a list below `tasks:`."""
    lines = [line for line in tasks.strip("\n").splitlines() if line.strip()]
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "".join(f"    {line[margin:]}\n" for line in lines)


def wait_until(holds: Callable[[], object], *, within: float = PATIENCE_S) -> None:
    """Wait for a condition. Raises AssertionError when it does not come true in time."""
    until(holds, within_s=within, every_s=0.05)


def pids_of(run: str) -> dict[int, str]:
    """Processes that have the run in their environment, with their command lines; asks the kernel itself."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"KAHN_RUN={run}".encode() in (place / "environ").read_bytes():
                found[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
    return {pid: line for pid, line in found.items() if pid != os.getpid()}


def line(seq: int, kind: str, host: str = "pc-1", **fields: object) -> SpoolLine:
    """A spool line; part and task as of an ordinary step unless given."""
    content: Mapping[str, object] = {"part": "step", "task": "act", "task_no": 1, **fields}
    return SpoolLine(seq=seq, wall_us=seq, kind=kind, host=host, fields=content)


__all__ = ["Field", "a_content", "a_move", "a_runbook", "indented", "line", "pids_of", "replace", "wait_until"]

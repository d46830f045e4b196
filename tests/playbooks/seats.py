"""Seats in a lab on which single steps are played by the real run mechanism, without the engine's rules."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from inventory.model import AssetId, TenantId
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.runbook_trees import freeze_tree
from orchestrator.adapters.runbooks import SHIPPED, load_runbook
from orchestrator.adapters.runs import AnsibleRuns
from orchestrator.core.access import AccessProfile, JumpHost
from orchestrator.core.outcome import Outcome, outcomes
from orchestrator.core.plan import PlannedBatch, PlannedWindow, WaveKey
from orchestrator.core.reach import Reach
from orchestrator.core.runbook import Direction, Effect, RoleSource
from orchestrator.core.wave import RunId, Thresholds, WaveContent, WaveMachine, WaveMove
from orchestrator.lab.host import Host, HostSpec, Init
from orchestrator.lab.lab import Lab, seat_specs
from orchestrator.run_ports import AttemptSpec, RunOrder, RunRow
from tests.run_orders import PLAYBOOK
from tests.waiting import until

LOOKED_AT = ("etc", "home", "root", "opt", "srv", "boot", "usr/local", "var")
# All that a machine may differ in after everything was taken back; nothing else.
LEFT_BEHIND = ("var/lib/kahn", "var/log", "var/tmp", "var/cache", "etc/.pwd.lock")


class Seats:
    """Numbered pairs of old workstation and successor with one vault, and a wave's content about them."""

    INIT: Init = "sshd"
    DISK_MIB = 256
    HAS_DOMAIN = False

    def __init__(self, lab: Lab, *, tenant: str, count: int, state: Path, runbook: str = "replace-workstation") -> None:
        self.lab, self.tenant, self.count, self.state = lab, tenant, count, state
        lab.up(tenant=tenant, specs=self.specs(count))
        self.runbook = load_runbook(SHIPPED / runbook).for_tenant(has_domain=self.HAS_DOMAIN)
        freeze_tree(SHIPPED / runbook, state / "trees", shared=SHIPPED)
        self.clock = SystemClock()
        self.runs = AnsibleRuns(state=state, trees=state / "trees", ansible_playbook=PLAYBOOK, clock=self.clock)
        self.epoch = 0
        self.reach: tuple[Reach, ...] = ()

    def specs(self, count: int) -> tuple[HostSpec, ...]:
        """The hosts of so many seats."""
        return seat_specs(count, init=self.INIT, disk_mib=self.DISK_MIB)

    def old(self, seat: int) -> Host:
        return self.lab.host(f"apc-{seat:04d}", tenant=self.tenant)

    def new(self, seat: int) -> Host:
        return self.lab.host(f"neu-{seat:04d}", tenant=self.tenant)

    @property
    def vault(self) -> Host:
        return self.lab.host("vault", tenant=self.tenant)

    def shelf(self, seat: int) -> Path:
        return self.vault.root / "srv/kahn-vault" / asset(seat)

    def play(self, step: str, *seats: int, direction: Direction = Direction.DO, times: int = 1) -> dict[int, Outcome]:
        """Play one step for these seats in one run, its playbooks so many times; how it ended for each."""
        order = self._order(step, seats, direction)
        order = replace(order, playbooks=order.playbooks * times)
        with self.lab.controller():
            self.runs.start(order)
            self._wait_for(order.run.id)
            assert self.runs.close(order.run.id)
        read = self.runs.read(order.run.id, offset=0)
        hosts = [str(one.asset) for one in order.run.attempts]
        found = outcomes(
            read.lines,
            hosts=hosts,
            started=read.started,
            exited=read.exited,
            last_seq=read.last_seq,
            damaged=read.damaged,
        )
        return {int(host[-4:]): outcome for host, outcome in found.items()}

    def _wait_for(self, run: RunId) -> None:
        """Until the run has ended, looked at as the driver looks: only what is new, a few times a second."""
        offset = 0

        def ended() -> bool:
            nonlocal offset
            read = self.runs.read(run, offset=offset)
            offset = read.offset
            return not read.alive

        until(ended, within_s=300, every_s=0.25)

    def undo(self, step: str, *seats: int) -> dict[int, Outcome]:
        return self.play(step, *seats, direction=Direction.UNDO)

    def must(self, step: str, *seats: int, direction: Direction = Direction.DO, times: int = 1) -> dict[int, Outcome]:
        """Play a step that must succeed everywhere."""
        found = self.play(step, *seats, direction=direction, times=times)
        assert all(one.kind == "done" for one in found.values()), found
        return found

    def _order(self, step: str, seats: tuple[int, ...], direction: Direction) -> RunOrder:
        content, now, runbook = self._content(seats), self.clock.now(), self.runbook
        self.epoch += 1
        if direction in (Direction.BASELINE, Direction.COMPARE):
            on = runbook.baseline.on
            playbooks: tuple[str, ...] = (
                runbook.baseline.take if direction is Direction.BASELINE else runbook.baseline.compare,
            )
        else:
            one = runbook.step(step)
            on = one.on
            choice = {
                Direction.DO: (one.playbook, one.verify),
                Direction.UNDO: (one.undo,),
                Direction.PROBE: (one.probe,),
            }
            playbooks = tuple(path for path in choice[direction] if path)
        once = direction is Direction.DO and bool(step) and runbook.step(step).effect is Effect.ONCE
        attempts = tuple(self._attempt(move.asset) for move in content.moves)
        row = RunRow(
            id=RunId(self.clock.new_id()),
            tenant=TenantId(self.tenant),
            wave="W01",
            revision=1,
            batch="canary",
            step=step,
            direction=direction,
            epoch=self.epoch,
            attempts=attempts,
            intended_at=now,
            deadline=now + timedelta(seconds=300),
        )
        return RunOrder(run=row, content=content, playbooks=playbooks, on=on, once=once)

    def _attempt(self, of: AssetId) -> AttemptSpec:
        return AttemptSpec(id=self.clock.new_id(), asset=of, machines=())

    def _content(self, seats: tuple[int, ...]) -> WaveContent:
        access = self.lab.access(self.tenant)
        jump = JumpHost(
            address=access.jump_address, host_key=access.jump_host_key, port=access.jump_port, user=access.jump_user
        )
        profile = AccessProfile(
            name="lab", user=access.user, key_file=str(access.key_path), port=access.port, jump=jump
        )
        moves = tuple(self._move(seat) for seat in seats)
        opens = datetime(2026, 11, 30, 21, tzinfo=UTC)
        return WaveContent(
            tenant=TenantId(self.tenant),
            key=WaveKey("W01"),
            runbook=self.runbook,
            ansible_core="2.19.14",
            window=PlannedWindow(opens=opens, closes=opens + timedelta(hours=6), zone="UTC", local="22:00"),
            groups=(),
            batches=(PlannedBatch(name="canary", assets=tuple(move.asset for move in moves)),),
            moves=moves,
            access=(profile,),
            approvers_needed=1,
            contacts=(),
            shown="",
            thresholds=Thresholds(
                batch_budget=0.2,
                wave_budget=0.1,
                auto_rollback_max=3,
                max_tries=2,
                probe_tries=2,
                probe_gap_s=1,
                forks=10,
            ),
        )

    def _move(self, seat: int) -> WaveMove:
        names = {
            RoleSource.ASSET: f"apc-{seat:04d}",
            RoleSource.SUCCESSOR: f"neu-{seat:04d}",
            RoleSource.VAULT: "vault",
        }
        names[RoleSource.JUMP] = "jump"
        machines = tuple(self._machine(role.name, names[role.machine]) for role in self.runbook.roles)
        return WaveMove(
            asset=AssetId(asset(seat)),
            name=names[RoleSource.ASSET],
            department="Bauamt",
            site="Rathaus",
            users=1,
            machines=machines,
            reach=self.reach,
        )

    def _machine(self, role: str, name: str) -> WaveMachine:
        found = self.lab.access(self.tenant).host(name)
        return WaveMachine(
            role=role, name=name, address=found.address, host_key=found.host_key, access="lab", mac=(found.mac,)
        )


def asset(seat: int) -> str:
    """The asset id of a seat."""
    return f"seat-{seat:04d}"


Picture = dict[str, tuple[object, ...]]


def picture(host: Host, *, all_times: bool = False) -> Picture:
    """Every file of the host as seen from outside: kind, mode, owner, size, content, link, attributes. Own code.

    Times count below /home, with ``all_times`` everywhere (but never those of directories outside /home).
    """
    found: Picture = {}
    root = os.fsencode(host.root)
    for top in LOOKED_AT:
        waiting = [os.path.join(root, os.fsencode(top))]
        while waiting:
            path = waiting.pop()
            name = os.path.relpath(path, root).decode("utf-8", "backslashreplace")
            if name.startswith(LEFT_BEHIND):
                continue
            found[name] = _look(path, name.startswith("home/"), all_times)
            if stat.S_ISDIR(os.lstat(path).st_mode):
                waiting.extend(os.path.join(path, one) for one in os.listdir(path))
    return found


def _look(path: bytes, is_users: bool, all_times: bool) -> tuple[object, ...]:
    entry = os.lstat(path)
    content = os.readlink(path).hex() if stat.S_ISLNK(entry.st_mode) else ""
    if stat.S_ISREG(entry.st_mode):
        with open(path, "rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
    size = 0 if stat.S_ISDIR(entry.st_mode) else entry.st_size
    stamp = entry.st_mtime_ns if is_users or (all_times and not stat.S_ISDIR(entry.st_mode)) else 0
    names = [name for name in os.listxattr(path, follow_symlinks=False) if not name.startswith("trusted.overlay")]
    attributes = tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in sorted(names))
    return (entry.st_mode, entry.st_uid, entry.st_gid, size, stamp, content, attributes)


def unlike(one: Picture, other: Picture) -> list[str]:
    """Paths that differ between two pictures."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def below(shot: Picture, top: str) -> Picture:
    """The part of a picture below one directory."""
    return {name: one for name, one in shot.items() if name.startswith(top + "/")}

"""Where a wave can be rehearsed: seats of a lab of its own, or simulated machines; and keys that open nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.core.rehearsal import at_once, on_lab_hosts
from orchestrator.core.wave import WaveContent
from orchestrator.lab import kernel, stand_in
from orchestrator.lab.demo import clear_sockets
from orchestrator.lab.lab import Lab, seat_specs
from orchestrator.lab.notice import Tell
from orchestrator.lab.seats import seat_move, seat_profile
from orchestrator.lab.seed import seed_user_files

TENANT = "rehearsal"
FILES = 24
"""Made-up user files of each old workstation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A place to rehearse: the wave with its machines, how to reach them, and what plays Ansible's part (None: it)."""

    content: WaveContent
    inside: Callable[[], AbstractContextManager[None]]
    program: Path | None = None


@contextmanager
def lab_ground(place: Path, content: WaveContent, *, seats: int, now: datetime, tell: Tell) -> Iterator[Ground]:
    """Real hosts for so many seats; all of them are gone afterwards. Raises what the lab raises."""
    lab = Lab(place / "lab", tell=tell)
    try:
        lab.up(tenant=TENANT, specs=seat_specs(seats))
        access = lab.access(TENANT)
        moves = []
        for number in range(1, seats + 1):
            move = seat_move(access, content.runbook, number)
            seed_user_files(lab.host(move.name, tenant=TENANT), seed=number, files=FILES, users=2)
            moves.append(move)
        there = on_lab_hosts(content, moves, access=seat_profile(access), now=now)
        yield Ground(content=there, inside=lab.controller)
    finally:
        lab.down()
        clear_sockets(place / "home")


@contextmanager
def simulated_ground(place: Path, content: WaveContent, *, now: datetime) -> Iterator[Ground]:
    """The wave's own assets, none of which is touched: a stand-in plays Ansible's part."""
    yield Ground(content=at_once(content, now=now), inside=nullcontext, program=stand_in.install(place))


def throw_away_key(place: Path, name: str) -> Path:
    """A fresh key pair that signs for nobody but a rehearsal's own people; the private file."""
    key = place / f"{name}_key"
    kernel.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key)
    return key

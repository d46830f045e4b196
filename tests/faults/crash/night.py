"""One small night with real processes, real files and a real database, killed at one boundary and started again."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.actions.approve_plan import approve_wave
from orchestrator.actions.control_wave import SignedAlready, change_course
from orchestrator.actions.desk import Outside
from orchestrator.actions.drive_wave import Driver, rests
from orchestrator.actions.record import wave_at
from orchestrator.actions.sign import Intent
from orchestrator.actions.start_wave import claim_wave
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.runbook_trees import freeze_runbook, tree_is_there
from orchestrator.adapters.runbooks import SHIPPED, load_runbook
from orchestrator.adapters.runs import AnsibleRuns
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.access import JumpHost
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.policy import Policy
from orchestrator.core.runbook import Runbook
from orchestrator.core.wave import ActKind
from orchestrator.lab import stand_in
from orchestrator.supervisor import boundary
from tests.databases import postgresql_copy, postgresql_named
from tests.run_orders import NOBODYS_KEY
from tests.simulated_runs import SimulatedRuns
from tests.towns import STADT, TestClock, Town

RUNBOOK = Path(__file__).resolve().parents[2] / "runbooks" / "append-once"
NOWHERE = JumpHost(address="127.0.0.1", port=1, host_key=NOBODYS_KEY)
"""A jump host that nobody reaches: the stand-in for Ansible does not go that way."""
TICK_S, LONGEST_S = 0.02, 400.0
ASSET = "apc-001-id"


@dataclass(frozen=True, kw_only=True)
class Original:
    """A town with a proposed wave of one asset, copied for each death. ``name``: of its PostgreSQL database, or ''."""

    town: Town
    name: str

    @property
    def folder(self) -> Path:
        return self.town.folder


def an_original(folder: Path, *, postgresql: bool) -> Original:
    """People with keys, a plan, a signed proposal."""
    folder.mkdir(parents=True)
    name = postgresql_named(f"kahn_night_{os.getpid()}") if postgresql else ""
    url = name or f"sqlite:///{folder}/kahn.sqlite"
    store = DatabaseStore.create_or_upgrade(url)
    town = Town(
        store=store, runs=SimulatedRuns(), folder=folder, seats=1, policy=Policy(canary_size=0, probe_gap_s=1),
        runbook=load_runbook(RUNBOOK), clock=TestClock(moment=datetime.now(UTC)), jump=NOWHERE,
    )  # fmt: skip
    town.propose()
    store.close()
    return Original(town=town, name=name)


@dataclass(kw_only=True)
class Night:
    """One copy of the original, with a place for its hosts."""

    place: Path
    url: str
    town: Town
    fails: bool = False
    sockets: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="kc-", dir="/tmp")))

    @property
    def log(self) -> Path:
        """Every passage of a boundary, in order."""
        return self.place / "boundaries"

    def leave(self) -> None:
        """Nothing of it stays outside its place."""
        shutil.rmtree(self.sockets, ignore_errors=True)

    def passages(self) -> Counter[str]:
        """How often each boundary was passed: ``side name`` -> times."""
        return Counter(self.log.read_text().split("\n")) if self.log.exists() else Counter()

    def killed(self) -> bool:
        """Whether the death that was ordered happened."""
        return f"{boundary.KILLED}" in self.log.read_text().split("\n")

    def live(self, order: str = "") -> int:
        """One process drives the night to its rest, or dies on the way; its wait status."""
        child = os.fork()
        if child == 0:
            code = 99
            try:
                boundary._ORDER = f"{self.log}{order}"
                signal.alarm(int(LONGEST_S))
                self._drive()
                code = 0
            finally:
                os._exit(code)
        return os.waitpid(child, 0)[1]

    def _drive(self) -> None:
        store = DatabaseStore.open(self.url)
        clock = SystemClock()
        runs = AnsibleRuns(
            state=self.place, trees=self.place / "trees", ansible_playbook=self.place / "ansible-playbook", clock=clock,
            sockets=self.sockets,
        )  # fmt: skip
        outside = self.town.outside(
            store=store, runs=runs, clock=clock, tree_there=lambda book: tree_is_there(book, self.place / "trees")
        )
        began = time.monotonic()
        with store.seat() as mine:
            assert mine, "the dead driver's seat is free"
            with store.transaction() as books:
                epoch = books.raise_epoch(above=runs.epoch())
            driver = Driver(outside, epoch=epoch)
            driver.tick()
            (self.place / "recovered").write_text(f"{time.monotonic() - began:.3f}")
            self._begin(outside)
            while driver.tick() or not self._rests(store):
                time.sleep(TICK_S)

    def _begin(self, outside: Outside) -> None:
        """What people have not done yet: approve, and start."""
        with outside.desk() as desk:
            wave = desk.books.waves.get(STADT, "W01")
            if wave.state is WaveState.PROPOSED:
                intent = Intent(kind=ActKind.APPROVE)
                approve_wave(desk, wave, keyboard=self.town.bert, intent=intent, freeze=self._freeze)
        with outside.desk() as desk:
            wave = desk.books.waves.get(STADT, "W01")
            if wave.state is WaveState.APPROVED:
                claim_wave(desk, wave, tree_there=outside.tree_there)
        for who in (self.town.anna, self.town.bert):
            with suppress(SignedAlready), outside.desk() as desk:
                wave = desk.books.waves.get(STADT, "W01")
                if wave.state is WaveState.HELD:
                    change_course(desk, wave, keyboard=who, intent=Intent(kind=ActKind.RESUME, reason="go on"))
                    (self.place / "resumed").touch()

    def _freeze(self, runbook: Runbook) -> None:
        freeze_runbook(runbook, RUNBOOK, self.place / "trees", shared=SHIPPED)

    @staticmethod
    def _rests(store: DatabaseStore) -> bool:
        with store.reading() as books:
            return rests(*wave_at(books, STADT, "W01"))

    def _failure_was_told(self) -> bool:
        """Whether the step's failure came into a spool. One that dies between its effect and that line is asked by the
        probe, and the machine's own word is that the step is done."""
        spools = (path.read_bytes() for path in (self.place / "runs").glob("*/spool.jsonl"))
        return any(b'"kind":"failed"' in spool.replace(b" ", b"") for spool in spools)

    # ------------------------------------------------------------------ what is found in the morning

    def verdict(self) -> str:
        """What is lost or doubled; empty when the night ended as an undisturbed one does."""
        store = DatabaseStore.open(self.url)
        try:
            with store.reading() as books:
                (move,) = books.waves.moves(STADT, "W01")
                wave, progress = wave_at(books, STADT, "W01")
                chain = books.journal.verify(STADT)
        finally:
            store.close()
        ledger = self.place / "hosts" / f"{ASSET}.ledger"
        acts = [line.split()[0] for line in ledger.read_text().splitlines()] if ledger.exists() else []
        wanted = ("rolled_back", ["do", "undo"]) if self.fails and self._failure_was_told() else ("moved", ["do"])
        if chain.broken_at:
            return f"the chain is broken: {chain}"
        if (move.state.value, move.state) != (wanted[0], progress.moves[move.asset].state):
            return f"the move is {move.state}/{move.cause}, the wave {wave.state}/{wave.cause}; on the host: {acts}"
        if acts[: len(wanted[1])] != wanted[1] or acts.count("do") != 1:
            return f"on the host: {acts}"
        return ""


def a_night(original: Original, place: Path, *, fails: bool = False) -> Night:
    """A fresh copy of the original."""
    (place / "hosts").mkdir(parents=True)
    if fails:
        (place / "hosts" / f"{ASSET}.fault").write_text("failed append task_failed")
    stand_in.install(place)
    if original.name:
        url = postgresql_copy(original.name, f"kahn_night_{os.getpid()}_{place.name}")
    else:
        shutil.copy(original.folder / "kahn.sqlite", place / "kahn.sqlite")
        url = f"sqlite:///{place}/kahn.sqlite"
    return Night(place=place, url=url, town=original.town, fails=fails)


def until_quiet(night: Night, *, within_s: float = 120.0) -> None:
    """Wait until no process of any run of the night lives."""
    until = time.monotonic() + within_s
    marks = [f"KAHN_RUN={path.name}".encode() for path in (night.place / "runs").glob("*")]
    while time.monotonic() < until and any(_lives(mark) for mark in marks):
        time.sleep(0.05)


def _lives(mark: bytes) -> bool:
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (place / "environ").read_bytes().split(b"\0"):
                return True
    return False

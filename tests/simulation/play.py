"""One seed: a wave of a few assets in a world where about thirty things go wrong, driven until it rests, and judged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from inventory.changes import Appeared, ChangeSet
from inventory.errors import ExpectedError
from orchestrator.actions.desk import Outside
from orchestrator.actions.drive_wave import Driver, rests
from orchestrator.actions.record import wave_at
from orchestrator.actions.sign import Keyboard
from orchestrator.adapters.simulated_hosts import LedgerEntry
from orchestrator.adapters.simulated_runs import SimulatedRuns
from orchestrator.core.access import AccessProfile
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.policy import Policy, Window
from orchestrator.core.refusals import StaleDriver
from orchestrator.core.runbook import Effect, Runbook, Step
from orchestrator.ports import Store
from tests.orchestrator.core.builders import a_runbook
from tests.simulation.faults import Dice
from tests.simulation.memory_store import MemoryStore, Rows
from tests.simulation.misfortune import Misfortune
from tests.simulation.oracle import Oracle
from tests.simulation.people import People
from tests.simulation.unreliable import Act, Killed, UnreliableRuns, UnreliableStore
from tests.towns import STADT, Town, assets_of

SECOND = 1_000_000
BEGINNINGS = (
    datetime(2026, 12, 1, 21, 0, tzinfo=UTC),
    datetime(2027, 3, 27, 22, 30, tzinfo=UTC),  # the night in which an hour is missing
    datetime(2027, 10, 30, 22, 30, tzinfo=UTC),  # the night in which an hour comes twice
    datetime(2027, 12, 31, 21, 30, tzinfo=UTC),
    datetime(2028, 2, 28, 22, 0, tzinfo=UTC),
)
LONGEST = timedelta(hours=40)


def a_step(name: str, effect: Effect, **more: Any) -> Step:
    """A step with an undo, unless it changes nothing."""
    undo = "" if effect is Effect.NONE else f"undo-{name}.yml"
    return Step(name=name, title=name, on="source", effect=effect, playbook=f"{name}.yml", undo=undo, **more)


LOOK = a_step("look", Effect.NONE)
COPY = a_step("copy", Effect.IDEMPOTENT, verify="verify-copy.yml", deadline_s=120)
SERVE = a_step("serve", Effect.IDEMPOTENT, probe="probe-serve.yml", deadline_s=90)
SWITCH = a_step("switch", Effect.ONCE, probe="probe-switch.yml", verify="verify-switch.yml", deadline_s=120)
SEND = a_step("send", Effect.ONCE, probe="probe-send.yml", deadline_s=60)
RUNBOOKS = tuple(
    replace(a_runbook(steps), name="small")
    for steps in ((LOOK, COPY, SWITCH), (COPY, SEND, SERVE), (LOOK, SWITCH, SEND), (SEND, COPY, SWITCH))
)


class QuickSignatures:
    """Signatures that anybody could make; what is tried here is not cryptography."""

    def sign(self, message: bytes, *, key_file: Path) -> str:
        """Over message and key."""
        return _signed(message, f"ssh-ed25519 {key_file.name}")

    def holds(self, message: bytes, *, signature: str, public_key: str) -> bool:
        """Whether that key made it."""
        return signature == _signed(message, public_key)


def _signed(message: bytes, key: str) -> str:
    return hashlib.sha256(message + key.encode()).hexdigest()


@dataclass
class WorldClock:
    """Virtual time. ``jump``: how far the wall clock was moved."""

    begins: datetime = BEGINNINGS[0]
    mono_us: int = 0
    jump: timedelta = timedelta()
    ids: int = 0

    def now(self) -> datetime:
        """The wall."""
        return self.begins + timedelta(microseconds=self.mono_us) + self.jump

    def new_id(self) -> str:
        """The next number."""
        self.ids += 1
        return f"id-{self.ids:04d}"


class QuickTown(Town):
    """A town in memory whose people have made-up keys."""

    def __post_init__(self) -> None:
        self.signatures = QuickSignatures()  # type: ignore[assignment]
        self.anna, self.bert = (Keyboard(person=name, key_file=self.folder / name) for name in ("anna", "bert"))
        window = Window(opens=self.clock.now() - timedelta(minutes=5), closes=self.clock.now() + LONGEST / 2)
        self.policy = replace(self.policy, windows=(window,), weekly=(), runbooks={"workstation": "small"})  # type: ignore[dict-item]
        with self.store.transaction() as books:
            books.tenants.add(STADT, policy=self.policy)
            books.tenants.put_access(STADT, AccessProfile(name="lab", user="root", key_file="/keys/lab"))
            for keyboard in (self.anna, self.bert):
                books.people.add(STADT, name=keyboard.person, public_key=f"ssh-ed25519 {keyboard.person}")
            appeared = tuple(Appeared(asset=asset, source="test") for asset in assets_of(STADT, self.seats))
            books.assets.apply(ChangeSet(tenant=STADT, appeared=appeared))


@cache
def an_approved_wave(beginning: int, seats: int, runbook: int, generous: bool) -> Rows:
    """What is stored when a wave of that kind is approved."""
    store = MemoryStore()
    budget = 1.0 if generous else 0.4
    policy = Policy(
        batch_budget=budget, wave_budget=budget, canary_size=1, batch_size=3, auto_rollback_max=2 + seats,
        probe_tries=4, max_tries=3,
    )  # fmt: skip
    town = QuickTown(
        store=store, runs=None, folder=Path("/nowhere"), seats=seats, policy=policy,  # type: ignore[arg-type]
        runbook=RUNBOOKS[runbook], clock=WorldClock(begins=BEGINNINGS[beginning]),  # type: ignore[arg-type]
    )  # fmt: skip
    town.clock.jump = -timedelta(hours=30)  # type: ignore[attr-defined]  # signed the day before
    town.propose()
    town.approve()
    return store.rows


@dataclass
class Played:
    """What became of a seed."""

    seed: int
    trace: tuple[str, ...]
    faults: tuple[tuple[str, str], ...]
    virtual_s: float
    states: dict[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 of the trace."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()

    @property
    def story(self) -> tuple[str, ...]:
        """The trace without the lines that only name faults: what the system and the hosts did."""
        return tuple(line for line in self.trace if " fault " not in line)


@dataclass
class World:
    """Everything of one seed."""

    seed: int
    dice: Dice
    trace: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        chance = self.dice.chance
        self.seats = 4 + int(chance("seats") * 4)
        kind = (int(chance("begins") * len(BEGINNINGS)), self.seats, int(chance("runbook") * len(RUNBOOKS)))
        rows = an_approved_wave(*kind, chance("generous") < 0.6)
        self.clock = WorldClock(begins=BEGINNINGS[kind[0]])
        self.runs = SimulatedRuns(
            now_us=lambda: self.clock.mono_us, wall=self.clock.now, trouble=Misfortune(self.dice, self.say),
            seconds_for=lambda run, task, host: self.dice.between(0.4, 12, run, task, host),
        )  # fmt: skip
        self.store = MemoryStore(rows.copy())
        self.oracle = Oracle(runs=self.runs, rows=self.store.rows, seen=len(rows.journal[STADT]))
        self.store.committed = self._committed
        self.runs.trouble.heard = self._happened  # type: ignore[attr-defined]
        self.runs.trouble.world = self.runs  # type: ignore[attr-defined]
        act = Act(
            wait=self.wait, other_driver=self.other_driver, say=self.say, person=lambda where: self.people.meddle(where)
        )  # fmt: skip
        self.bad_store, self.bad_runs = (
            UnreliableStore(self.store, self.dice, act),
            UnreliableRuns(self.runs, self.dice, act),
        )
        self.written = len(rows.journal[STADT])
        self.driver: Driver | None = None
        self.steady: Callable[[], float | None] = lambda: None
        """The driver's clock that nobody sets; the seeds play without, so that deadlines follow no jump."""
        self.people = People(self)

    # ------------------------------------------------------------------ what is seen

    def say(self, text: str) -> None:
        """One line of the trace."""
        self.trace.append(f"{self.clock.mono_us / SECOND:10.3f} {text}")

    def _committed(self, rows: Rows) -> None:
        for sealed in rows.journal[STADT][self.written :]:
            entry = sealed.entry
            facts = " ".join(f"{name}={value}" for name, value in entry.body.items() if name in SHOWN and value != "")
            self.say(f"journal {sealed.seq} {sealed.at:%d %H:%M:%S} {entry.kind} {facts}")
        self.written = len(rows.journal[STADT])
        self.oracle.on_commit(rows)

    def _happened(self, entry: LedgerEntry) -> None:
        self.trace.append(
            f"{entry.at_us / SECOND:10.3f} host {entry.host} {entry.kind} {entry.step} {entry.attempt} "
            f"epoch={entry.epoch} {entry.before}->{entry.after} {entry.answer}"
        )
        self.oracle.on_entry(entry)

    # ------------------------------------------------------------------ the driver's life

    def outside(self) -> Outside:
        """The ports, all of them unreliable."""
        return Outside(
            store=self.bad_store, runs=self.bad_runs, clock=self.clock, signatures=QuickSignatures(),
            tree_there=lambda _runbook: True, tell=lambda error: self.say(f"told {error.code}"),
            hosts=self.runs.look,
        )  # type: ignore[arg-type]  # fmt: skip

    def sit_down(self) -> Driver:
        """A fresh driver, once the store lets it."""
        while True:
            try:
                with self.bad_store.transaction() as books:
                    epoch = books.raise_epoch(above=self.runs.epoch())
                self.say(f"driver of epoch {epoch} sits down")
                return Driver(self.outside(), epoch=epoch, steady=self.steady)
            except (ExpectedError, MemoryError, Killed):
                self.wait(2)

    def other_driver(self) -> None:
        """Another process has the seat for a moment and does one round; whoever sat there is not told."""
        before, self.dice.quiet = self.dice.quiet, True
        try:
            with self.store.transaction() as books:
                epoch = books.raise_epoch(above=self.runs.epoch())
            self.say(f"driver of epoch {epoch} sits down")
            other = Driver(self.outside(), epoch=epoch)
            other.tick(appointments=True)
        except ExpectedError as error:
            self.say(f"told {error.code}")
        finally:
            self.dice.quiet = before

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.mono_us += int(seconds * SECOND)
        self.runs.advance()

    def turn(self) -> bool:
        """One wake-up of the service, as ``kahn serve`` has it every second. Whether anything happened."""
        self.driver = self.driver or self.sit_down()
        try:
            happened = self.driver.tick(appointments=True)
        except StaleDriver:
            self.say("driver is stale and goes")
            self.driver, happened = None, True
        except ExpectedError as error:
            self.say(f"told {error.code}")
            happened = True
        except MemoryError:
            self.say("driver met MemoryError and goes on")
            happened = True
        except Killed:
            self.say("driver is dead")
            self.driver, happened = None, True
            self.wait(2)
        return happened

    def _sleep(self) -> None:
        """Until the next thing happens in the world, one second at least and twenty at most."""
        ahead = (self.runs.next_us() - self.clock.mono_us) / SECOND
        self.wait(min(max(ahead, 1.0), 20.0))

    # ------------------------------------------------------------------ the whole

    def play(self) -> Played:
        """Drive until it rests; faults stop when there were enough or the night is over."""
        for number in range(6000):
            self._something_happens()
            if not self.turn():
                if self._rests() and not self.people.due and not self.people.about_rest():
                    break
                self._sleep()
            self.dice.quiet = self.dice.quiet or number > 3000
        else:
            raise AssertionError("property 6: the wave never rests")
        self.wait(3600)
        self.oracle.at_rest(self.seats)
        with self.store.reading() as books:
            states = {move.name: f"{move.state.value}/{move.cause}" for move in books.waves.moves(STADT, "W01")}
            self.say(f"rest {books.waves.get(STADT, 'W01').state} {states}")
        return Played(self.seed, tuple(self.trace), tuple(self.dice.played), self.clock.mono_us / SECOND, states)

    def _something_happens(self) -> None:
        """Trouble that comes between two wake-ups."""
        self.people.keep_promises()
        self.people.meddle("between two wake-ups")
        fault = self.dice.throw("turn")
        if not fault:
            return
        if fault == "F44-rollback" and not self.people.may_roll_back():
            return
        self.say(f"fault {self.dice.hit('turn', fault)} {fault}")
        number = len(self.dice.played)
        if fault == "F21-clock":
            self.clock.jump += timedelta(hours=1)
        elif fault == "F22-clock":
            self.clock.jump -= timedelta(hours=1)
        elif fault == "F25-suspend":
            self.clock.jump += timedelta(seconds=self.dice.between(120, 1800, "suspend", number))
        elif fault == "F27-two-services":
            self.other_driver()
        else:
            self.people.roll_one_back()

    def _rests(self) -> bool:
        with self.store.reading() as books:
            wave, progress = wave_at(books, STADT, "W01")
        waits = (
            wave.state in (WaveState.APPROVED, WaveState.SCHEDULED) and self.clock.now() < wave.content.window.closes
        )
        return rests(wave, progress) and not waits


SHOWN = (
    "asset",
    "run",
    "step",
    "direction",
    "outcome",
    "cause",
    "from",
    "to",
    "event",
    "how",
    "batch",
    "verdict",
    "last_seq",
)


def play(seed: int, *, off: bool = False, without: frozenset[str] = frozenset()) -> Played:
    """Play one seed. Raises Violated with the trace on it."""
    world = World(seed, Dice(seed, off=off, without=without))
    try:
        return world.play()
    except BaseException as problem:
        problem.trace = tuple(world.trace)  # type: ignore[attr-defined]
        raise


__all__ = ["Played", "Runbook", "Store", "World", "play"]

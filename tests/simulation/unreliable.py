"""Store and runner whose every durable boundary can fail: killed before or after, refused, slow, or with no answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from inventory.model import TenantId
from orchestrator.adapters.run_directory import RunRefused
from orchestrator.adapters.runs import RunStuck
from orchestrator.adapters.simulated_runs import SimulatedRuns
from orchestrator.core.refusals import StoreBusy, StoreUnavailable
from orchestrator.core.wave import RunId
from orchestrator.ports import Books
from orchestrator.run_ports import RunOrder, SpoolRead
from tests.simulation.faults import Dice
from tests.simulation.memory_store import MemoryStore


class Killed(BaseException):
    """The driver dies here."""


@dataclass
class Act:
    """What the world does when a fault asks for it."""

    wait: Callable[[float], None]
    """Let so many seconds pass."""
    other_driver: Callable[[], None]
    """Somebody else sits down and drives for a moment."""
    say: Callable[[str], None]
    person: Callable[[str], None]
    """Somebody may do something at this very moment."""


class UnreliableStore:
    """The store in memory behind a bad disk and a bad network."""

    def __init__(self, store: MemoryStore, dice: Dice, act: Act) -> None:
        self._store, self._dice, self._act = store, dice, act
        self.watch: Callable[[str, tuple[str, ...]], None] = lambda _side, _kinds: None
        """Told ``before`` and ``after`` each commit which kinds of entries it writes; may raise Killed."""

    @contextmanager
    def transaction(self) -> Iterator[Books]:
        """One transaction and what happens to it."""
        fault = self._dice.throw("transaction")
        if fault:
            self._act.say(f"fault {self._dice.hit('transaction', fault)} {fault}")
        if fault == "F13-busy":
            self._act.wait(10)
            raise StoreBusy(why="database is locked")
        if fault == "F18-no-connection":
            raise StoreUnavailable(url="memory", why="too many connections")
        with self._store.transaction() as books:
            known = {tenant: len(chain) for tenant, chain in self._store.rows.journal.items()}
            yield books
            self._before_commit(fault)
            kinds = _kinds(books, known)
            self.watch("before", kinds)
        self.watch("after", kinds)
        self._after_commit(fault)

    def _before_commit(self, fault: str) -> None:
        if fault == "F1-before-commit":
            raise Killed
        if fault == "F5-memory":
            raise MemoryError
        if fault in ("F8-database-full", "F16-not-committed"):
            raise StoreUnavailable(url="memory", why="database or disk is full")
        if fault == "F19-serialisation":
            raise StoreBusy(why="could not serialize access")

    def _after_commit(self, fault: str) -> None:
        if fault == "F1-after-commit":
            raise Killed
        if fault == "F16-committed":
            raise StoreUnavailable(url="memory", why="the connection was lost")
        if fault == "F17-failover":
            self._act.other_driver()
            raise StoreUnavailable(url="memory", why="terminating connection")
        if fault == "F20-slow-disk":
            self._act.wait(self._dice.between(2, 40, "slow", len(self._dice.played)))

    @contextmanager
    def reading(self) -> Iterator[Books]:
        """One view."""
        fault = self._dice.throw("reading")
        if fault:
            self._act.say(f"fault {self._dice.hit('reading', fault)} {fault}")
            raise StoreUnavailable(url="memory", why="disk I/O error")
        with self._store.reading() as books:
            yield books

    def seat(self) -> AbstractContextManager[bool]:
        """The driver's seat."""
        return self._store.seat()


def _kinds(books: Books, known: dict[TenantId, int]) -> tuple[str, ...]:
    """Kinds of the journal entries that a transaction adds."""
    added = (books.journal.read(tenant, after=known.get(tenant, 0)) for tenant in books.tenants.all())
    return tuple(one.entry.kind for entries in added for one in entries)


class UnreliableRuns:
    """The runner whose starter may die, be late, or come twice."""

    def __init__(self, runs: SimulatedRuns, dice: Dice, act: Act) -> None:
        self._runs, self._dice, self._act = runs, dice, act

    def start(self, order: RunOrder) -> None:
        """Start, and what may happen around it."""
        self._act.person("between intent and start")
        fault = self._dice.throw("start")
        if fault:
            self._act.say(f"fault {self._dice.hit('start', fault)} {fault}")
        self._before(fault, order)
        self._runs.advance()
        self._runs.build(order)
        if fault == "F1-half-start":
            raise Killed
        self._runs.begin(order.run.id)
        if fault == "F1-after-start":
            raise Killed
        if fault == "F30-twice":
            self._runs.start(order)

    def _before(self, fault: str, order: RunOrder) -> None:
        if fault == "F1-before-start":
            raise Killed
        if fault in ("F11-fsync", "F12-read-only"):
            raise RunRefused(run=order.run.id, why="the state directory cannot be used")
        if fault == "F4-stopped":
            self._act.wait(self._dice.between(60, 900, "stopped", len(self._dice.played)))
        if fault == "F26-two-drivers":
            self._act.other_driver()

    def read(self, run: RunId, *, offset: int) -> SpoolRead:
        """Read, or fail to."""
        fault = self._dice.throw("read")
        if fault:
            self._act.say(f"fault {self._dice.hit('read', fault)} {fault}")
            alive = self._runs.read(run, offset=offset).alive
            return SpoolRead(
                lines=(), offset=offset, started=True, exited=False, exit_code=None, last_seq=None, alive=alive,
                damaged="the run's files cannot be read: EIO",
            )  # fmt: skip
        return self._runs.read(run, offset=offset)

    def close(self, run: RunId) -> bool:
        """Close, or die at it."""
        fault = self._dice.throw("close")
        if fault:
            self._act.say(f"fault {self._dice.hit('close', fault)} {fault}")
        if fault == "F1-before-close":
            raise Killed
        if fault == "F11-close":
            raise RunStuck(run=run, why="EIO")
        closed = self._runs.close(run)
        self._act.person("between a run's end and its entry")
        if fault == "F1-after-close":
            raise Killed
        return closed

    def kill(self, run: RunId) -> None:
        """Kill the run."""
        self._runs.kill(run)

    def epoch(self) -> int:
        """As the runner knows it."""
        return self._runs.epoch()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runs, name)

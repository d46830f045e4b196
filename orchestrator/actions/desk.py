"""What actions work with: the outer world behind its ports, and one open transaction with its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from inventory.errors import ExpectedError
from orchestrator.core.access import AccessProfile
from orchestrator.core.host_keys import Door
from orchestrator.core.runbook import Runbook
from orchestrator.core.surroundings import Room
from orchestrator.ports import Books, Clock, SignatureCheck, Store
from orchestrator.run_ports import HostLook, PlaybookRunner


def no_trouble(_profile: AccessProfile) -> str:
    """For worlds in which nobody uses private keys."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One open transaction: the books, who checks signatures, and the time at which everything in it happens."""

    books: Books
    signatures: SignatureCheck
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The ports, wired."""

    store: Store
    runs: PlaybookRunner
    clock: Clock
    signatures: SignatureCheck
    tree_there: Callable[[Runbook], bool]
    """Whether an approved runbook tree is kept and unchanged."""
    tell: Callable[[ExpectedError], None]
    """Hears of troubles that do not stop the driver."""
    rooms: Callable[[], tuple[Room, ...]] = tuple
    """How much is free where Kahn writes; asked before each step."""
    hosts: Callable[[Sequence[Door]], HostLook] | None = None
    """Begins a look at machines before a batch; None where nobody can, as with machines that are only simulated."""
    key_trouble: Callable[[AccessProfile], str] = no_trouble
    """Why the private key of a profile cannot be used here; empty when it can."""

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """A desk on a fresh transaction: committed when left normally, as if never opened when left by an exception."""
        with self.store.transaction() as books:
            yield Desk(books=books, signatures=self.signatures, now=self.clock.now())

    @contextmanager
    def look(self) -> Iterator[Desk]:
        """A desk that only reads and holds nobody up."""
        with self.store.reading() as books:
            yield Desk(books=books, signatures=self.signatures, now=self.clock.now())

"""The store: one database behind the ports, opened by its address."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, case, insert, select, update
from sqlalchemy.exc import DatabaseError

from inventory.ports import AssetStore
from inventory.store import SqlAssetStore
from inventory.tables import table_of
from orchestrator import ports
from orchestrator.adapters import migrations
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.database import BUSY_TIMEOUT_MS, READ_ONLY, engine_for, expected, is_expected, parsed, shown
from orchestrator.adapters.journal_book import JournalBook
from orchestrator.adapters.launches_book import LaunchesBook
from orchestrator.adapters.netbox_book import NetboxBook
from orchestrator.adapters.notices_book import NoticesBook
from orchestrator.adapters.occurrences_book import OccurrencesBook
from orchestrator.adapters.people_book import PeopleBook
from orchestrator.adapters.plans_book import PlansBook
from orchestrator.adapters.runs_book import RunsBook
from orchestrator.adapters.seat import advisory_seat, advisory_seat_taken, file_seat, file_seat_taken
from orchestrator.adapters.tables import DriverEpochRow
from orchestrator.adapters.tenants_book import TenantsBook
from orchestrator.adapters.waves_book import WavesBook
from orchestrator.core import people
from orchestrator.core.launches import LaunchBook
from orchestrator.core.notices import NoticeBook
from orchestrator.core.occurrence import OccurrenceBook
from orchestrator.core.refusals import StoreNewer, StoreNotReady
from orchestrator.ports import Books, Clock
from orchestrator.run_ports import RunBook
from orchestrator.supervisor.boundary import boundary

_EPOCH = table_of(DriverEpochRow)


class DatabaseBooks:
    """Everything that is stored, within one open transaction."""

    def __init__(self, connection: Connection, *, clock: Clock) -> None:
        self._connection = connection
        self.assets: AssetStore = SqlAssetStore(connection, now=clock.now)
        self.journal: ports.Journal = JournalBook(connection)
        self.people: people.PeopleBook = PeopleBook(connection)
        self.tenants: ports.TenantBook = TenantsBook(connection, at=clock.now())
        self.plans: ports.PlanBook = PlansBook(connection)
        self.waves: ports.WaveBook = WavesBook(connection)
        self.runs: RunBook = RunsBook(connection)
        self.netbox: ports.NetboxBook = NetboxBook(connection, at=clock.now())
        self.notices: NoticeBook = NoticesBook(connection)
        self.launches: LaunchBook = LaunchesBook(connection)
        self.occurrences: OccurrenceBook = OccurrencesBook(connection)

    def epoch(self) -> int:
        """The present driver epoch; 0 before anyone drove."""
        return self._connection.scalars(select(_EPOCH.c.epoch)).one_or_none() or 0

    def raise_epoch(self, *, above: int = 0) -> int:
        """One more, and more than ``above``; only the holder of the seat calls this."""
        highest = case((_EPOCH.c.epoch > above, _EPOCH.c.epoch), else_=above)
        raised = self._connection.scalars(
            update(_EPOCH).values(epoch=highest + 1).returning(_EPOCH.c.epoch)
        ).one_or_none()
        if raised is None:
            self._connection.execute(insert(_EPOCH).values(id=1, epoch=above + 1))
        return int(raised or above + 1)

    def driven(self) -> bool | None:
        """Whether somebody holds the driver's seat now; None when this account cannot tell."""
        url = self._connection.engine.url
        return file_seat_taken(_file_of(url)) if url.drivername == "sqlite" else advisory_seat_taken(self._connection)


class DatabaseStore:
    """A database with Kahn's tables, at the revision of this release."""

    def __init__(self, engine: Engine, *, url: URL, clock: Clock) -> None:
        self._engine = engine
        self._url = url
        self._clock = clock
        self._open = threading.local()

    @classmethod
    def open(cls, url: str, *, clock: Clock | None = None, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> DatabaseStore:
        """The store at ``sqlite:////path`` or ``postgresql+psycopg://...``.

        Raises BadDatabaseUrl, StoreUnavailable, StoreUnsafe, StoreNotReady, StoreNewer.
        """
        address = parsed(url)
        engine = engine_for(address, busy_timeout_ms=busy_timeout_ms)
        store = cls(engine, url=address, clock=clock or SystemClock())
        with store._connected(reads_only=True) as connection:
            _check_revision(migrations.found(connection), url=address)
        return store

    @classmethod
    def create_or_upgrade(cls, url: str, *, clock: Clock | None = None) -> DatabaseStore:
        """The store after making or upgrading its tables. Several may try at once. Raises as ``open`` does."""
        address = parsed(url)
        store = cls(engine_for(address, create=True), url=address, clock=clock or SystemClock())
        with store._connected() as connection:
            migrations.take_turns(connection)
            found = migrations.found(connection)
            if found and not migrations.known(found):
                raise StoreNewer(url=shown(address), found=found)
            migrations.upgrade(connection)
        return store

    def close(self) -> None:
        """Give back every connection; the store can still be used and will connect again."""
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Books]:
        """Read and write; commits when left normally, leaves nothing behind when left by an exception.

        Raises StoreBusy, StoreUnavailable.
        """
        with self._connected() as connection:
            yield DatabaseBooks(connection, clock=self._clock)

    @contextmanager
    def reading(self) -> Iterator[Books]:
        """Read one moment of the database without holding up writers. Raises StoreBusy, StoreUnavailable."""
        with self._connected(reads_only=True) as connection:
            yield DatabaseBooks(connection, clock=self._clock)

    def seat(self) -> AbstractContextManager[bool]:
        """The driver's seat, while the context is open; False when somebody else has it."""
        if self._url.drivername == "sqlite":
            return file_seat(_file_of(self._url))
        return advisory_seat(self._engine)

    @contextmanager
    def _connected(self, *, reads_only: bool = False) -> Iterator[Connection]:
        if getattr(self._open, "now", False):
            raise RuntimeError("a transaction is open in this thread already")
        self._open.now = True
        try:
            with boundary("database.connect"):
                connected = self._engine.connect()
            with connected as connection:
                if reads_only:
                    connection = self._read_only(connection)
                with connection.begin() as transaction:
                    yield connection
                    if not reads_only:
                        with boundary("database.commit"):
                            transaction.commit()
        except DatabaseError as cause:
            if not is_expected(cause):
                raise
            raise expected(cause, url=self._url) from cause
        finally:
            self._open.now = False

    def _read_only(self, connection: Connection) -> Connection:
        if self._url.drivername == "sqlite":
            return connection.execution_options(**READ_ONLY)
        return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _file_of(url: URL) -> Path:
    return Path(str(url.database)).absolute()


def _check_revision(found: str, *, url: URL) -> None:
    if found and not migrations.known(found):
        raise StoreNewer(url=shown(url), found=found)
    if found != migrations.newest():
        raise StoreNotReady(url=shown(url), found=f"revision {found}" if found else "it has no tables")

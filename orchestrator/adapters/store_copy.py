"""A store as one SQLite file and back: the portable form in which a backup keeps it, whichever database it lives in.

SQLite is copied by its own backup interface. PostgreSQL is read table by table in one repeatable-read transaction, so
that nothing but a connection is needed (no pg_dump of the right version), and one moment is seen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, MetaData, Table, insert, select
from sqlalchemy.exc import DatabaseError

from inventory.errors import ExpectedError
from orchestrator.adapters import migrations
from orchestrator.adapters.database import engine_for, expected, is_expected, parsed, shown
from orchestrator.adapters.store import DatabaseStore
from orchestrator.supervisor.boundary import boundary

ROWS_AT_ONCE = 1_000
_ALEMBIC = "alembic_version"


class StoreNotEmpty(ExpectedError):
    """A place to restore into that holds something already."""

    code, says = "STO-030", "{place} is not empty, so nothing is restored into it."
    remedy = "Name an empty directory, and for PostgreSQL an empty database."
    exit_code = 3


def export_store(url: str, target: Path) -> str:
    """Write the store as it is at one moment to a new SQLite file; returns its revision. Raises StoreUnavailable."""
    address = parsed(url)
    if address.drivername == "sqlite":
        source = Path(str(address.database)).absolute()
        with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as old, closing(_new(target)) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE").fetchall()
            return str(new.execute(f"SELECT version_num FROM {_ALEMBIC}").fetchone()[0])
    with reading_store(url) as old:
        revision = migrations.found(old)
        with made_store(f"sqlite:///{target}", revision=revision) as new:
            copy_rows(old, new)
    with closing(_new(target)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    return revision


def import_store(source: Path, url: str) -> None:
    """Fill an empty database with an exported store, at the revision it had, then upgrade it.

    Raises StoreNotEmpty, StoreUnavailable, StoreNewer.
    """
    address = parsed(url)
    with closing(_new(source)) as checked:
        revision = str(checked.execute(f"SELECT version_num FROM {_ALEMBIC}").fetchone()[0])
    if address.drivername == "sqlite":
        target = Path(str(address.database)).absolute()
        if target.exists():
            raise StoreNotEmpty(place=target)
        target.touch(mode=0o600)
        with closing(_new(source)) as old, closing(_new(target)) as new:
            old.backup(new)
    else:
        with reading_store(f"sqlite:///{source}") as old, made_store(url, revision=revision) as new:
            copy_rows(old, new)
    DatabaseStore.create_or_upgrade(url).close()


def _new(path: Path) -> sqlite3.Connection:
    with boundary("backup.copy.connect"):
        return sqlite3.connect(path)


@contextmanager
def reading_store(url: str) -> Iterator[Connection]:
    """One moment of a store, read only. Raises StoreUnavailable."""
    address = parsed(url)
    engine = engine_for(address)
    try:
        with boundary("backup.store.connect"):
            connected = engine.connect()
        with connected as connection:
            if address.drivername != "sqlite":
                options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
                connection = connection.execution_options(**options)
            with connection.begin():
                yield connection
    except DatabaseError as cause:
        if not is_expected(cause):
            raise
        raise expected(cause, url=address) from cause
    finally:
        engine.dispose()


@contextmanager
def made_store(url: str, *, revision: str) -> Iterator[Connection]:
    """A transaction on a database that gets the tables of that revision first. Raises StoreNotEmpty."""
    address = parsed(url)
    engine = engine_for(address, create=True)
    try:
        with boundary("restore.store.connect"):
            connected = engine.connect()
        with connected as connection, connection.begin():
            migrations.take_turns(connection)
            if migrations.found(connection):
                raise StoreNotEmpty(place=shown(address))
            migrations.upgrade(connection, to=revision)
            yield connection
    finally:
        engine.dispose()


def copy_rows(old: Connection, new: Connection) -> int:
    """Every row of every table that both have, parents first; returns how many."""
    known, wanted = MetaData(), MetaData()
    known.reflect(old)
    wanted.reflect(new)
    copied = 0
    for table in wanted.sorted_tables:
        if table.name != _ALEMBIC and table.name in known.tables:
            copied += _copy(old, new, known.tables[table.name], table)
    return copied


def _copy(old: Connection, new: Connection, source: Table, target: Table) -> int:
    if new.execute(select(target).limit(1)).first() is not None:
        new.execute(target.delete())  # a migration put a first row there; the copy brings its own
    copied = 0
    columns = [source.c[name] for name in target.c.keys() if name in source.c]  # noqa: SIM118  (columns, not names)
    rows = old.execution_options(stream_results=True, yield_per=ROWS_AT_ONCE).execute(select(*columns)).mappings()
    for some in rows.partitions(ROWS_AT_ONCE):
        new.execute(insert(target), [dict(row) for row in some])
        copied += len(some)
    return copied

"""Connections to the two databases, with the settings under which no acknowledged commit is lost."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InternalError, OperationalError

from orchestrator.core.refusals import BadDatabaseUrl, StoreBusy, StoreUnavailable, StoreUnsafe

BUSY_TIMEOUT_MS = 10_000
READ_ONLY = {"kahn_reads_only": True}
_SQLITE, _POSTGRESQL = "sqlite", "postgresql+psycopg"
_SQLITE_SETTINGS = (
    ("journal_mode", "wal"),
    ("synchronous", "2"),
    ("foreign_keys", "1"),
    ("recursive_triggers", "1"),
    ("secure_delete", "1"),
)
_POSTGRESQL_SETTINGS = (
    ("synchronous_commit", "on"),
    ("client_encoding", "UTF8"),
    ("server_encoding", "UTF8"),
    ("fsync", "on"),
    ("full_page_writes", "on"),
)
_BUSY_SQLSTATES = frozenset({"55P03", "40P01", "40001"})
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""How long a server that says nothing is believed in: one whose power was cut is noticed within half a minute."""
_WAL_TRIES = 50
_WAL_GAP_S = 0.1


def parsed(url: str) -> URL:
    """The address of a database of a known kind. Raises BadDatabaseUrl."""
    try:
        found = make_url(url)
    except (ArgumentError, ValueError) as cause:
        raise BadDatabaseUrl(url=url[:80], why="it cannot be read") from cause
    if found.drivername == _SQLITE:
        if not found.database or found.database == ":memory:" or found.database.startswith("file:") or found.query:
            raise BadDatabaseUrl(url=url[:80], why="SQLite needs the path of a file")
    elif found.drivername != _POSTGRESQL:
        raise BadDatabaseUrl(url=found.render_as_string()[:80], why="only these two databases are supported")
    return found


def shown(url: URL) -> str:
    """The address for messages, without its password."""
    return url.render_as_string(hide_password=True)


def engine_for(url: URL, *, create: bool = False, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """An engine whose every connection has its settings checked. Connects only when used."""
    if url.drivername == _SQLITE:
        return _sqlite_engine(url, create=create, busy_timeout_ms=busy_timeout_ms)
    settings = (("lock_timeout", busy_timeout_ms), ("synchronous_commit", "on"))
    engine = create_engine(url, pool_pre_ping=True, connect_args=_PATIENCE)
    event.listen(engine, "connect", lambda connection, _: _set_up_postgresql(connection, dict(settings), url=url))
    return engine


def is_expected(error: DatabaseError) -> bool:
    """Whether the error is about the database as a whole, and no mistake of ours in one statement."""
    return type(error) in (DatabaseError, OperationalError, InternalError)


def expected(error: DatabaseError, *, url: URL) -> StoreBusy | StoreUnavailable:
    """The expected error behind a database's own."""
    text = str(error.orig).strip().splitlines()[0] if error.orig and str(error.orig).strip() else str(error)
    if getattr(error.orig, "sqlstate", None) in _BUSY_SQLSTATES or "database is locked" in text:
        return StoreBusy(why=text)
    return StoreUnavailable(url=shown(url), why=text)


def _sqlite_engine(url: URL, *, create: bool, busy_timeout_ms: int) -> Engine:
    path = Path(str(url.database)).absolute()
    if create:
        _make_private_file(path, url=url)
    elif not path.is_file():
        raise StoreUnavailable(url=shown(url), why="the file does not exist; `kahn init` makes it")
    engine = create_engine(url.set(database=str(path)), connect_args={"timeout": busy_timeout_ms / 1000})
    settings = (("busy_timeout", str(busy_timeout_ms)), *_SQLITE_SETTINGS)
    event.listen(engine, "connect", lambda connection, _: _set_up_sqlite(connection, settings, url=url))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private_file(path: Path, *, url: URL) -> None:
    """The database file, readable by its owner only; SQLite gives its WAL the same mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as cause:
        raise StoreUnavailable(url=shown(url), why=cause.strerror or "it cannot be created") from cause


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the database's one write lock at once, so that what it read cannot be overtaken."""
    reads_only = bool(connection.get_execution_options().get("kahn_reads_only"))
    connection.exec_driver_sql(f"PRAGMA query_only = {int(reads_only)}")
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _set_up_sqlite(connection: Any, settings: Sequence[tuple[str, str]], *, url: URL) -> None:
    connection.isolation_level = None
    for name, wanted in settings:
        _patiently(connection, f"PRAGMA {name} = {wanted}")
    for name, wanted in settings:
        _check(name, str(connection.execute(f"PRAGMA {name}").fetchone()[0]), wanted=wanted, url=url)


def _patiently(connection: Any, pragma: str) -> None:
    """Two first connections at once may refuse each other the change to WAL without waiting: try again."""
    for left in reversed(range(_WAL_TRIES)):
        try:
            connection.execute(pragma).fetchall()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or not left:
                raise
            time.sleep(_WAL_GAP_S)


def _set_up_postgresql(connection: Any, settings: Mapping[str, object], *, url: URL) -> None:
    was = connection.autocommit
    connection.autocommit = True
    for name, value in settings.items():
        connection.execute(f"SET {name} = {value}")
    for name, wanted in _POSTGRESQL_SETTINGS:
        _check(name, str(connection.execute(f"SHOW {name}").fetchone()[0]), wanted=wanted, url=url)
    connection.autocommit = was


def _check(name: str, found: str, *, wanted: str, url: URL) -> None:
    if found.casefold() != wanted.casefold():
        raise StoreUnsafe(url=shown(url), setting=name, found=found, wanted=wanted)

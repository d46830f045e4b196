"""The migrations make exactly the tables that the row classes describe."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from inventory.tables import METADATA
from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.tables import WaveActRow

WITHOUT_TENANT = {"alembic_version", "driver_epoch", "run_event"}
"""The epoch is one for the whole store; an event belongs to a run, and the run to a tenant."""


def test_the_migrated_tables_equal_the_row_classes(database_url: str) -> None:
    assert WaveActRow.__tablename__ in METADATA.tables
    with engine_for(parsed(database_url)).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_every_unique_name_holds_the_tenant_or_a_run(database_url: str) -> None:
    inspector = inspect(engine_for(parsed(database_url)))
    for table in set(inspector.get_table_names()) - WITHOUT_TENANT:
        keys: list[list[str | None]] = [[*inspector.get_pk_constraint(table)["constrained_columns"]]]
        keys += [[*one["column_names"]] for one in inspector.get_unique_constraints(table)]
        keys += [one["column_names"] for one in inspector.get_indexes(table) if one["unique"]]
        owners = {"tenant", "run", "id"} if table in ("tenant", "run", "attempt", "attempt_machine") else {"tenant"}
        assert all(owners & set(key) for key in keys), (table, keys)

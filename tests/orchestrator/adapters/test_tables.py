"""The migrations make exactly the tables that the row classes describe."""

from __future__ import annotations

from contextlib import closing

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from inventory.model import AssetId, TenantId
from inventory.regroup import regroup
from inventory.tables import METADATA
from orchestrator.adapters import migrations
from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.store import DatabaseStore
from orchestrator.adapters.tables import WaveActRow
from tests.databases import database_url, empty_url

__all__ = ["database_url", "empty_url"]

WITHOUT_TENANT = {"alembic_version", "dispatch_stop", "driver_epoch", "run_event"}
"""The epoch and the stop are one for the whole store; an event belongs to a run, and the run to a tenant."""


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


def test_a_store_of_an_older_release_keeps_its_assets_and_learns_who_said_what(empty_url: str) -> None:
    """What was one record becomes claims of the sources that last changed each field."""
    engine = engine_for(parsed(empty_url), create=True)
    with engine.begin() as connection:
        migrations.upgrade(connection, to="0005")
        for statement in (
            "INSERT INTO tenant (id, at_us, history_seq) VALUES ('stadt', 1, 3)",
            "INSERT INTO asset (tenant, id, kind, name, name_group, name_key, record) VALUES "
            "('stadt', 'a1', 'vm', 'srv', 'machine', 'srv', '{\"ram_mib\":2,\"note\":\"x\"}')",
            'INSERT INTO asset_change (tenant, seq, asset, field, "after", source, at_us) VALUES '
            "('stadt', 1, 'a1', 'name', '\"srv\"', 'native-csv', 5), "
            "('stadt', 2, 'a1', 'note', '\"x\"', 'native-csv', 5), ('stadt', 3, 'a1', 'ram_mib', '2', 'rvtools', 7)",
        ):
            connection.execute(text(statement.replace(":", "\\:")))
    engine.dispose()
    with closing(DatabaseStore.create_or_upgrade(empty_url)) as store, store.reading() as books:
        holdings = books.assets.holdings(TenantId("stadt"))
        past = books.assets.history(TenantId("stadt"), ["srv"])
    (asset,) = holdings.assets
    assert (asset.name, dict(asset.values)) == ("srv", {"ram_mib": 2, "note": "x"})
    assert {one.source: (dict(one.values), one.last_us) for one in holdings.claims.values()} == {
        "native-csv": ({"note": "x"}, 5),
        "rvtools": ({"ram_mib": 2}, 7),
    }
    assert [one["field"] for one in past] == ["name", "note", "ram_mib"]
    assert regroup(holdings, {}, new_id=lambda: AssetId("new"), whole=True).changes.is_empty

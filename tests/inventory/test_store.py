"""The inventory's store keeps each tenant's assets, and every change of every field. On both databases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from inventory.changes import Appeared, Changed, ChangeSet, FieldChange
from inventory.model import Asset, AssetId, AssetKind, Dependency, DependencyKind, Snapshot, TenantId, Value
from inventory.store import InventoryOvertaken, SqlAssetStore, UnknownTenant
from inventory.tables import micros
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.policy import Policy
from tests.databases import database_url

__all__ = ["database_url"]
TOWN, OTHER = TenantId("town"), TenantId("other")
NOW = datetime(2026, 11, 30, 21, 0, 0, 123456, tzinfo=UTC)


class StoppedClock(SystemClock):
    """A clock that always shows the same time."""

    def now(self) -> datetime:
        """The time of these tests."""
        return NOW


@pytest.fixture
def store(database_url: str) -> Iterator[DatabaseStore]:
    """Two tenants without assets."""
    opened = DatabaseStore.open(database_url, clock=StoppedClock())
    with opened.transaction() as books:
        books.tenants.add(TOWN, policy=Policy())
        books.tenants.add(OTHER, policy=Policy())
    yield opened
    opened.close()


def a_pc(number: int, *, tenant: TenantId = TOWN, **values: Value) -> Asset:
    """A workstation."""
    return Asset(
        id=AssetId(f"a{number}"), tenant=tenant, kind=AssetKind.WORKSTATION, name=f"PC-{number}", values=values
    )


def appeared(*assets: Asset, tenant: TenantId = TOWN) -> ChangeSet:
    """An import in which the assets are seen for the first time."""
    return ChangeSet(tenant=tenant, appeared=tuple(Appeared(asset=asset, source="csv") for asset in assets))


def changed(asset: Asset, **before: Value | None) -> ChangeSet:
    """An import after which the asset is as given; ``before`` names the fields that were different."""
    changes = tuple(
        FieldChange(field=name, before=value, after=asset.values.get(name), source="rvtools")
        for name, value in before.items()
    )
    return ChangeSet(tenant=asset.tenant, changed=(Changed(asset=asset, changes=changes),))


def _apply(store: DatabaseStore, changes: ChangeSet) -> int:
    with store.transaction() as books:
        return books.assets.apply(changes)


def _snapshot(store: DatabaseStore, tenant: TenantId = TOWN) -> Snapshot:
    with store.reading() as books:
        return books.assets.snapshot(tenant)


def _history(store: DatabaseStore, *names: str, tenant: TenantId = TOWN) -> list[tuple[object, ...]]:
    with store.reading() as books:
        return [tuple(row.values()) for row in books.assets.history(tenant, names)]


ALL_SORTS = a_pc(1, site="Rathaus", ram_mib=8192, disk_gib=238.5, mac=("aa:bb:cc:dd:ee:ff", "aa:bb:cc:dd:ee:00"))


def test_an_asset_comes_back_as_it_was_written(store: DatabaseStore) -> None:
    assert _apply(store, appeared(ALL_SORTS, a_pc(2))) == 2
    assert _snapshot(store).assets == (ALL_SORTS, a_pc(2))


def test_a_change_replaces_the_record_and_leaves_the_others_alone(store: DatabaseStore) -> None:
    _apply(store, appeared(ALL_SORTS, a_pc(2)))
    after = replace(ALL_SORTS, values={**ALL_SORTS.values, "site": "Bauhof"})
    assert _apply(store, changed(after, site="Rathaus")) == 1
    assert _snapshot(store).assets == (after, a_pc(2))


def test_a_renamed_asset_gives_its_old_name_free(store: DatabaseStore) -> None:
    _apply(store, appeared(a_pc(1)))
    _apply(store, changed(replace(a_pc(1), name="PC-neu"), name="PC-1"))
    _apply(store, appeared(replace(a_pc(9), name="PC-1")))
    assert [asset.name for asset in _snapshot(store).assets] == ["PC-neu", "PC-1"]


def test_history_tells_each_field_with_before_after_source_and_time(store: DatabaseStore) -> None:
    _apply(store, appeared(a_pc(1, mac=("aa:bb:cc:dd:ee:ff",), ram_mib=8)))
    _apply(store, changed(a_pc(1, mac=("aa:bb:cc:dd:ee:ff",)), ram_mib=8))
    at = micros(NOW)
    assert _history(store, "pc-1") == [
        (at, "PC-1", "name", None, "PC-1", "csv"),
        (at, "PC-1", "mac", None, ("aa:bb:cc:dd:ee:ff",), "csv"),
        (at, "PC-1", "ram_mib", None, 8, "csv"),
        (at, "PC-1", "ram_mib", 8, None, "rvtools"),
    ]


def test_history_of_several_names_is_in_one_order_and_unknown_names_have_none(store: DatabaseStore) -> None:
    _apply(store, appeared(a_pc(1), a_pc(2), a_pc(3)))
    assert [row[1] for row in _history(store, "PC-3", "pc-1", "PC-9", "' OR 1=1 --")] == ["PC-1", "PC-3"]
    assert _history(store) == []


def test_dependencies_come_back_and_a_known_one_is_not_written_twice(store: DatabaseStore) -> None:
    needs = Dependency(tenant=TOWN, asset=AssetId("a1"), needs=AssetId("a2"), kind=DependencyKind.HARD, note="LDAP")
    _apply(store, replace(appeared(a_pc(1), a_pc(2)), dependencies=(needs,)))
    _apply(store, ChangeSet(tenant=TOWN, dependencies=(needs, replace(needs, kind=DependencyKind.DATA))))
    assert _snapshot(store).dependencies == (replace(needs, kind=DependencyKind.DATA), needs)


def test_a_dependency_on_something_unknown_or_of_another_tenant_is_refused(store: DatabaseStore) -> None:
    _apply(store, appeared(a_pc(1)))
    _apply(store, appeared(a_pc(2, tenant=OTHER), tenant=OTHER))
    needs = Dependency(tenant=TOWN, asset=AssetId("a1"), needs=AssetId("a2"), kind=DependencyKind.HARD)
    with pytest.raises(InventoryOvertaken):
        _apply(store, ChangeSet(tenant=TOWN, dependencies=(needs,)))


def test_an_import_made_from_an_older_inventory_is_overtaken_and_writes_nothing(store: DatabaseStore) -> None:
    _apply(store, appeared(a_pc(1)))
    for late in (appeared(a_pc(2), a_pc(1)), appeared(replace(a_pc(3), name="pc-1")), changed(a_pc(4), site=None)):
        with pytest.raises(InventoryOvertaken, match="STO-002"):
            _apply(store, late)
    assert _snapshot(store).assets == (a_pc(1),)
    assert len(_history(store, "PC-1", "PC-2")) == 1


def test_equal_names_in_different_groups_do_not_meet(store: DatabaseStore) -> None:
    site = Asset(id=AssetId("s1"), tenant=TOWN, kind=AssetKind.SITE, name="PC-1")
    _apply(store, appeared(a_pc(1), site))
    assert len(_snapshot(store).assets) == 2


def test_equal_ids_and_names_in_two_tenants_do_not_meet(store: DatabaseStore) -> None:
    _apply(store, appeared(a_pc(1, site="Rathaus")))
    _apply(store, appeared(a_pc(1, tenant=OTHER, site="Bauhof"), tenant=OTHER))
    _apply(store, changed(a_pc(1, tenant=OTHER), site="Bauhof"))
    assert _snapshot(store).assets == (a_pc(1, site="Rathaus"),)
    assert _snapshot(store, OTHER).assets == (a_pc(1, tenant=OTHER),)
    assert len(_history(store, "PC-1")) == 2


def test_an_unknown_tenant_has_no_assets_and_gets_none(store: DatabaseStore) -> None:
    nobody = TenantId("nobody")
    assert _snapshot(store, nobody).assets == ()
    with pytest.raises(UnknownTenant, match="STO-001"):
        _apply(store, appeared(a_pc(1, tenant=nobody), tenant=nobody))


def test_an_empty_import_is_nothing(store: DatabaseStore) -> None:
    assert _apply(store, ChangeSet(tenant=TenantId("nobody"))) == 0


HOSTILE = ["", "\0", "\ud800", "🚢" * 500, "'; DROP TABLE asset; --", "{{ lookup('pipe','id') }}", "a\nb", "\u202e"]


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_values_come_back_unchanged(store: DatabaseStore, hostile: str) -> None:
    """Whether they are fit for an asset is decided before; the store changes nothing."""
    asset = a_pc(1, note=hostile, procedures=(hostile,))
    _apply(store, appeared(asset))
    assert _snapshot(store).assets == (asset,)
    assert ("note", None, hostile) in [row[2:5] for row in _history(store, "PC-1")]


@pytest.mark.parametrize("act", ["UPDATE asset_change SET source = 'x'", "DELETE FROM asset_change"])
def test_the_database_itself_keeps_the_history(store: DatabaseStore, database_url: str, act: str) -> None:
    _apply(store, appeared(a_pc(1)))
    with pytest.raises(DBAPIError, match="append-only"), engine_for(parsed(database_url)).begin() as connection:
        connection.execute(text(act))


def test_five_thousand_assets_are_imported_in_seconds(store: DatabaseStore) -> None:
    assets = [a_pc(number, site="Rathaus", address="10.0.0.1", serial=f"S{number}") for number in range(5_000)]
    began = time.process_time()
    assert _apply(store, appeared(*assets)) == 5_000
    assert time.process_time() - began < 30
    assert len(_snapshot(store).assets) == 5_000


def test_the_port_is_fulfilled(store: DatabaseStore) -> None:
    with store.reading() as books:
        assert isinstance(books.assets, SqlAssetStore)

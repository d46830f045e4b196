"""Each tenant's NetBox and its links, apart from each other. On both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from inventory.changes import Appeared, ChangeSet
from inventory.model import AssetKind, TenantId
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.netbox import Link, NetboxAccess, SyncState, Writes
from orchestrator.core.policy import Policy
from tests.estates import TENANT, an_asset

OTHER = TenantId("other")
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
ACCESS = NetboxAccess(
    url="https://netbox.example", token_from="env:TOKEN", tenant="stadt", roles={"apc": AssetKind.WORKSTATION}
)
READ = SyncState(read_at="2026-12-01T12:00:00+00:00", change=7, writes=Writes.ON, complete=False, told="half")
LINK = Link(type="dcim.device", id=3, asset=an_asset("apc-1").id, own={"mig_uid": "ä", "mig_wave": None}, noted="W01")


def filled(store: DatabaseStore) -> None:
    with store.transaction() as books:
        for tenant in (TENANT, OTHER):
            books.tenants.add(tenant, policy=Policy())
        appeared = (Appeared(asset=an_asset("apc-1"), source="test"),)
        books.assets.apply(ChangeSet(tenant=TENANT, appeared=appeared))
        books.netbox.put_access(TENANT, ACCESS)
        books.netbox.set_state(TENANT, READ)
        books.netbox.put_links(TENANT, (LINK, replace(LINK, id=4)))


def test_access_state_and_links_come_back_as_they_were_put(store: DatabaseStore) -> None:
    filled(store)
    with store.reading() as books:
        assert books.netbox.access(TENANT) == ACCESS
        assert books.netbox.state(TENANT) == READ
        assert books.netbox.links(TENANT) == (LINK, replace(LINK, id=4))
        assert (books.netbox.access(OTHER), books.netbox.links(OTHER)) == (None, ())
        assert books.netbox.state(OTHER) == SyncState()


def test_a_link_is_replaced_by_type_and_id(store: DatabaseStore) -> None:
    filled(store)
    with store.transaction() as books:
        books.netbox.put_links(TENANT, (replace(LINK, missing_since=NOON, own={}),))
        books.netbox.put_links(TENANT, ())
        assert books.netbox.links(TENANT) == (replace(LINK, missing_since=NOON, own={}), replace(LINK, id=4))


def test_another_way_to_the_token_changes_nothing_else_and_another_server_begins_anew(store: DatabaseStore) -> None:
    filled(store)
    with store.transaction() as books:
        books.netbox.put_access(TENANT, replace(ACCESS, token_from="file:/etc/kahn/token"))
        assert (books.netbox.state(TENANT), len(books.netbox.links(TENANT))) == (READ, 2)
        books.netbox.put_access(TENANT, replace(ACCESS, tenant="amt"))
        assert (books.netbox.state(TENANT), len(books.netbox.links(TENANT))) == (SyncState(), 2)
        books.netbox.put_access(TENANT, replace(ACCESS, url="https://other.example"))
        assert books.netbox.links(TENANT) == ()

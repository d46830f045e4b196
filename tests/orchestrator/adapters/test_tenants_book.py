"""Tenants with their policies and access profiles, apart from each other. On both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from inventory.mapping import MappedColumn, MappingProfile
from inventory.model import TenantId
from inventory.store import UnknownTenant
from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.access import AccessProfile, JumpHost
from orchestrator.core.policy import Freeze, Policy, Weekday, WeeklyWindow, Window
from orchestrator.core.refusals import StoreDamaged, TenantExists, TenantNameRefused
from tests.orchestrator.adapters.builders import TOWN

OTHER = TenantId("other")
BERLIN = ZoneInfo("Europe/Berlin")
FULL = Policy(
    weekly=(WeeklyWindow(days=(Weekday.MON, Weekday.FRI), opens=time(22), closes=time(4, 30)),),
    windows=(Window(opens=datetime(2026, 12, 1, 22, tzinfo=BERLIN), closes=datetime(2026, 12, 2, 4, tzinfo=BERLIN)),),
    freezes=(Freeze(name="Election", first=date(2026, 12, 6), last=date(2026, 12, 8)),),
    contacts=("desk 1234",),
    batch_budget=0.25,
)
PROFILE = AccessProfile(
    name="lab", user="root", key_file="/etc/kahn/key", become=True, jump=JumpHost(address="j", host_key="k", port=2222)
)


def _add(store: DatabaseStore, tenant: TenantId = TOWN, policy: Policy = FULL) -> None:
    with store.transaction() as books:
        books.tenants.add(tenant, policy=policy)


def test_a_policy_comes_back_as_it_was_put(store: DatabaseStore) -> None:
    _add(store)
    with store.reading() as books:
        assert books.tenants.policy(TOWN) == FULL


def test_a_replaced_policy_counts_from_then_on_and_only_for_its_tenant(store: DatabaseStore) -> None:
    _add(store)
    _add(store, OTHER)
    with store.transaction() as books:
        books.tenants.set_policy(TOWN, replace(FULL, forks=3))
    with store.reading() as books:
        assert (books.tenants.policy(TOWN).forks, books.tenants.policy(OTHER).forks) == (3, 10)


def test_tenants_come_by_name(store: DatabaseStore) -> None:
    _add(store, TOWN)
    _add(store, OTHER)
    with store.reading() as books:
        assert books.tenants.all() == (OTHER, TOWN)


def test_a_tenant_is_added_once(store: DatabaseStore) -> None:
    _add(store)
    with pytest.raises(TenantExists, match="STO-003"):
        _add(store, policy=Policy())
    with store.reading() as books:
        assert books.tenants.policy(TOWN) == FULL


@pytest.mark.parametrize("name", ["", "Town", "1town", "../x", "a\0b", "a b", "x" * 32, "t\n", "ä", "-x"])
def test_a_name_that_cannot_stand_in_a_path_is_refused(store: DatabaseStore, name: str) -> None:
    with pytest.raises(TenantNameRefused, match="STO-004"):
        _add(store, TenantId(name))


def test_an_unknown_tenant_has_no_policy_and_gets_no_profile(store: DatabaseStore) -> None:
    with store.transaction() as books:
        for ask in (
            lambda: books.tenants.policy(TOWN),
            lambda: books.tenants.set_policy(TOWN, FULL),
            lambda: books.tenants.put_access(TOWN, PROFILE),
        ):
            with pytest.raises(UnknownTenant, match="STO-001"):
                ask()
        assert books.tenants.access(TOWN) == ()


def test_access_profiles_come_by_name_and_can_be_replaced(store: DatabaseStore) -> None:
    _add(store)
    changed = replace(PROFILE, user="kahn", jump=None)
    with store.transaction() as books:
        for profile in (PROFILE, replace(PROFILE, name="gateway"), changed):
            books.tenants.put_access(TOWN, profile)
        assert books.tenants.access(TOWN) == (replace(PROFILE, name="gateway"), changed)


def test_profiles_of_equal_names_in_two_tenants_do_not_meet(store: DatabaseStore) -> None:
    _add(store, TOWN)
    _add(store, OTHER)
    with store.transaction() as books:
        books.tenants.put_access(TOWN, PROFILE)
        books.tenants.put_access(OTHER, replace(PROFILE, port=23))
        assert (books.tenants.access(TOWN)[0].port, books.tenants.access(OTHER)[0].port) == (22, 23)


def test_mapping_profiles_are_kept_replaced_and_forgotten_per_tenant(store: DatabaseStore) -> None:
    _add(store, TOWN)
    _add(store, OTHER)
    first = MappingProfile(name="pcs", columns=(MappedColumn(heading="Gerät", field="name"),))
    changed = replace(first, kind="notebook", sheet="PCs")
    with store.transaction() as books:
        for profile in (first, replace(first, name="drucker"), changed):
            books.tenants.put_mapping(TOWN, profile)
        assert books.tenants.mappings(TOWN) == (replace(first, name="drucker"), changed)
        assert (books.tenants.mappings(OTHER), books.tenants.drop_mapping(OTHER, "pcs")) == ((), False)
        assert books.tenants.drop_mapping(TOWN, "pcs") and len(books.tenants.mappings(TOWN)) == 1


def test_a_policy_changed_by_hand_into_something_impossible_is_not_used(
    store: DatabaseStore, database_url: str
) -> None:
    _add(store)
    with engine_for(parsed(database_url)).begin() as connection:
        connection.execute(text("UPDATE policy SET record = :bad"), {"bad": b'{"zone": 7}'})
    with pytest.raises(StoreDamaged, match="the policy of town"), store.reading() as books:
        books.tenants.policy(TOWN)

"""Plans are stored once, never changed, and only a child of the current one becomes current. On both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from inventory.model import TenantId
from inventory.store import UnknownTenant
from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.plan import Plan
from orchestrator.core.policy import Policy
from orchestrator.core.refusals import PlanOvertaken, StoreDamaged
from tests.orchestrator.adapters.builders import NOW, TOWN, a_plan

OTHER = TenantId("other")


@pytest.fixture(autouse=True)
def tenants(store: DatabaseStore) -> None:
    with store.transaction() as books:
        books.tenants.add(TOWN, policy=Policy())
        books.tenants.add(OTHER, policy=Policy())


def _put(store: DatabaseStore, plan: Plan) -> Plan:
    with store.transaction() as books:
        books.plans.put(plan.tenant, plan, at=NOW)
    return plan


def _current(store: DatabaseStore, tenant: TenantId = TOWN) -> Plan | None:
    with store.reading() as books:
        return books.plans.current(tenant)


def test_there_is_no_plan_at_first(store: DatabaseStore) -> None:
    assert _current(store) is None


def test_a_plan_comes_back_as_it_was_put_with_its_fingerprint(store: DatabaseStore) -> None:
    plan = _put(store, a_plan())
    found = _current(store)
    assert found == plan
    assert found.fingerprint == plan.fingerprint


def test_a_child_of_the_current_plan_becomes_current_and_its_parent_is_kept(store: DatabaseStore) -> None:
    first = _put(store, a_plan())
    second = _put(store, a_plan(parent=first.fingerprint, seed=1))
    assert _current(store) == second
    with store.reading() as books:
        assert books.plans.get(TOWN, first.fingerprint) == first
        assert books.plans.get(TOWN, "0" * 64) is None


def test_a_plan_whose_parent_is_not_the_current_one_is_overtaken(store: DatabaseStore) -> None:
    first = _put(store, a_plan())
    second = _put(store, a_plan(parent=first.fingerprint, seed=1))
    for late in (a_plan(seed=2), a_plan(parent=first.fingerprint, seed=2), a_plan(parent="0" * 64), second):
        with pytest.raises(PlanOvertaken, match="STO-010"):
            _put(store, late)
    assert _current(store) == second


def test_a_first_plan_that_names_a_parent_is_overtaken(store: DatabaseStore) -> None:
    with pytest.raises(PlanOvertaken):
        _put(store, a_plan(parent="0" * 64))


def test_a_plan_is_not_stored_for_another_tenant_than_its_own(store: DatabaseStore) -> None:
    with pytest.raises(PlanOvertaken), store.transaction() as books:
        books.plans.put(OTHER, a_plan(TOWN), at=NOW)
    with pytest.raises(UnknownTenant):
        _put(store, a_plan(TenantId("nobody")))


def test_plans_of_two_tenants_do_not_meet(store: DatabaseStore) -> None:
    mine, theirs = _put(store, a_plan(TOWN)), _put(store, a_plan(OTHER))
    assert (_current(store, TOWN), _current(store, OTHER)) == (mine, theirs)
    with store.reading() as books:
        assert books.plans.get(TOWN, theirs.fingerprint) is None


def test_of_four_children_at_once_one_becomes_current(store: DatabaseStore, database_url: str) -> None:
    first = _put(store, a_plan())
    start = threading.Barrier(4)

    def put(seed: int) -> bool:
        own = DatabaseStore.open(database_url)
        start.wait(timeout=120)
        try:
            _put(own, a_plan(parent=first.fingerprint, seed=seed))
        except PlanOvertaken:
            return False
        finally:
            own.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(put, range(1, 5))) == 1


def test_two_first_plans_at_once_have_one_winner(store: DatabaseStore, database_url: str) -> None:
    start = threading.Barrier(2)

    def put(seed: int) -> bool:
        own = DatabaseStore.open(database_url)
        start.wait(timeout=120)
        try:
            _put(own, a_plan(seed=seed))
        except PlanOvertaken:
            return False
        finally:
            own.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(put, range(2))) == 1


@pytest.mark.parametrize("act", ["UPDATE plan SET parent = 'x'", "DELETE FROM plan"])
def test_the_database_itself_keeps_plans(store: DatabaseStore, database_url: str, act: str) -> None:
    _put(store, a_plan())
    with pytest.raises(DBAPIError, match="append-only"), engine_for(parsed(database_url)).begin() as connection:
        connection.execute(text(act))


def test_a_plan_written_by_hand_is_found_when_it_is_read(store: DatabaseStore, database_url: str) -> None:
    _put(store, a_plan())
    with engine_for(parsed(database_url)).begin() as connection:
        connection.execute(
            text("INSERT INTO plan SELECT tenant, :other, 'x', at_us, canonical FROM plan"), {"other": "0" * 64}
        )
        connection.execute(text("UPDATE plan_current SET fingerprint = :other"), {"other": "0" * 64})
    with pytest.raises(StoreDamaged, match="STO-020"):
        _current(store)

"""Wrong plans for what runbooks ask: made while nobody said what the runbook asks, so the check must see it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.model import Asset, AssetKind
from orchestrator.core.asks import Asks
from orchestrator.core.plan import PlanRequest
from orchestrator.core.plan_check import check_plan, errors_of
from orchestrator.core.plan_check_asks import asks_unmet
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.procedures import ProcedureSettings
from orchestrator.core.runbook import Need, RoleSource
from tests.estates import a_policy, a_request, a_vault, an_estate
from tests.plan_verifier import counted
from tests.ruled_estates import DESCRIBED, RUNBOOKS, a_procedure, a_server

POLICY = a_policy(runbooks=RUNBOOKS, procedures=(ProcedureSettings(name="EWO", **DESCRIBED),))
ALSO = (a_server("srv-1"), a_procedure("EWO", "srv-1"))


def wrong(asks: Asks, *also: Asset) -> tuple[set[str], dict[str, int]]:
    """Rules that the plan check and the verifier name when the runbook of servers turns out to ask that."""
    blind = a_request(an_estate(also=(*ALSO, *also)), policy=POLICY, asks=(asking(),))
    plan = FirstFitPlanner().propose(blind)
    told = replace(blind, asks=(asks,))
    errors = errors_of(check_plan(plan, told.snapshot, POLICY, request=told))
    return {one.rule for one in errors}, counted(plan, told)


def asking(*machines: RoleSource, procedure: bool = False, needs: tuple[Need, ...] = ()) -> Asks:
    return Asks(runbook="replace-server", machines=machines, procedure=procedure, needs=needs)


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        ("no_service", asking(RoleSource.GATEWAY)),
        ("no_service", asking(RoleSource.DATABASE)),
        ("no_service", asking(RoleSource.TOOL)),
        ("no_successor", asking(RoleSource.SUCCESSOR)),
        ("boot_mac", Asks(runbook="replace-server", machines=(), boots=True)),
        ("need_unmet", asking(needs=(Need(fact="os_name", values=("Debian*",)),))),
        ("no_runbook", Asks(runbook="replace-server", machines=(), fault="It is broken.")),
    ],
)
def test_a_wave_whose_runbook_does_not_find_what_it_asks_is_refused(rule: str, asks: Asks) -> None:
    found, counts = wrong(asks)
    assert found == {rule} and set(counts) == {"asked"}


def test_a_procedure_must_be_described_and_be_the_only_one_there() -> None:
    assert wrong(asking(procedure=True)) == (set(), {})
    other = a_server("srv-9", address="")
    assert wrong(asking(procedure=True), other)[0] == set()
    assert wrong(asking(procedure=True), a_server("srv-3"))[0] == {"no_procedure"}


def test_a_service_that_cannot_be_reached_is_none_unless_nobody_wants_to_reach_it() -> None:
    gateway = a_server("gw", role="gateway", host_key="")
    assert wrong(asking(RoleSource.GATEWAY), gateway)[0] == {"no_service"}
    assert wrong(replace(asking(RoleSource.GATEWAY), reached=False), gateway) == (set(), {})


def test_a_jump_host_need_not_be_there_but_is_a_good_one_where_it_is() -> None:
    assert wrong(asking(RoleSource.JUMP)) == (set(), {})
    assert wrong(asking(RoleSource.JUMP), a_server("sprung", role="jump", access=""))[0] == {"no_service"}


def test_no_vault_is_missed_by_a_runbook_that_asks_for_none() -> None:
    assert wrong(asking(), a_vault(role="")) == (set(), {})
    assert wrong(asking(RoleSource.VAULT), a_vault(role=""))[0] == {"no_vault"}


def test_a_star_counts_only_at_the_end_of_what_is_needed() -> None:
    request = PlanRequest(snapshot=an_estate(also=ALSO), policy=POLICY, not_before=a_request(an_estate()).not_before)
    plan = FirstFitPlanner().propose(request)
    for value, named in (("", False), ("*", False), ("[x", True), ("d*n", True)):
        told = replace(request, asks=(asking(needs=(Need(fact="os_name", values=(value,)),)),))
        rules = {rule for rule, _, assets in asks_unmet(plan, told.snapshot, POLICY, request=told) if assets}
        assert rules == ({"need_unmet"} if named else set())
    assert AssetKind.SERVER in POLICY.runbooks

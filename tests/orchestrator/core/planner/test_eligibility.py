"""Which machines can move, and the first rule that the others fail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from inventory.model import Asset, AssetId, AssetKind, Dependency, DependencyKind
from orchestrator.core.asks import Asks
from orchestrator.core.plan import Planner, PlanRequest
from orchestrator.core.plan_check import check_plan, errors_of
from orchestrator.core.planner.eligibility import RULE_NAMES, faults_of
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.planner.stepwise import StepwisePlanner
from orchestrator.core.policy import Policy
from orchestrator.core.procedures import ProcedureSettings
from orchestrator.core.runbook import Need, RoleSource
from tests.estates import REACHED, a_pair, a_policy, a_request, a_vault, an_asset, an_estate, old
from tests.plan_verifier import violations
from tests.ruled_estates import DESCRIBED, a_procedure, a_server


def rule_of(*also: Asset, pairs: int = 1, name: str = "old-0000") -> str:
    fault = faults_of(a_request(an_estate(pairs, also=also)))[AssetId(name)]
    return fault.rule if fault else ""


def the_old(**values: object) -> Asset:
    return a_pair(0, **values)[0]  # type: ignore[arg-type]


def the_new(**values: object) -> Asset:
    return an_asset("new-0000", **{"address": "new-0.stadt.example", **REACHED, **values})  # type: ignore[arg-type]


def test_a_complete_pair_fails_no_rule() -> None:
    assert rule_of() == ""


@pytest.mark.parametrize(
    ("rule", "also"),
    [
        ("retained", (the_old(strategy="retain"),)),
        ("no_successor", (the_old(successor=""),)),
        ("successor_unknown", (the_old(successor="nobody"),)),
        ("successor_replaced", (the_old(successor="old-0000"),)),
        ("successor_replaced", (the_old(successor="new-0000"), the_new(successor="x"), an_asset("x"))),
        ("successor_unfit", (the_old(successor="muster"), an_asset("muster", kind=AssetKind.TEMPLATE))),
        ("successor_unfit", (the_old(successor="vault-1"),)),
        ("successor_taken", (an_asset("other", successor="NEW-0000"),)),
        ("no_address", (the_old(address=""),)),
        ("no_address", (the_new(address=""),)),
        ("same_address", (the_old(address="NEW-0.stadt.example"),)),
        ("no_access", (the_old(access=""),)),
        ("no_access", (the_new(access=""),)),
        ("no_host_key", (the_old(host_key=""),)),
        ("no_host_key", (the_new(host_key=""),)),
        ("no_vault", (a_vault(host_key=""),)),
        ("no_vault", (a_vault(role="gateway"),)),
    ],
)
def test_what_is_missing_is_told_by_the_first_rule_that_fails(rule: str, also: tuple[Asset, ...]) -> None:
    assert rule_of(*also) == rule


def test_a_kind_without_a_runbook_is_left_over() -> None:
    assert rule_of(an_asset("printer-1", kind=AssetKind.PRINTER), name="printer-1") == "no_runbook"


def test_the_order_of_the_rules_decides_what_is_said_first() -> None:
    bare = an_asset("old-0000")
    assert rule_of(bare) == "no_successor"
    assert RULE_NAMES.index("no_successor") < RULE_NAMES.index("no_address") < RULE_NAMES.index("no_vault")


def test_places_seats_templates_successors_and_machines_that_serve_all_waves_are_no_moves() -> None:
    also = (
        an_asset("Rathaus", kind=AssetKind.SITE),
        an_asset("Platz 1", kind=AssetKind.SEAT, machine="old-0000"),
        an_asset("EWO", kind=AssetKind.PROCEDURE),
        an_asset("muster", kind=AssetKind.TEMPLATE),
        an_asset("gw", kind=AssetKind.SERVER, role="gateway"),
    )
    assert set(faults_of(a_request(an_estate(1, also=also)))) == {old(0)}


def test_settled_assets_are_not_asked_about() -> None:
    assert set(faults_of(a_request(an_estate(2), settled=frozenset({old(0)})))) == {old(1)}


def test_names_with_braces_and_jinja_are_only_text() -> None:
    fault = faults_of(a_request(an_estate(1, also=(the_old(successor="{{ lookup('pipe','id') }}"),))))[old(0)]
    assert fault is not None and "{{ lookup" in fault.says


WINDOWS = {"os_name": "Microsoft Windows 11 Pro", "address": "", "access": "", "host_key": ""}
BY_HAND = a_policy(by_hand={AssetKind.WORKSTATION: "at-desks"})


def by_hand(*also: Asset, policy: Policy = BY_HAND) -> PlanRequest:
    """An estate without a vault."""
    return a_request(an_estate(2, also=(a_vault(role="gateway"), *also)), policy=policy)


def test_what_people_move_needs_a_successor_and_nothing_that_a_machine_is_reached_by() -> None:
    seat = (the_old(**WINDOWS), the_new(address="", access="", host_key=""))
    faults = faults_of(by_hand(*seat))
    assert faults[AssetId("old-0000")] is None
    linux = faults[AssetId("old-0001")]
    assert linux is not None and linux.rule == "no_vault"
    lone = faults_of(by_hand(the_old(**WINDOWS, successor="")))[AssetId("old-0000")]
    assert lone is not None and lone.rule == "no_successor"


def test_windows_machines_of_a_kind_without_work_by_hand_are_planned_as_before() -> None:
    request = by_hand(the_old(**WINDOWS), policy=a_policy(by_hand={AssetKind.NOTEBOOK: "at-desks"}))
    fault = faults_of(request)[AssetId("old-0000")]
    assert fault is not None and fault.rule == "no_address"


@pytest.mark.parametrize("planner", [FirstFitPlanner(), StepwisePlanner()])
def test_a_plan_with_both_passes_the_second_opinion_in_waves_of_their_own(planner: Planner) -> None:
    seat = (the_old(**WINDOWS), the_new(address="", access="", host_key=""))
    request = a_request(an_estate(3, also=seat), policy=BY_HAND)
    plan = planner.propose(request)
    assert errors_of(check_plan(plan, request.snapshot, request.policy, request=request)) == ()
    assert {wave.runbook: sorted(wave.assets) for wave in plan.waves} == {
        "at-desks": ["old-0000"],
        "replace-workstation": ["old-0001", "old-0002"],
    }
    assert not plan.why_not and violations(plan, request) == []


LORRY = Asks(
    runbook="move-server",
    machines=(RoleSource.ASSET, RoleSource.GATEWAY, RoleSource.SUCCESSOR),
    procedure=True,
    needs=(Need(fact="os_name", values=("Debian*", "Ubuntu 24.04")),),
)
GATEWAY = a_server("gw-1", role="gateway")
SERVERS = a_policy(
    runbooks={AssetKind.WORKSTATION: "replace-workstation", AssetKind.SERVER: "move-server"},
    procedures=tuple(ProcedureSettings(name=name, **DESCRIBED) for name in ("EWO", "Wohngeld")),
)


def with_servers(*also: Asset, asks: Asks = LORRY, **values: Any) -> PlanRequest:
    """Two seats, and a server that moves by a runbook which asks for a gateway and a described procedure."""
    server = a_server("srv-1", **{"successor": "srv-2", "os_name": "Debian 12", **values})
    given = {one.name for one in also}
    usual = (server, a_server("srv-2"), GATEWAY, a_procedure("EWO", "srv-1"))
    kept = tuple(one for one in usual if one.name not in given)
    return a_request(an_estate(2, also=(*kept, *also)), policy=SERVERS, asks=(asks,))


@pytest.mark.parametrize(
    ("rule", "request_"),
    [
        ("", with_servers()),
        ("", with_servers(a_vault(role=""), a_procedure("ewo", "SRV-1"), a_procedure("Bauakte", "srv-1"))),
        ("", with_servers(a_server("sprung", role="jump"), os_name="ubuntu 24.04")),
        ("no_procedure", with_servers(a_procedure("EWO", "elsewhere"))),
        ("no_procedure", with_servers(a_procedure("Wohngeld"), procedures=("wohngeld",))),
        ("no_service", with_servers(a_server("gw-1", role=""))),
        ("no_service", with_servers(a_server("gw-1", role="gateway", host_key=""))),
        ("no_successor", with_servers(successor="")),
        ("need_unmet", with_servers(os_name="Windows Server 2019")),
        ("need_unmet", with_servers(os_name="")),
        ("no_runbook", with_servers(asks=replace(LORRY, fault="It is broken."))),
        ("no_vault", with_servers(a_vault(role=""), asks=Asks(runbook="move-server"))),
    ],
)
@pytest.mark.parametrize("planner", [FirstFitPlanner(), StepwisePlanner()])
def test_a_server_is_left_over_for_what_its_own_runbook_asks_and_the_rest_is_planned(
    rule: str, request_: PlanRequest, planner: Planner
) -> None:
    plan = planner.propose(request_)
    assert errors_of(check_plan(plan, request_.snapshot, request_.policy, request=request_)) == ()
    assert violations(plan, request_) == []
    left = {asset: one.rule for one in plan.why_not for asset in one.assets}
    assert left.get(AssetId("srv-1"), "") == rule
    seats = {asset for wave in plan.waves for asset in wave.assets if wave.runbook == "replace-workstation"}
    has_vault = any(one.text("role") == "vault" for one in request_.snapshot.assets)
    assert seats == ({old(0), old(1)} if has_vault else set())


def test_the_second_opinion_finds_a_windows_machine_in_a_wave_that_reaches_machines() -> None:
    plan = FirstFitPlanner().propose(a_request(an_estate(1)))
    request = a_request(an_estate(1, also=(the_old(**{**WINDOWS, "address": "x", "access": "y", "host_key": "z"}),)))
    rules = {one.rule for one in errors_of(check_plan(plan, request.snapshot, BY_HAND, request=request))}
    assert "runbook" in rules


RETIRING = a_policy(retire={AssetKind.SERVER: "retire-asset", AssetKind.WORKSTATION: "retire-asset"})
LEAVE = Asks(runbook="retire-asset", machines=(RoleSource.ASSET, RoleSource.VAULT))


def retiring(*also: Asset, policy: Policy = RETIRING, needed: tuple[Dependency, ...] = ()) -> PlanRequest:
    """An estate whose policy retires machines."""
    estate = an_estate(1, also=also)
    return a_request(replace(estate, dependencies=needed), policy=policy, asks=(LEAVE,))


def test_what_retires_needs_no_successor_and_stays_without_a_runbook_for_it() -> None:
    gone = a_server("srv-old", strategy="retire", os_name="Debian 11")
    assert faults_of(retiring(gone, the_old(strategy="retire", successor="")))[gone.id] is None
    assert faults_of(retiring(the_old(strategy="retire", successor="")))[AssetId("old-0000")] is None
    stays = faults_of(retiring(gone, policy=a_policy()))[gone.id]
    windows = a_server("srv-win", strategy="retire", os_name="Windows Server 2016")
    left = faults_of(retiring(windows))[windows.id]
    assert stays is not None and left is not None and (stays.rule, left.rule) == ("no_runbook", "no_runbook")


@pytest.mark.parametrize("by", ["dependency", "procedure", "machine"])
def test_what_others_need_does_not_retire_before_them(by: str) -> None:
    uses = a_server("srv-app")
    gone = a_server("srv-old", strategy="retire", procedures=("EWO",) if by == "machine" else ())
    ewo = a_procedure("EWO", *(("srv-old",) if by == "procedure" else ()))
    edge = Dependency(tenant=gone.tenant, asset=uses.id, needs=gone.id, kind=DependencyKind.HARD)
    also = (gone, uses) if by == "dependency" else (gone, ewo)
    request = retiring(*also, needed=(edge,) if by == "dependency" else ())
    fault = faults_of(request)[gone.id]
    assert fault is not None and fault.rule == "still_needed", fault
    assert ("srv-app" if by == "dependency" else "EWO") in fault.says
    last = a_server("srv-app", strategy="retire"), a_procedure("EWO", "srv-old", strategy="retire")
    both = retiring(gone, *last, needed=(edge,) if by == "dependency" else ())
    assert faults_of(both)[gone.id] is None


@pytest.mark.parametrize("planner", [FirstFitPlanner(), StepwisePlanner()])
def test_retiring_machines_are_planned_in_waves_of_their_own_which_the_second_opinion_passes(planner: Planner) -> None:
    request = retiring(a_server("srv-old", strategy="retire"), a_server("srv-last", strategy="retire"))
    plan = planner.propose(request)
    assert errors_of(check_plan(plan, request.snapshot, request.policy, request=request)) == ()
    assert {wave.runbook: sorted(wave.assets) for wave in plan.waves} == {
        "replace-workstation": ["old-0000"],
        "retire-asset": ["srv-last", "srv-old"],
    }
    stays = check_plan(plan, request.snapshot, a_policy(), request=request)
    assert {"retained", "runbook"} <= {one.rule for one in errors_of(stays)}
    needed = retiring(
        a_server("srv-old", strategy="retire"), a_server("srv-last", strategy="retire"), a_procedure("V", "srv-old")
    )
    found = errors_of(check_plan(plan, needed.snapshot, needed.policy, request=None))
    assert [(one.rule, one.assets) for one in found if one.rule == "still_needed"] == [("still_needed", ("srv-old",))]


MAC = "52:54:00:00:00:01"


def booted(*also: Asset, boots: bool = True) -> str:
    asks = Asks(runbook="replace-workstation", machines=(RoleSource.ASSET, RoleSource.SUCCESSOR), boots=boots)
    fault = faults_of(replace(a_request(an_estate(1, also=also)), asks=(asks,)))[old(0)]
    return f"{fault.rule}: {fault.says}" if fault else ""


def test_a_successor_that_boots_by_its_hardware_address_is_the_only_machine_that_has_it() -> None:
    other = an_asset("Drucker", kind=AssetKind.PRINTER, mac=(MAC,))
    assert booted(the_new(mac=(MAC,))) == booted(the_new(mac=(MAC,)), other, boots=False) == ""
    said = booted(the_new(mac=(MAC,)), other)
    assert said.startswith("boot_mac: ") and "'new-0000'" in said and "'Drucker'" in said and MAC in said
    assert "has 0" in booted(the_new()) and "has 2" in booted(the_new(mac=(MAC, "52:54:00:00:00:02")))

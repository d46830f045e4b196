"""Proposing: the second opinion has a veto, an empty plan says why, and what the books say becomes the request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inventory.model import AssetId
from orchestrator.actions.desk import Desk
from orchestrator.actions.propose_plan import EmptyPlan, PlanRefused, propose, request_in
from orchestrator.actions.record import change_move, change_wave
from orchestrator.actions.sign import Keyboard
from orchestrator.actions.store_plan import store_plan
from orchestrator.cli.context import Context
from orchestrator.core.decide import ChangeMove
from orchestrator.core.freeze import Frozen
from orchestrator.core.lifecycle import MoveEvent, WaveEvent
from orchestrator.core.plan import Plan, PlanRequest
from orchestrator.core.plan_check import check_plan
from orchestrator.core.planner.first_fit import FirstFitPlanner
from tests.estates import TENANT, a_pair, a_policy, a_request, an_estate, old
from tests.orchestrator.core.builders import a_runbook
from tests.planning_town import AROUND_THE_CLOCK, a_home

FIRST_FIT = FirstFitPlanner()


class WrongPlanner:
    """A planner that forgets the last wave."""

    def propose(self, request: PlanRequest) -> Plan:
        plan = FIRST_FIT.propose(request)
        return replace(plan, waves=plan.waves[:-1])


def test_a_plan_that_passes_the_second_opinion_is_proposed() -> None:
    assert len(propose(FIRST_FIT, a_request(an_estate(3)), check_plan).waves) == 1


def test_a_plan_that_breaks_a_rule_is_refused_with_every_finding() -> None:
    with pytest.raises(PlanRefused) as refused:
        propose(WrongPlanner(), a_request(an_estate(3)), check_plan)
    assert [one.rule for one in refused.value.findings] == ["dropped"]
    assert "'old-0000'" in str(refused.value)


def test_a_plan_without_waves_names_the_rules_of_its_leftovers() -> None:
    estate = an_estate(also=(*a_pair(0, address=""), *a_pair(1, access="")))
    with pytest.raises(EmptyPlan) as empty:
        propose(FIRST_FIT, a_request(estate), check_plan)
    assert "2 assets are left over (no_address 1, no_access 1). The first reason: It has no address." in str(
        empty.value
    )
    assert len(empty.value.plan.why_not) == 2


def test_an_empty_inventory_gives_an_empty_plan_that_says_so() -> None:
    with pytest.raises(EmptyPlan) as empty:
        propose(FIRST_FIT, a_request(an_estate()), check_plan)
    assert "everything that can move has moved" in str(empty.value)


# --------------------------------------------------------------------------- what the books say


@pytest.fixture
def town(tmp_path: Path) -> Context:
    policy = a_policy(weekly=(AROUND_THE_CLOCK,), holidays="", assets_per_window=3)
    return a_home(tmp_path, estate=an_estate(5), policy=policy)


def the_request(desk: Desk) -> PlanRequest:
    return request_in(desk.books, tenant=TENANT, not_before=desk.now)


def stored(town: Context, desk: Desk) -> Plan:
    """A first plan of two waves, three assets and two, stored and proposed by Anna."""
    request = the_request(desk)
    plan = propose(FIRST_FIT, request, check_plan)
    frozen = Frozen(
        snapshot=request.snapshot,
        policy=request.policy,
        runbooks={"replace-workstation": a_runbook()},
        profiles={one.name: one for one in desk.books.tenants.access(TENANT)},
        ansible_core="2.19.14",
    )
    keyboard = Keyboard(person="anna", key_file=town.settings.home.parent / "anna")
    store_plan(desk, plan, frozen=frozen, keyboard=keyboard)
    return plan


def begin(desk: Desk, key: str) -> None:
    for event in (WaveEvent.APPROVE, WaveEvent.CLAIM, WaveEvent.START):
        change_wave(desk, desk.books.waves.get(TENANT, key), event)


def happen(desk: Desk, asset: AssetId, *events: MoveEvent) -> None:
    wave = desk.books.waves.get(TENANT, "W01")
    for event in events:
        (move,) = [one for one in desk.books.waves.moves(TENANT, "W01") if one.asset == asset]
        change_move(desk, wave, move, ChangeMove(asset=asset, event=event, cause="", step=""))


def test_a_first_request_has_no_parent_and_begins_with_wave_one(town: Context) -> None:
    with town.world.desk() as desk:
        request = the_request(desk)
    assert (request.parent, request.first_number, request.settled, request.pins) == (None, 1, frozenset(), ())


def test_proposed_waves_may_be_planned_anew_under_their_own_keys(town: Context) -> None:
    with town.world.desk() as desk:
        plan = stored(town, desk)
        request = the_request(desk)
        again = propose(FIRST_FIT, request, check_plan)
    assert (request.parent, request.first_number, request.settled) == (plan, 1, frozenset())
    assert [wave.key for wave in again.waves] == ["W01", "W02"]
    assert again.waves == plan.waves


def test_a_wave_under_way_is_settled_and_its_number_is_used_up(town: Context) -> None:
    with town.world.desk() as desk:
        plan = stored(town, desk)
        begin(desk, "W01")
        request = the_request(desk)
        again = propose(FIRST_FIT, request, check_plan)
    assert request.settled == frozenset(plan.waves[0].assets)
    assert request.first_number == 2
    (begun,) = request.begun
    assert (begun.key, begun.window) == ("W01", plan.waves[0].window)
    assert {asset for group in begun.groups for asset in group} == request.settled
    assert [wave.key for wave in again.waves] == ["W02"]
    assert again.waves[0] == plan.waves[1]


def test_of_a_closed_wave_only_what_is_as_before_is_planned_again(town: Context) -> None:
    with town.world.desk() as desk:
        plan = stored(town, desk)
        moved, waiting, lost = plan.waves[0].assets
        begin(desk, "W01")
        happen(desk, moved, MoveEvent.BEGIN, MoveEvent.COMPLETE)
        happen(desk, waiting, MoveEvent.HOLD)
        happen(desk, lost, MoveEvent.BEGIN, MoveEvent.FAIL, MoveEvent.GIVE_UP)
        change_wave(desk, desk.books.waves.get(TENANT, "W01"), WaveEvent.CLOSE)
        request = the_request(desk)
        again = propose(FIRST_FIT, request, check_plan)
    assert request.settled == frozenset({moved, lost})
    assert {asset for group in request.begun[0].groups for asset in group} == {moved, lost}
    assert waiting in {asset for wave in again.waves for asset in wave.assets}
    assert old(0) in plan.waves[0].assets


def test_approved_waves_are_held_unless_people_agree_that_they_move(town: Context) -> None:
    with town.world.desk() as desk:
        plan = stored(town, desk)
        change_wave(desk, desk.books.waves.get(TENANT, "W02"), WaveEvent.APPROVE)
        request = the_request(desk)
        free = request_in(desk.books, tenant=TENANT, not_before=desk.now, move_approved=True)
    assert (request.approved, free.approved) == (frozenset({"W02"}), frozenset())
    again = propose(FIRST_FIT, request, check_plan)
    assert again.wave("W02") == plan.wave("W02")

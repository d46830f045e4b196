"""Editing a plan by hand: groups go together, the rest stays, pins hold the edit, the plan check has the last word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.model import AssetId, DependencyKind
from orchestrator.core.constraints import Level
from orchestrator.core.plan import Pin, Plan, PlanRequest, WaveKey
from orchestrator.core.plan_check import check_plan, errors_of
from orchestrator.core.plan_edit import (
    NOT_PLANNED,
    EditContradicts,
    Edited,
    EditNotAMove,
    EditWaveUnknown,
    NothingToEdit,
    Wish,
    edited,
)
from orchestrator.core.planner.stepwise import StepwisePlanner
from tests.estates import MONDAY, a_pair, a_policy, a_request, an_estate, needs, old

BOUND = needs("old-0003", "old-0004", DependencyKind.HARD)


def a_planned_request(pairs: int = 12, **changes: object) -> PlanRequest:
    """Two waves of six and their plan in force; old-0003 and old-0004 move together."""
    estate = an_estate(pairs, edges=(BOUND,), also=a_pair(90, address=""))
    request = a_request(estate, policy=a_policy(assets_per_window=8, batch_size=3), **changes)
    return replace(request, parent=StepwisePlanner().propose(request))


def to(number: int, wave: str) -> Wish:
    return Wish(asset=old(number), wave=WaveKey(wave))


def wave_of(plan: Plan, number: int) -> str:
    return next((str(wave.key) for wave in plan.waves if old(number) in wave.assets), "")


def parent_of(request: PlanRequest) -> Plan:
    assert request.parent is not None
    return request.parent


def errors(found: Edited) -> list[str]:
    request = found.request
    return [one.rule for one in errors_of(check_plan(found.plan, request.snapshot, request.policy, request=request))]


def test_an_asset_moves_with_its_group_and_the_new_plan_is_a_child_of_the_one_in_force() -> None:
    request = a_planned_request()
    assert wave_of(parent_of(request), 3) == "W01"
    found = edited(request, [to(3, "W02")])
    assert (wave_of(found.plan, 3), wave_of(found.plan, 4)) == ("W02", "W02")
    assert found.plan.parent == parent_of(request).fingerprint
    assert errors(found) == []


def test_a_wave_that_the_edit_does_not_touch_stays_to_the_letter() -> None:
    request = a_planned_request(20)
    found = edited(request, [to(3, "W02")])
    assert found.plan.wave("W03") == parent_of(request).wave("W03")


def test_the_edit_is_pinned_so_that_the_next_planning_keeps_it() -> None:
    request = a_planned_request()
    found = edited(request, [to(3, "W02")])
    assert found.pins == (Pin(asset=old(3), wave=WaveKey("W02")),)
    again = StepwisePlanner().propose(replace(found.request, parent=found.plan))
    assert (wave_of(again, 3), wave_of(again, 4)) == ("W02", "W02")


def test_the_next_planning_changes_nothing_more_so_that_approvals_hold() -> None:
    request = a_planned_request(20)
    late = parent_of(request).waves[-1].assets[0]
    found = edited(request, [to(0, "W03"), Wish(asset=late, wave=WaveKey("W01"))])
    assert found.plan.waves != parent_of(request).waves
    again = StepwisePlanner().propose(replace(found.request, parent=found.plan))
    assert again.waves == found.plan.waves


def test_risk_and_figures_are_those_of_the_edited_plan() -> None:
    needing = needs("old-0001", "old-0000")
    request = a_request(an_estate(12, edges=(needing,)), policy=a_policy(assets_per_window=8))
    request = replace(request, parent=StepwisePlanner().propose(request))
    found = edited(request, [to(1, "W02")])
    planned = StepwisePlanner().propose(replace(found.request, parent=found.plan))
    figures = {one.level: one.value for one in found.plan.judged}
    assert figures[Level.BRIDGES] == 5 and figures[Level.EXPOSURE] == 24
    assert [wave.risk for wave in found.plan.waves] == [wave.risk for wave in planned.waves]
    assert all(one.bound is None for one in found.plan.judged)


def test_an_edit_does_not_forget_that_an_asset_must_not_move_before_a_day() -> None:
    late = Pin(asset=old(3), not_before=MONDAY + timedelta(days=30))
    request = replace(a_planned_request(), pins=(late,))
    found = edited(request, [to(3, "W02")])
    assert found.pins == (replace(late, wave=WaveKey("W02")),)
    assert "pin" in errors(found)


def test_the_plan_check_sees_a_wave_that_the_edit_made_too_large() -> None:
    found = edited(a_planned_request(14), [to(number, "W02") for number in (0, 3, 6, 9)])
    assert "capacity" in errors(found)


def test_a_wave_that_loses_its_last_group_is_gone() -> None:
    request = a_planned_request(9)
    (alone,) = parent_of(request).waves[-1].assets
    found = edited(request, [Wish(asset=alone, wave=WaveKey("W01"))])
    assert [wave.key for wave in found.plan.waves] == ["W01"]


def test_two_wishes_for_one_group_that_disagree_are_refused_by_name() -> None:
    with pytest.raises(EditContradicts, match=r"'old-0003' and 'old-0004' move together.*W02.*W01"):
        edited(a_planned_request(), [to(3, "W02"), to(4, "W01")])


def test_unknown_waves_waves_under_way_and_assets_that_do_not_wait_are_refused() -> None:
    request = a_planned_request()
    with pytest.raises(EditWaveUnknown, match=r"'W09'; it has W01, W02"):
        edited(request, [to(3, "W09")])
    with pytest.raises(EditWaveUnknown, match=r"'W01'; it has W02"):
        edited(request, [to(11, "W01")], fixed=frozenset({WaveKey("W01")}))
    with pytest.raises(EditNotAMove, match="new-0003"):
        edited(request, [Wish(asset=AssetId("new-0003"), wave=WaveKey("W02"))])
    with pytest.raises(NothingToEdit):
        edited(replace(request, parent=None), [to(3, "W02")])


def test_a_leftover_can_be_asked_for_and_its_fault_is_found() -> None:
    found = edited(a_planned_request(), [to(90, "W02")])
    assert wave_of(found.plan, 90) == "W02"
    assert "no_address" in errors(found)


def test_what_came_since_the_plan_was_made_is_named_as_such() -> None:
    request = a_planned_request()
    grown = an_estate(13, edges=(BOUND,), also=a_pair(90, address=""))
    found = edited(replace(request, snapshot=grown), [to(3, "W02")])
    assert {one.rule for one in found.plan.why_not} == {"no_address", NOT_PLANNED}
    assert errors(found) == []
    placed = edited(replace(request, snapshot=grown), [to(12, "W02")])
    assert wave_of(placed.plan, 12) == "W02"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.sampled_from(["W01", "W02"])), max_size=8))
def test_edits_lose_no_asset_and_tear_no_group(moves: list[tuple[int, str]]) -> None:
    request = a_planned_request()
    last = {(3 if number == 4 else number): wave for number, wave in moves}
    found = edited(request, [to(number, wave) for number, wave in last.items()])
    assert set(errors(found)) <= {"capacity"}
    assert all(wave_of(found.plan, number) == wave for number, wave in last.items())

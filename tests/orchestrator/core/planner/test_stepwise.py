"""Planning in steps: what is found keeps every rule, what was planned stays, and nothing is taken on trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from inventory.model import AssetId, DependencyKind, Snapshot, TenantId
from orchestrator.core.constraints import Capacity, Effort, First, Level, Measure, Planning, Scope, Stock
from orchestrator.core.plan import Pin, Plan, PlanRequest, WaveKey
from orchestrator.core.plan_check import check_plan, errors_of
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.planner.solver import Answer
from orchestrator.core.planner.stepwise import StepwisePlanner, without_search
from orchestrator.core.policy import Freeze, Weekday, WeeklyWindow, Window
from tests.estates import MONDAY, a_pair, a_policy, a_request, an_estate, needs, old
from tests.orchestrator.core.planner.test_build import a_ruled_request, mixed

NOTHING = Capacity(name="hands", of=Measure.ASSETS, most=0)
NEVER = Stock(name="boxes", of=Measure.ASSETS, deliveries=())
ONE_WAY = First(name="one", first=Scope(names=("old-0000",)), then=Scope(names=("old-0001",)))
OTHER_WAY = First(name="other", first=Scope(names=("old-0001",)), then=Scope(names=("old-0000",)))
LATE = Pin(asset=old(0), not_before=MONDAY + timedelta(days=2))


class Liar:
    """A solver that puts everything into the first window."""

    def solve(self, question: Mapping[str, Any]) -> Answer:
        """Nonsense with a proud bound."""
        return Answer(windows=(0,) * len(question["units"]), bounds={Level.EXPOSURE: 0.0})


def searching(request: PlanRequest, *, search: int = 2) -> PlanRequest:
    planning = replace(request.policy.planning, search=search)
    return replace(request, policy=replace(request.policy, planning=planning))


def places(plan: Plan) -> dict[str, object]:
    return {str(asset): wave.window.closes for wave in plan.waves for asset in wave.assets}


@pytest.mark.parametrize("seed", range(16))
def test_no_plan_that_was_searched_for_fails_the_second_opinion_and_order_never_matters(seed: int) -> None:
    request = searching(a_ruled_request(seed))
    plan = StepwisePlanner().propose(request)
    assert errors_of(check_plan(plan, request.snapshot, request.policy, request=request)) == ()
    assert StepwisePlanner().propose(replace(request, snapshot=mixed(request.snapshot, seed))) == plan


def test_without_a_search_it_is_first_fit_with_its_values_and_risks() -> None:
    request = a_request(an_estate(23))
    plan = StepwisePlanner(Liar()).propose(request)
    plain = FirstFitPlanner().propose(request)
    assert [wave.assets for wave in plan.waves] == [wave.assets for wave in plain.waves]
    assert [one.level for one in plan.judged] == list(Level)
    assert all(wave.risk is not None for wave in plan.waves)
    assert without_search(searching(request)).policy.planning == Planning()


def test_an_answer_that_breaks_a_rule_is_not_taken() -> None:
    request = searching(a_request(an_estate(23, edges=(needs(old(0), old(22)),))))
    plan = StepwisePlanner(Liar()).propose(request)
    assert max(len(wave.assets) for wave in plan.waves) <= 10
    assert plan == StepwisePlanner().propose(request)
    assert all(one.bound in (None, one.value) for one in plan.judged[:3]), "only what needs no solver"


def test_neighbours_are_brought_together() -> None:
    edges = tuple(needs(old(n), old(n + 1)) for n in range(0, 22, 2))
    plan = StepwisePlanner().propose(searching(a_request(an_estate(23, edges=edges))))
    assert {one.level: one.value for one in plan.judged}[Level.BRIDGES] == 0


def test_a_new_plan_leaves_untouched_assets_where_they_were() -> None:
    """Two seats go, one comes that would stand before all others in the order of departments."""
    first = searching(a_request(an_estate(40), policy=a_policy(canary_size=1)))
    plan = StepwisePlanner().propose(first)
    estate = an_estate(40, also=a_pair(41, department="Aa"))
    less = Snapshot(
        tenant=estate.tenant,
        assets=tuple(one for one in estate.assets if one.id not in (old(3), old(4))),
        dependencies=estate.dependencies,
    )
    later = StepwisePlanner().propose(replace(first, snapshot=less, parent=plan))
    before, after = places(plan), places(later)
    assert all(after[asset] == before[asset] for asset in before if asset in after)
    assert str(old(41)) in after
    assert {one.level: one.value for one in later.judged}[Level.CHANGES] == 0


def test_nothing_leaves_an_approved_wave_and_nothing_is_added_unless_people_agree() -> None:
    request = a_request(an_estate(15))
    plan = StepwisePlanner().propose(request)
    estate = an_estate(15, also=a_pair(20), edges=(needs(old(20), old(14), DependencyKind.HARD),))
    held = replace(request, snapshot=estate, parent=plan, approved=frozenset({plan.waves[1].key}))
    later = StepwisePlanner().propose(held)
    assert set(later.waves[1].assets) == set(plan.waves[1].assets) - {old(14)}
    assert {one.rule: one.assets for one in later.why_not} == {"approved": (old(14), old(20))}
    assert errors_of(check_plan(later, estate, held.policy, request=held)) == ()
    free = replace(held, approved=frozenset())
    moved = StepwisePlanner().propose(free)
    assert old(20) in moved.waves[1].assets
    assert {one.rule for one in errors_of(check_plan(moved, estate, held.policy, request=held))} == {"approved"}


def test_a_bound_is_never_above_what_was_found() -> None:
    for seed in range(12):
        plan = StepwisePlanner().propose(searching(a_ruled_request(seed)))
        assert all(one.bound is None or one.bound <= one.value for one in plan.judged)


FOREIGN = replace(needs(old(0), old(1), DependencyKind.HARD), tenant=TenantId("nachbar"))
LONG_AGO = Window(opens=MONDAY - timedelta(days=9), closes=MONDAY - timedelta(days=8))
SPRING = datetime(2027, 3, 25, tzinfo=UTC)
GAP = WeeklyWindow(days=(Weekday.SUN,), opens=time(2, 0), closes=time(2, 45))
"""On the night of the clock change there is no such time."""
ALWAYS = Freeze(name="always", first=date(2000, 1, 1), last=date(2199, 1, 1))
CIRCLE = tuple(needs(old(n), old((n + 1) % 10_000)) for n in range(10_000))
LARGE = tuple(needs(old(0), old(n), DependencyKind.HARD) for n in range(1, 15))


@pytest.mark.parametrize(
    ("rules", "request_"),
    [
        ({"group_too_large"}, a_request(an_estate(10_000, edges=CIRCLE))),
        (set(), a_request(an_estate(3, edges=(needs(old(0), old(0)), needs(old(1), "nobody"))))),
        ({"group_too_large"}, a_request(an_estate(15, edges=LARGE))),
        ({"no_window"}, a_request(an_estate(3), policy=a_policy(weekly=()))),
        ({"limit"}, a_request(an_estate(3), policy=a_policy(planning=Planning(capacities=(NOTHING,))))),
        ({"stock"}, a_request(an_estate(3), policy=a_policy(planning=Planning(stocks=(NEVER,))))),
        ({"window_fit"}, a_request(an_estate(3), policy=a_policy(planning=Planning(efforts=(Effort(minutes=9_999),))))),
        ({"first"}, a_request(an_estate(3), policy=a_policy(planning=Planning(first=(ONE_WAY, OTHER_WAY))))),
        ({"pinned_wave"}, a_request(an_estate(1), pins=(Pin(asset=old(0), wave=WaveKey("W77")),))),
        ({"pins_disagree"}, a_request(an_estate(1), pins=(Pin(asset=old(0), not_with=(old(0),)),))),
        (set(), a_request(an_estate(2, edges=(FOREIGN,)))),
        ({"no_window"}, a_request(an_estate(2), policy=a_policy(weekly=(), windows=(LONG_AGO,)))),
        ({"no_window"}, a_request(an_estate(2), policy=a_policy(weekly=(GAP,), horizon_days=6), not_before=SPRING)),
        ({"no_window"}, a_request(an_estate(2), policy=a_policy(freezes=(ALWAYS,)))),
        (set(), a_request(an_estate(2), pins=(LATE, LATE, Pin(asset=AssetId("nobody"), not_with=(old(0),))))),
    ],
)
def test_bad_input_is_explained_never_guessed(rules: set[str], request_: PlanRequest) -> None:
    plan = StepwisePlanner().propose(request_)
    assert {one.rule for one in plan.why_not} == rules
    assert errors_of(check_plan(plan, request_.snapshot, request_.policy, request=request_)) == ()
    for one in plan.why_not:
        assert one.says and one.remedy

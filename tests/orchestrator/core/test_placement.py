"""The binding reason of a place: the rules, the pin, the plan before, or the objective."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from inventory.model import DependencyKind
from orchestrator.core.constraints import Level, Planning, Scope, Task
from orchestrator.core.placement import placement
from orchestrator.core.plan import Pin, Plan, PlanRequest, WaveKey
from orchestrator.core.planner.first_fit import FirstFitPlanner
from tests.estates import MONDAY, a_policy, a_request, an_estate, needs, old


def told(request: PlanRequest, plan: Plan, number: int) -> str:
    return " ".join(one.text for one in placement(request, plan, old(number)))


def planned(request: PlanRequest) -> tuple[PlanRequest, Plan]:
    return request, FirstFitPlanner().propose(request)


def test_the_first_window_and_full_ones_before_it_are_the_reason() -> None:
    request, plan = planned(a_request(an_estate(4), policy=a_policy(assets_per_window=2)))
    last = max(range(4), key=lambda n: next(w.window.opens for w in plan.waves if old(n) in w.assets))
    assert told(request, plan, 0) == "Its window is the first one in reach."
    assert "All 1 earlier windows are shut to it, by window_full (have no room left)" in told(request, plan, last)


def test_a_rule_is_named_that_shuts_every_earlier_window() -> None:
    notice = Task(name="notice", days_before=9, scope=Scope(names=("old-0003",)))
    request, plan = planned(a_request(an_estate(4), policy=a_policy(planning=Planning(tasks=(notice,)))))
    assert "by lead_time (are too early for 'notice')" in told(request, plan, 3)


def test_a_pin_is_the_reason_also_of_what_moves_along() -> None:
    tied = (needs("old-0000", "old-0001", DependencyKind.HARD),)
    request, plan = planned(a_request(an_estate(4, edges=tied), policy=a_policy(assets_per_window=2)))
    pins = (Pin(asset=old(0), wave=WaveKey("W02")),)
    request, plan = planned(replace(request, pins=pins, parent=plan))
    assert "The pin is the reason" in told(request, plan, 0)
    assert told(request, plan, 1) == "old-0000, which moves with it, is pinned to W02."


def test_what_keeps_its_place_or_was_never_looked_at_again_is_said_to() -> None:
    pins = (Pin(asset=old(0), not_before=MONDAY + timedelta(days=2)),)
    request, plan = planned(a_request(an_estate(4), pins=pins))
    free = replace(request, pins=())
    assert "No better plan than the first one was looked for" in told(free, plan, 0)
    again, second = planned(replace(free, parent=plan))
    assert second.waves == plan.waves
    assert "It stays where the plan before had it" in told(again, second, 0)


def test_the_level_of_the_objective_that_would_be_worse_is_named_with_its_figures() -> None:
    request, plan = planned(a_request(an_estate(6), policy=a_policy(assets_per_window=3)))
    assert [len(wave.assets) for wave in plan.waves] == [3, 3]
    wider = replace(request, policy=a_policy(planning=Planning(objective=(Level.EVENNESS,), search=1)))
    later = next(n for n in range(6) if old(n) in plan.waves[1].assets)
    assert "There, evenness would come to 20 instead of 18." in told(wider, plan, later)


def test_what_is_in_no_wave_has_no_place_to_explain() -> None:
    request, plan = planned(a_request(an_estate(2)))
    assert placement(request, replace(plan, waves=()), old(0)) == ()

"""Two plans in words: later, earlier, grown, shrunk, and the finish date."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from orchestrator.core.plan import Plan, PlanRequest, WaveKey
from orchestrator.core.plan_compare import comparison, days_words
from orchestrator.core.plan_edit import Wish, edited
from orchestrator.core.planner.first_fit import FirstFitPlanner
from tests.estates import a_policy, a_request, an_estate, old


def a_planned_request() -> PlanRequest:
    """W01 and W02 with four assets each and W03 with one, on Monday, Tuesday and Wednesday night."""
    request = a_request(an_estate(9), policy=a_policy(assets_per_window=6))
    plan = FirstFitPlanner().propose(replace(request, policy=a_policy(assets_per_window=4)))
    return replace(request, parent=plan)


def plan_of(request: PlanRequest) -> Plan:
    assert request.parent is not None
    return request.parent


def said(request: PlanRequest, after: Plan) -> list[str]:
    return [sentence.text for sentence in comparison(plan_of(request), after, request.snapshot).says]


def moved(request: PlanRequest, wave: str, *keys: str) -> Plan:
    """The first asset of each of those waves moved into that one."""
    firsts = [plan_of(request).wave(key).assets[0] for key in keys]  # type: ignore[union-attr]
    return edited(request, [Wish(asset=asset, wave=WaveKey(wave)) for asset in firsts]).plan


def test_equal_plans_differ_in_nothing() -> None:
    request = a_planned_request()
    found = comparison(plan_of(request), plan_of(request), request.snapshot)
    assert (found.later, found.earlier, found.sizes, found.finish_days) == ((), (), (), 0)
    assert [one.text.split(" on ")[0] for one in found.says] == ["The last wave stays"]


def test_who_moves_later_is_told_with_days_and_the_waves_that_grow_and_shrink() -> None:
    request = a_planned_request()
    text = said(request, moved(request, "W03", "W01"))
    assert "old-0000 moves 2 days later." in text
    assert "W01 shrinks from 4 to 3 assets." in text
    assert "W03 grows from 1 to 2 assets." in text


def test_several_assets_are_counted_by_department() -> None:
    request = a_planned_request()
    found = comparison(plan_of(request), moved(request, "W01", "W02", "W03"), request.snapshot)
    assert [one.days for one in found.earlier] == [-2, -1]
    assert found.says[1].text.startswith("2 assets move earlier, by up to 2 days (Amt ")


def test_a_wave_that_goes_changes_the_finish_date() -> None:
    request = a_planned_request()
    text = said(request, moved(request, "W02", "W03"))
    assert text[0].startswith("The last wave comes one day earlier: 2026-11-24 22:00:00+01:00")
    assert "W03 is gone; it had 1 assets." in text


def test_a_new_wave_and_a_later_finish_are_told() -> None:
    request = a_planned_request()
    plan = plan_of(request)
    fewer = replace(plan, waves=plan.waves[:2])
    back = comparison(fewer, plan, request.snapshot)
    assert back.says[0].text.startswith("The last wave comes one day later")
    assert "W03 is new, with 1 assets." in [one.text for one in back.says]
    assert comparison(replace(plan, waves=()), plan, request.snapshot).finish_days == 0


def test_a_window_moved_by_hours_makes_no_day() -> None:
    request = a_planned_request()
    plan = plan_of(request)
    later = replace(plan.waves[0].window, opens=plan.waves[0].window.opens + timedelta(hours=1))
    after = replace(plan, waves=(replace(plan.waves[0], window=later), *plan.waves[1:]))
    found = comparison(plan, after, request.snapshot)
    assert {(one.asset, one.days) for one in found.later} >= {(old(0), 0)}
    assert days_words(0).text == "less than a day"

"""Bounds without a solver: no plan with as many assets is below them."""

from __future__ import annotations

from orchestrator.core.constraints import Level, Planning, Task
from orchestrator.core.planner.stepwise import StepwisePlanner
from tests.estates import a_policy, a_request, an_estate


def test_three_full_windows_are_needed_and_reached() -> None:
    judged = {one.level: one for one in StepwisePlanner().propose(a_request(an_estate(23))).judged}
    assert (judged[Level.FINISH].value, judged[Level.FINISH].bound) == (2.0, 2.0)
    assert judged[Level.EVENNESS].bound is None


def test_a_lead_time_pushes_the_bound_back() -> None:
    policy = a_policy(planning=Planning(tasks=(Task(name="notice", days_before=9),)))
    judged = {one.level: one for one in StepwisePlanner().propose(a_request(an_estate(3), policy=policy)).judged}
    assert judged[Level.FINISH].bound == judged[Level.FINISH].value == 9.0

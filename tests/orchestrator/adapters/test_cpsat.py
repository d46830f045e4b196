"""The solver in its own process: better plans, proven bounds, and no answer where it cannot run."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from orchestrator.adapters import cpsat
from orchestrator.adapters.cpsat import CpSatSolver
from orchestrator.core.constraints import Level
from orchestrator.core.plan import PlanRequest
from orchestrator.core.plan_check import check_plan, errors_of
from orchestrator.core.planner.build import problem_of
from orchestrator.core.planner.draft import draft_of, units_of
from orchestrator.core.planner.judge import ranked, values_of
from orchestrator.core.planner.state import State
from orchestrator.core.planner.stepwise import StepwisePlanner
from tests.estates import a_policy, a_request, an_estate, needs, old
from tests.orchestrator.core.planner.test_build import a_ruled_request
from tests.orchestrator.core.planner.test_stepwise import searching


def tiny() -> PlanRequest:
    edges = (needs(old(0), old(3)), needs(old(1), old(4)), needs(old(2), old(3)), needs(old(4), old(2)))
    policy = a_policy(assets_per_window=2, batch_size=2, horizon_days=8)
    return searching(a_request(an_estate(5, edges=edges), policy=policy))


def best_by_trying_all(request: PlanRequest) -> tuple[float, ...]:
    """The best of all ways to put five units into windows, those that hold every rule and the order of needs."""
    draft = draft_of(request)
    problem = problem_of(draft, units_of(draft)[0])
    found = []
    for windows in product(range(problem.width), repeat=len(problem.units)):
        if any(windows[unit] < windows[need] for unit, needed in enumerate(problem.needs) for need in needed):
            continue
        state = State(problem)
        for unit, window in enumerate(windows):
            if state.block(unit, window) is not None:
                break
            state.add(unit, window)
        else:
            found.append(ranked(problem, values_of(problem, windows)))
    return min(found)


def test_a_small_question_is_answered_exactly_and_proven() -> None:
    plan = StepwisePlanner(CpSatSolver()).propose(tiny())
    assert tuple(one.value for one in plan.judged) == best_by_trying_all(tiny())
    assert [one.bound for one in plan.judged] == [one.value for one in plan.judged]


@pytest.mark.parametrize("seed", [1, 7])
def test_under_any_rules_the_answer_holds_them_is_no_worse_and_comes_again(seed: int) -> None:
    request = replace(searching(a_ruled_request(seed)), parent=None, pins=())
    small = StepwisePlanner().propose(request)
    plan = StepwisePlanner(CpSatSolver()).propose(request)
    assert errors_of(check_plan(plan, request.snapshot, request.policy, request=request)) == ()
    assert [one.value for one in plan.judged] <= [one.value for one in small.judged]
    assert plan.judged[0].level is Level.EXPOSURE and plan.judged[0].bound is not None
    assert StepwisePlanner(CpSatSolver()).propose(request) == plan


def test_each_level_is_told_as_it_is_done() -> None:
    told: list[Level] = []
    StepwisePlanner(CpSatSolver(tell=lambda level, value, bound: told.append(level))).propose(tiny())
    assert told == [level for level in Level if level in told]
    assert told[:2] == [Level.EXPOSURE, Level.BRIDGES]


def test_a_solver_that_takes_far_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "child.py"
    slow.write_text("import sys, time; sys.stdin.read(); time.sleep(60)")
    monkeypatch.setattr(cpsat, "CHILD", slow)
    monkeypatch.setattr(cpsat, "START_S", 0.2)
    monkeypatch.setattr(cpsat, "WALL_S_EACH", 0)
    assert StepwisePlanner(CpSatSolver()).propose(tiny()) == StepwisePlanner().propose(tiny())


def test_without_a_solver_that_runs_the_plan_is_the_one_found_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "child.py"
    broken.write_text("raise SystemExit(3)")
    monkeypatch.setattr(cpsat, "CHILD", broken)
    assert StepwisePlanner(CpSatSolver()).propose(tiny()) == StepwisePlanner().propose(tiny())

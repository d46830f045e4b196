"""Small steps: never worse, never against a rule, the same for any order of the input."""

from __future__ import annotations

import pytest

from orchestrator.core.constraints import Planning
from orchestrator.core.plan_check import check_plan
from orchestrator.core.planner.judge import ranked, values_of
from orchestrator.core.planner.search import Search
from orchestrator.core.planner.state import NOWHERE
from orchestrator.core.planner.stepwise import StepwisePlanner, is_whole
from tests.estates import a_policy, a_request, an_estate, needs, old
from tests.orchestrator.core.planner.test_judge import drafted


@pytest.mark.parametrize("seed", range(12))
def test_a_search_ends_no_worse_than_it_began_and_breaks_no_rule(seed: int) -> None:
    problem, state = drafted(seed)
    before, placed = ranked(problem, values_of(problem, state.window_of)), sum(w != NOWHERE for w in state.window_of)
    Search(problem, state).improve(8)
    assert ranked(problem, values_of(problem, state.window_of)) <= before
    assert sum(window != NOWHERE for window in state.window_of) == placed
    assert is_whole(state)


def test_what_is_kept_does_not_move() -> None:
    problem, state = drafted(4)
    kept = frozenset(range(len(problem.units)))
    before = list(state.window_of)
    assert Search(problem, state, kept=kept).improve(3) == 0
    assert state.window_of == before


def test_nothing_comes_to_stand_before_what_it_needs() -> None:
    edges = tuple(needs(old(n), old(n * n % (n + 1) - 1 if n % 3 else n // 2)) for n in range(2, 60))
    request = a_request(an_estate(60, edges=edges), policy=a_policy(planning=Planning(search=4)))
    plan = StepwisePlanner().propose(request)
    assert check_plan(plan, request.snapshot, request.policy, request=request) == ()

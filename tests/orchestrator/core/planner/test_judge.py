"""What windows come to, level by level; a step's change is the difference of the whole before and after."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.constraints import Level, Planning
from orchestrator.core.planner.build import problem_of
from orchestrator.core.planner.draft import draft_of, units_of
from orchestrator.core.planner.greedy import placed_first_fit
from orchestrator.core.planner.judge import Scales, levels_of, ranked, values_of
from orchestrator.core.planner.problem import Problem
from orchestrator.core.planner.state import NOWHERE, State
from tests.estates import a_policy, a_request, an_estate, needs, old
from tests.orchestrator.core.planner.test_build import a_ruled_request


def drafted(seed: int, **asked: Any) -> tuple[Problem, State]:
    request = a_ruled_request(seed)
    planning = replace(request.policy.planning, search=1, **asked)
    draft = draft_of(replace(request, policy=replace(request.policy, planning=planning)))
    units, _ = units_of(draft)
    problem = problem_of(draft, units)
    return problem, placed_first_fit(problem, units, draft.structure)


@pytest.mark.parametrize("seed", range(6))
def test_the_change_of_a_step_is_the_difference_of_the_whole(seed: int) -> None:
    problem, state = drafted(seed)
    scales, chance = Scales(problem, state), random.Random(seed)
    placed = [unit for unit, window in enumerate(state.window_of) if window != NOWHERE]
    for _ in range(60):
        if not placed:
            return
        unit, window = chance.choice(placed), chance.randrange(problem.width)
        before = ranked(problem, values_of(problem, state.window_of))
        change = scales.step(unit, window)
        here = state.remove(unit)
        state.add(unit, window)
        scales.moved(unit, here, window)
        after = ranked(problem, values_of(problem, state.window_of))
        assert change == pytest.approx(tuple(b - a for a, b in zip(before, after, strict=True)))


def test_a_cut_costs_its_price_and_its_users_for_the_hours_between() -> None:
    policy = a_policy(assets_per_window=1, batch_size=1)
    draft = draft_of(a_request(an_estate(2, edges=(needs(old(1), old(0)),)), policy=policy))
    units, _ = units_of(draft)
    problem = problem_of(draft, units)
    state = placed_first_fit(problem, units, draft.structure)
    values = values_of(problem, state.window_of)
    assert (values[Level.BRIDGES], values[Level.EXPOSURE]) == (5.0, 24.0)
    assert (values[Level.FINISH], values[Level.EVENNESS], values[Level.CHANGES]) == (1.0, 2.0, 0.0)


def test_levels_with_a_weight_are_added_up_and_stand_first() -> None:
    problem, _ = drafted(0, weights={Level.FINISH: 2.0, Level.BRIDGES: 1.0}, objective=(Level.RISK, Level.FINISH))
    assert levels_of(problem) == (Level.BRIDGES, Level.FINISH, Level.RISK)
    values = {level: float(number) for number, level in enumerate(Level)}
    assert ranked(problem, values) == (1.0 + 2.0 * 3, 2.0)
    assert Planning().weights == {}

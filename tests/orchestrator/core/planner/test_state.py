"""What may go where: every rule as counts that go up and come down again."""

from __future__ import annotations

import random

import pytest

from orchestrator.core.planner.build import problem_of
from orchestrator.core.planner.draft import draft_of, units_of
from orchestrator.core.planner.state import NOWHERE, State
from tests.orchestrator.core.planner.test_build import a_ruled_request


@pytest.mark.parametrize("seed", range(8))
def test_whatever_came_and_went_what_is_left_blocks_as_if_it_had_come_alone(seed: int) -> None:
    draft = draft_of(a_ruled_request(seed))
    problem, chance = problem_of(draft, units_of(draft)[0]), random.Random(seed)
    state = State(problem)
    for _ in range(200):
        unit = chance.randrange(len(problem.units)) if problem.units else -1
        if unit < 0:
            return
        if state.window_of[unit] != NOWHERE:
            state.remove(unit)
        window = chance.randrange(problem.width)
        if state.block(unit, window) is None:
            state.add(unit, window)
    alone = State(problem)
    for unit, window in enumerate(state.window_of):
        if window != NOWHERE:
            alone.add(unit, window)
    waiting = [unit for unit, window in enumerate(state.window_of) if window == NOWHERE]
    for unit in waiting:
        for window in range(problem.width):
            assert state.block(unit, window) == alone.block(unit, window)
    assert state.assets_in == alone.assets_in

"""A start that follows ties: clusters stay whole where they fit, windows are filled to the brim, no rule is broken."""

from __future__ import annotations

import random
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.constraints import Level, Planning
from orchestrator.core.planner.grown import _best_sizes, placed_by_ties
from orchestrator.core.planner.state import NOWHERE
from orchestrator.core.planner.stepwise import StepwisePlanner, is_whole
from tests.estates import a_policy, a_request, an_estate, needs, old
from tests.orchestrator.core.planner.test_judge import drafted


@pytest.mark.parametrize("seed", range(12))
def test_under_any_rules_each_unit_may_stand_where_it_stands(seed: int) -> None:
    problem, _ = drafted(seed)
    state = placed_by_ties(problem, list(range(len(problem.units))))
    assert is_whole(state)
    for unit, wanted in enumerate(problem.needs):
        for need in wanted:
            both = NOWHERE not in (state.window_of[unit], state.window_of[need])
            fixed = problem.units[unit].fixed != NOWHERE or problem.units[need].fixed != NOWHERE
            assert not both or fixed or state.window_of[need] <= state.window_of[unit]


def test_clusters_that_fill_windows_exactly_are_put_together_so() -> None:
    """Clusters of 7, 6, 4, 3 in two windows of ten: 7 + 3 and 6 + 4, whatever their order in the estate."""
    chance = random.Random(4)
    numbers = list(range(20))
    chance.shuffle(numbers)
    edges, start = [], 0
    for size in (7, 4, 6, 3):
        members = sorted(numbers[start : start + size])
        edges += [needs(old(high), old(low)) for low, high in pairwise(members)]
        start += size
    policy = a_policy(planning=Planning(search=1, objective=(Level.BRIDGES,)))
    plan = StepwisePlanner().propose(a_request(an_estate(20, edges=tuple(edges)), policy=policy))
    assert [len(wave.assets) for wave in plan.waves] == [10, 10]
    assert plan.judged[0].value == 0


def test_a_large_cluster_is_grown_along_its_ties() -> None:
    edges = tuple(needs(old(n + 1), old(n)) for n in range(29))
    policy = a_policy(planning=Planning(search=1, objective=(Level.BRIDGES,)))
    plan = StepwisePlanner().propose(a_request(an_estate(30, edges=edges), policy=policy))
    assert (len(plan.waves), plan.judged[0].value) == (3, 10.0)


@given(count=st.dictionaries(st.integers(1, 9), st.integers(1, 3), max_size=4), room=st.integers(0, 20))
def test_the_sizes_chosen_add_up_as_well_as_any(count: dict[int, int], room: int) -> None:
    chosen = list(_best_sizes(count, room))
    assert all(chosen.count(size) <= count[size] for size in chosen)
    choices = product(*(range(number + 1) for number in count.values()))
    sums = [sum(size * number for size, number in zip(count, one, strict=True)) for one in choices]
    assert sum(chosen) == max(total for total in sums if total <= room)

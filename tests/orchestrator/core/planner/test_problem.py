"""The question without names."""

from __future__ import annotations

from orchestrator.core.planner.build import problem_of
from orchestrator.core.planner.draft import draft_of, units_of
from orchestrator.core.planner.problem import SCALE
from tests.estates import a_request, an_estate, needs, old


def test_units_and_edges_are_numbers_in_the_order_of_the_groups() -> None:
    draft = draft_of(a_request(an_estate(3, edges=(needs(old(2), old(0)), needs(old(2), old(0))))))
    problem = problem_of(draft, units_of(draft)[0])
    assert (problem.width, [one.size for one in problem.units]) == (len(draft.openings), [1, 1, 1])
    assert problem.rows[0].limits == (10 * SCALE,)
    (edge,) = problem.edges
    assert (edge.price, edge.users) == (10.0, 2)

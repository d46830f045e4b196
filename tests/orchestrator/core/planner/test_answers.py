"""Why not earlier, why not at all: every rule in the way, a smallest set of them, the cheapest to open."""

from __future__ import annotations

from datetime import date
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.constraints import Capacity, Each, Measure, Occasion, Planning, Scope, Visit
from orchestrator.core.planner.answers import smallest_conflict, why_not
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.planner.state import Block
from tests.estates import a_policy, a_request, an_estate, needs, old


def test_an_asset_of_a_later_wave_learns_what_fills_the_windows_before() -> None:
    request = a_request(an_estate(23))
    plan = FirstFitPlanner().propose(request)
    answer = why_not(request, plan, plan.waves[2].assets[0])
    assert answer is not None
    assert (answer.wave, answer.windows, answer.open_windows) == ("W03", 2, ())
    (full,) = answer.barred
    assert (full.rule, full.windows, full.says) == ("window_full", 2, "have no room left")
    assert (answer.conflict, answer.to_lift) == ((full,), (full,))
    assert answer.nearest == "Mon 2026-11-23 22:00-04:30"


def test_the_cheapest_window_is_the_one_with_the_fewest_rules_in_the_way() -> None:
    """Monday: full and frozen; Tuesday: frozen only; the two lie in a smallest set of one rule."""
    vote = Occasion(name="vote", on=(date(2026, 11, 24),), days_after=1, scope=Scope(names=("old-0002",)))
    hands = Capacity(name="hands", of=Measure.ASSETS, most=1, each=Each.DEPARTMENT)
    policy = a_policy(planning=Planning(occasions=(vote,), capacities=(hands,)), horizon_days=4)
    edges = (needs(old(2), old(0)),)
    request = a_request(an_estate(6, edges=edges), policy=policy)
    answer = why_not(request, FirstFitPlanner().propose(request), old(2))
    assert answer is not None
    assert {one.rule for one in answer.conflict} == {"frozen"}
    assert [one.rule for one in answer.to_lift] == ["frozen"]


def test_an_asset_that_fits_nowhere_is_told_the_rules_that_together_rule_all_out() -> None:
    maker = Visit(name="maker", on=(date(2026, 11, 24),), scope=Scope(names=("old-0001",)))
    vote = Occasion(name="vote", on=(date(2026, 11, 24),), scope=Scope(names=("old-0001",)))
    policy = a_policy(planning=Planning(visits=(maker,), occasions=(vote,)), horizon_days=4)
    request = a_request(an_estate(3), policy=policy)
    answer = why_not(request, FirstFitPlanner().propose(request), old(1))
    assert answer is not None and answer.wave == ""
    assert {one.rule for one in answer.conflict} == {"visit", "frozen"}


def test_what_cannot_move_at_all_has_no_answer_here() -> None:
    request = a_request(an_estate(2))
    assert why_not(request, FirstFitPlanner().propose(request), old(77)) is None


@pytest.mark.parametrize("most", [4, 20])
@given(data=st.data())
def test_a_smallest_conflict_hits_every_window_and_no_part_of_it_does(most: int, data: st.DataObject) -> None:
    rule = st.integers(0, most).map(lambda number: Block("limit", str(number)))
    blocks = data.draw(st.lists(st.frozensets(rule, min_size=1, max_size=4), min_size=1, max_size=12))
    found = smallest_conflict(blocks)
    assert all(not one.isdisjoint(found) for one in blocks)
    for fewer in combinations(found, len(found) - 1):
        assert not all(not one.isdisjoint(fewer) for one in blocks)

"""Changed rules and what they come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from orchestrator.core.constraints import Capacity, Measure, Occasion, Planning
from orchestrator.core.planner.stepwise import StepwisePlanner
from orchestrator.core.planner.what_if import (
    Change,
    NoSuchProcedure,
    NoSuchRule,
    afresh,
    changed,
    outcome_of,
    rule_names,
)
from orchestrator.core.policy import Freeze, InvalidPolicy
from tests.estates import a_policy, a_request, an_estate
from tests.ruled_estates import RUNBOOKS, a_procedure, a_server

HANDS = Capacity(name="hands", of=Measure.ASSETS, most=3)
VOTE = Occasion(name="vote", on=(date(2026, 11, 24),))
FAIR = Freeze(name="fair", first=date(2026, 12, 1), last=date(2026, 12, 2))
REQUEST = a_request(
    an_estate(20), policy=a_policy(planning=Planning(capacities=(HANDS,), occasions=(VOTE,)), freezes=(FAIR,))
)


def test_a_rule_is_lifted_a_capacity_changed_and_the_outcome_told() -> None:
    assert rule_names(REQUEST.policy) == ["fair", "hands", "vote"]
    other = changed(REQUEST, Change(lift=("vote", "fair"), most={"hands": 10}))
    before, after = (outcome_of(StepwisePlanner().propose(one)) for one in (REQUEST, other))
    assert (before.planned, before.waves, after.waves) == (20, 7, 2)
    assert after.last_window == "Tue 2026-11-24 22:00-04:30"


def test_a_procedure_that_is_given_up_takes_the_machines_with_it_that_serve_nothing_else() -> None:
    estate = an_estate(
        1,
        also=(
            a_server("alone"),
            a_server("shared"),
            a_procedure("Alt", "alone", "shared"),
            a_procedure("Neu", "shared"),
        ),
    )
    request = a_request(estate, policy=a_policy(runbooks=RUNBOOKS))
    names = {one.name for one in changed(request, Change(without=("ALT",))).snapshot.assets}
    assert {"alone", "Alt"}.isdisjoint(names) and {"shared", "Neu"} <= names


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(NoSuchRule, match="fair, hands, vote"):
        changed(REQUEST, Change(lift=("summer",)))
    with pytest.raises(NoSuchProcedure):
        changed(REQUEST, Change(without=("Nichts",)))
    with pytest.raises(InvalidPolicy):
        changed(REQUEST, Change(assets_per_window=-1))


def test_afresh_nothing_is_held_where_it_was() -> None:
    plan = StepwisePlanner().propose(REQUEST)
    later = changed(replace(REQUEST, parent=plan), Change(most={"hands": 9}))
    first = {asset: wave.window.opens for wave in plan.waves for asset in wave.assets}
    held = StepwisePlanner().propose(later)
    anew = StepwisePlanner().propose(afresh(later))
    assert {a: w.window.opens for w in held.waves for a in w.assets} == first
    assert max(w.window.opens for w in anew.waves) < max(first.values())

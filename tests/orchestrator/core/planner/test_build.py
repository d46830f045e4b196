"""From groups to numbers: whatever a policy asks for, the planner and the plan check understand the same by it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from inventory.model import Snapshot
from orchestrator.core.plan import Pin, PlanRequest, WaveKey
from orchestrator.core.plan_check import check_plan, errors_of
from orchestrator.core.planner.build import milli
from orchestrator.core.planner.first_fit import FirstFitPlanner
from tests.estates import a_request, old
from tests.ruled_estates import a_ruled_policy, a_town


def mixed(snapshot: Snapshot, seed: int) -> Snapshot:
    chance = random.Random(seed)
    assets, edges = list(snapshot.assets), list(snapshot.dependencies)
    chance.shuffle(assets)
    chance.shuffle(edges)
    return Snapshot(tenant=snapshot.tenant, assets=tuple(assets), dependencies=tuple(edges))


def a_ruled_request(seed: int) -> PlanRequest:
    """A second plan after a first one, with pins of all sorts."""
    request = a_request(a_town(24, seed=seed), policy=a_ruled_policy(seed))
    plan = FirstFitPlanner().propose(request)
    pins = [Pin(asset=old(1), not_with=(old(2), old(3)))]
    if plan.waves:
        pins.append(Pin(asset=plan.waves[-1].assets[0], wave=WaveKey(plan.waves[-1].key)))
    return replace(request, pins=tuple(pins), parent=plan, settled=frozenset({old(5), old(6)}))


@pytest.mark.parametrize("seed", range(40))
def test_no_plan_under_any_rules_fails_the_second_opinion_and_order_never_matters(seed: int) -> None:
    request = a_ruled_request(seed)
    plan = FirstFitPlanner().propose(request)
    assert errors_of(check_plan(plan, request.snapshot, request.policy, request=request)) == ()
    assert FirstFitPlanner().propose(replace(request, snapshot=mixed(request.snapshot, seed))) == plan


def test_a_part_of_a_thousandth_counts_as_a_whole_one() -> None:
    assert (milli(0), milli(1.5), milli(1 / 3)) == (0, 1500, 334)

"""The bench itself: its instances are the same each time, its best plans are the best, its figures are right."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from bench.baselines import OrderedConditions
from bench.exact import least_bridges
from bench.instances import RUNBOOK, changed, instance
from bench.measures import figures, kept_share, needs_of
from orchestrator.core.openings import windows_of
from orchestrator.core.plan import MoveGroup, PlannedBatch, PlannedWave, WaveKey
from orchestrator.core.planner.first_fit import FirstFitPlanner
from tests.plan_verifier import counted

NAMES = ("town:40", "graph:200:600", "known:100", "exact:8")


@pytest.mark.parametrize("name", NAMES)
def test_the_same_name_and_seed_give_the_same_request(name: str) -> None:
    assert instance(name, seed=1) == instance(name, seed=1)
    assert instance(name, seed=1) != instance(name, seed=2)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no such instance"):
        instance("village:3", seed=1)


@pytest.mark.parametrize("seed", range(5))
def test_the_plan_that_a_known_instance_was_built_from_breaks_no_rule_and_cuts_nothing(seed: int) -> None:
    start = instance("known:200", seed=seed)
    assert start.known is not None
    request = start.request
    windows = windows_of(request.policy, not_before=request.not_before)
    pairs = {need.asset: need.needs for need in request.snapshot.dependencies if need.kind == "hard"}
    waves = tuple(
        PlannedWave(
            key=WaveKey(f"W{number:02d}"),
            runbook=RUNBOOK,
            window=windows[number - 1],
            groups=(MoveGroup(assets=assets),),
            batches=(PlannedBatch(name="b1", assets=assets),),
        )
        for number, assets in enumerate(start.known.waves, start=1)
    )
    plan = replace(FirstFitPlanner().propose(request), waves=waves, why_not=())
    assert pairs and counted(plan, request) == {}
    assert figures(plan, request).bridges == 0
    assert all(len(wave.assets) == request.policy.assets_per_window for wave in waves)


def test_trying_all_finds_what_plain_counting_finds() -> None:
    request = instance("exact:7", seed=3).request
    names = sorted(one.id for one in request.snapshot.assets if not one.text("role"))
    best = float("inf")
    for places in product(range(3), repeat=len(names)):
        where = dict(zip(names, places, strict=True))
        full = max(places.count(window) for window in range(3)) > request.policy.assets_per_window
        if not full:
            best = min(best, sum(need.price for need in needs_of(request) if where[need.one] != where[need.other]))
    assert least_bridges(request) == best


def test_figures_count_what_a_plan_cuts() -> None:
    request = instance("exact:8", seed=1).request
    plan = FirstFitPlanner().propose(request)
    found = figures(plan, request)
    where = {asset: wave for wave in plan.waves for asset in wave.assets}
    cut = [need for need in needs_of(request) if where[need.one] is not where[need.other]]
    assert found.bridges == sum(need.price for need in cut) >= least_bridges(request)
    assert found.exposure >= 24 * sum(need.users for need in cut) > 0
    one_wave = replace(plan, waves=plan.waves[:1])
    assert figures(one_wave, request).bridges == 0


def test_the_ordered_conditions_lose_nothing_and_break_only_what_they_do_not_know() -> None:
    request = instance("town:60", seed=1).request
    plan = OrderedConditions().propose(request)
    greedy = FirstFitPlanner().propose(request)
    assert {a for wave in greedy.waves for a in wave.assets} <= {a for wave in plan.waves for a in wave.assets}
    assert set(counted(plan, request)) <= {"coverage", "bound", "order", "windows", "fields"}


def test_planning_again_is_measured_on_what_stayed() -> None:
    start = instance("graph:400:1200", seed=1)
    plan = FirstFitPlanner().propose(start.request)
    again = changed(start, share=0.05, seed=1)
    assert len(again.snapshot.assets) == len(start.request.snapshot.assets)
    assert kept_share(plan, plan) == 1.0
    assert 0 < kept_share(plan, FirstFitPlanner().propose(replace(again, parent=plan))) <= 1

"""The benches' verifier: says nothing of good plans and names each rule that a spoiled plan breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from inventory.model import AssetId, AssetKind, DependencyKind
from orchestrator.core.constraints import Apart, Capacity, Delivery, Each, Measure, Per, Planning, Scope, Stock
from orchestrator.core.plan import MoveGroup, Pin, Plan, PlannedBatch, PlannedWave, PlanRequest, WaveKey
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.policy import Freeze
from tests.estates import (
    MONDAY,
    REACHED,
    a_pair,
    a_policy,
    a_request,
    a_tangled_estate,
    an_asset,
    an_estate,
    needs,
    old,
)
from tests.plan_verifier import counted, violations

EDGES = (needs("old-0003", "old-0004", DependencyKind.HARD), needs("old-0008", "old-0000"))


def a_good_pair() -> tuple[Plan, PlanRequest]:
    """Three waves of four, four and one, and the request they answer."""
    request = a_request(an_estate(9, edges=EDGES, also=a_pair(90, address="")), policy=a_policy(assets_per_window=4))
    return FirstFitPlanner().propose(request), request


def with_wave(plan: Plan, at: int, **changes: Any) -> Plan:
    return replace(plan, waves=tuple(replace(w, **changes) if n == at else w for n, w in enumerate(plan.waves)))


def refilled(wave: PlannedWave, *assets: AssetId) -> PlannedWave:
    groups = tuple(MoveGroup(assets=(asset,)) for asset in assets)
    return replace(wave, groups=groups, batches=(PlannedBatch(name="b1", assets=assets),))


def swapped(plan: Plan, one: int, other: int) -> Plan:
    """Two assets change places, alone."""
    change = {old(one): old(other), old(other): old(one)}
    waves = [refilled(wave, *(change.get(asset, asset) for asset in wave.assets)) for wave in plan.waves]
    return replace(plan, waves=tuple(waves))


def test_plans_of_a_planner_break_nothing() -> None:
    plan, request = a_good_pair()
    assert violations(plan, request) == []
    tangled = a_request(a_tangled_estate(80, edges=200, seed=3))
    assert violations(FirstFitPlanner().propose(tangled), tangled) == []


SPOILED: list[tuple[str, Callable[[Plan], Plan]]] = [
    ("coverage", lambda plan: replace(plan, waves=plan.waves[:2])),
    ("coverage", lambda plan: replace(plan, waves=(*plan.waves, replace(plan.waves[0], key=WaveKey("W09"))))),
    ("coverage", lambda plan: with_wave(plan, 2, **_content(refilled(plan.waves[2], AssetId("new-0001"))))),
    ("fields", lambda plan: with_wave(plan, 2, **_content(refilled(plan.waves[2], old(90))))),
    ("fields", lambda plan: with_wave(plan, 2, runbook="other")),
    ("windows", lambda plan: _shifted(plan, hours=1)),
    ("windows", lambda plan: _shifted(plan, days=-7)),
    ("windows", lambda plan: _shifted(plan, days=5)),
    ("overlaps", lambda plan: with_wave(plan, 2, window=plan.waves[1].window)),
    ("batches", lambda plan: with_wave(plan, 0, batches=plan.waves[0].batches[:1])),
    ("bound", lambda plan: swapped(plan, 4, _last(plan))),
    ("order", lambda plan: swapped(plan, 8, 0)),
]


def _content(wave: PlannedWave) -> dict[str, Any]:
    return {"groups": wave.groups, "batches": wave.batches}


def _last(plan: Plan) -> int:
    return int(plan.waves[-1].assets[0][-4:])


def _shifted(plan: Plan, **by: int) -> Plan:
    window = plan.waves[0].window
    moved = replace(window, opens=window.opens + timedelta(**by), closes=window.closes + timedelta(**by))
    return with_wave(plan, 0, window=moved)


@pytest.mark.parametrize(("rule", "spoil"), SPOILED)
def test_a_spoiled_plan_is_told_by_its_rule(rule: str, spoil: Callable[[Plan], Plan]) -> None:
    plan, request = a_good_pair()
    assert rule in counted(spoil(plan), request)


def in_amts(*names: str) -> Scope:
    return Scope(departments=names)


def asking(**rules: Any) -> dict[str, Any]:
    return {"planning": Planning(**rules)}


A_WEEK_OF_AN_AMT = Capacity(name="x", of=Measure.SHARE, most=0.3, per=Per.WEEK, each=Each.DEPARTMENT)
EIGHT_THERE = Stock(name="x", of=Measure.ASSETS, deliveries=(Delivery(on=date(2026, 11, 23), amount=8),))
TIGHTER: list[tuple[str, dict[str, Any]]] = [
    ("rooms", {"assets_per_window": 3}),
    ("windows", {"freezes": (Freeze(name="x", first=date(2026, 11, 24), last=date(2026, 11, 24)),)}),
    ("windows", {"weekly": ()}),
    ("capacities", asking(capacities=(Capacity(name="x", of=Measure.ASSETS, most=3),))),
    ("capacities", asking(capacities=(A_WEEK_OF_AN_AMT,))),
    ("stocks", asking(stocks=(EIGHT_THERE,))),
    ("apart", asking(apart=(Apart(name="x", one=in_amts("Amt 0"), other=in_amts("Amt 1", "Amt 2")),))),
]


@pytest.mark.parametrize(("rule", "changes"), TIGHTER)
def test_a_plan_breaks_rules_that_were_made_tighter_since(rule: str, changes: dict[str, Any]) -> None:
    plan, request = a_good_pair()
    policy = a_policy(**{"assets_per_window": 4, **changes})
    assert rule in counted(plan, replace(request, policy=policy))


def test_pins_are_looked_at() -> None:
    plan, request = a_good_pair()
    one, other = plan.waves[0].assets[:2]
    for pin in (Pin(asset=one, not_before=MONDAY + timedelta(days=90)), Pin(asset=one, not_with=(other,))):
        assert "pins" in counted(plan, replace(request, pins=(pin,)))
    away = Pin(asset=one, wave=WaveKey("W02"))
    assert "pins" in counted(plan, replace(request, parent=plan, pins=(away,)))


def test_a_seat_that_waits_for_its_procedures_is_looked_at() -> None:
    server = an_asset("srv", kind=AssetKind.SERVER, address="srv.example", **REACHED)
    procedure = an_asset("Meldewesen", kind=AssetKind.PROCEDURE, machines=("srv",))
    seat = an_asset("platz", kind=AssetKind.SEAT, machine="old-0000", procedures=("Meldewesen",))
    runbooks = {AssetKind.WORKSTATION: "x", AssetKind.SERVER: "x"}
    estate = an_estate(1, also=(server, procedure, seat))
    policy = a_policy(assets_per_window=1, runbooks=runbooks, planning=Planning(seats_wait=True))
    request = a_request(estate, policy=policy)
    plan = FirstFitPlanner().propose(request)
    first, second = plan.waves
    seat_first = replace(plan, waves=(refilled(first, old(0)), refilled(second, server.id)))
    seat_last = replace(plan, waves=(refilled(first, server.id), refilled(second, old(0))))
    assert counted(seat_first, request) == {"seats": 1}
    assert counted(seat_last, request) == {}

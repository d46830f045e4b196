"""Wrong plans, one for each rule of [planning]: the plan was made without the rule, so the check must see that."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest

from orchestrator.adapters.cpsat import CpSatSolver
from orchestrator.core.constraints import (
    Apart,
    Capacity,
    DaySpan,
    Delivery,
    Each,
    Effort,
    Every,
    First,
    Hours,
    Measure,
    Occasion,
    Per,
    Planning,
    Recurring,
    Scope,
    Season,
    Stock,
    Task,
    Visit,
    Weekday,
)
from orchestrator.core.plan import BegunWave, Pin, PlanRequest
from orchestrator.core.plan_check import check_plan, errors_of
from orchestrator.core.plan_check_rules import recurs_on
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.planner.stepwise import StepwisePlanner
from orchestrator.core.policy import Freeze, Policy, WeeklyWindow
from tests.estates import NIGHTS, a_policy, a_request, an_estate, needs, old
from tests.plan_verifier import counted, violations
from tests.ruled_estates import RUNBOOKS, a_town

TOWN = a_town(24, seed=3)
MONDAY = date(2026, 11, 23)
AMT = Scope(departments=("Amt 1",))
FIRST = Scope(departments=("Amt 0",))


def a_ruled_policy(**changes: Any) -> Policy:
    return a_policy(runbooks=RUNBOOKS, **changes)


def found(request: PlanRequest, policy: Policy, *, pins: tuple[Pin, ...] = ()) -> set[str]:
    """Rules that a plan made for the request breaks under another policy and other pins."""
    plan = FirstFitPlanner().propose(request)
    judged = a_request(request.snapshot, policy=policy, pins=pins)
    return {one.rule for one in errors_of(check_plan(plan, judged.snapshot, policy, request=judged))}


ASKED: tuple[tuple[str, str, Planning], ...] = (
    (
        "recurring",
        "frozen",
        Planning(recurring=(Recurring(name="x", every=Every.MONTH, first_day=23, last_day=24),)),
    ),
    (
        "recurring for some",
        "frozen",
        Planning(recurring=(Recurring(name="x", every=Every.QUARTER, first_day=-40, last_day=-30, scope=AMT),)),
    ),
    ("occasion", "frozen", Planning(occasions=(Occasion(name="x", on=(MONDAY + timedelta(days=3),), days_before=2),))),
    (
        "weeks after an occasion",
        "frozen",
        Planning(occasions=(Occasion(name="x", on=(MONDAY - timedelta(days=3),), days_after=9, scope=AMT),)),
    ),
    ("hours", "frozen", Planning(hours=(Hours(name="x", days=(Weekday.TUE,), opens=time(3), closes=time(5)),))),
    (
        "hours over midnight",
        "frozen",
        Planning(hours=(Hours(name="x", days=(Weekday.MON,), opens=time(23), closes=time(1), scope=FIRST),)),
    ),
    (
        "season",
        "season",
        Planning(
            seasons=(Season(name="x", spans=(DaySpan(first=date(2027, 2, 1), last=date(2027, 2, 6)),), scope=AMT),)
        ),
    ),
    (
        "a window that leaves its season after midnight",
        "season",
        Planning(seasons=(Season(name="x", spans=(DaySpan(first=MONDAY, last=MONDAY),)),)),
    ),
    ("technicians", "limit", Planning(capacities=(Capacity(name="x", of=Measure.ASSETS, most=2, each=Each.SITE),))),
    ("in a week", "limit", Planning(capacities=(Capacity(name="x", of=Measure.ASSETS, most=20, per=Per.WEEK),))),
    (
        "share of a department",
        "limit",
        Planning(capacities=(Capacity(name="x", of=Measure.SHARE, most=0.2, per=Per.DAY, each=Each.DEPARTMENT),)),
    ),
    (
        "minutes",
        "limit",
        Planning(
            capacities=(Capacity(name="x", of=Measure.MINUTES, most=60, per=Per.DAY),), efforts=(Effort(minutes=15),)
        ),
    ),
    ("cutovers", "limit", Planning(capacities=(Capacity(name="x", of=Measure.CUTOVERS, most=0),))),
    ("cores", "limit", Planning(capacities=(Capacity(name="x", of=Measure.VCPU, most=3),))),
    ("memory", "limit", Planning(capacities=(Capacity(name="x", of=Measure.RAM_GIB, most=7, each=Each.VENDOR),))),
    ("network", "limit", Planning(capacities=(Capacity(name="x", of=Measure.DISK_GIB, most=150, each=Each.SITE),))),
    ("racks", "limit", Planning(capacities=(Capacity(name="x", of=Measure.RACK_UNITS, most=5, per=Per.WEEK),))),
    (
        "racks in all",
        "stock",
        Planning(stocks=(Stock(name="x", of=Measure.RACK_UNITS, deliveries=(Delivery(on=MONDAY, amount=8),)),)),
    ),
    (
        "stock",
        "stock",
        Planning(stocks=(Stock(name="x", of=Measure.ASSETS, deliveries=(Delivery(on=MONDAY, amount=7),)),)),
    ),
    (
        "stock that comes late",
        "stock",
        Planning(stocks=(Stock(name="x", of=Measure.ASSETS, deliveries=(Delivery(on=date(2027, 1, 1), amount=99),)),)),
    ),
    ("reserve", "window_fit", Planning(rollback_minutes=390)),
    ("one long asset", "window_fit", Planning(efforts=(Effort(minutes=391),))),
    (
        "all together",
        "window_fit",
        Planning(rollback_minutes=300, efforts=(Effort(minutes=90, scope=AMT), Effort(minutes=89))),
    ),
    ("visit", "visit", Planning(visits=(Visit(name="x", on=(MONDAY + timedelta(days=9),), scope=AMT),))),
    ("lead of a visit", "lead_time", Planning(visits=(Visit(name="x", lead_days=5, scope=AMT),))),
    ("task", "lead_time", Planning(tasks=(Task(name="x", days_before=1),))),
    (
        "classes",
        "apart",
        Planning(apart=(Apart(name="x", one=Scope(sites=("Rathaus",)), other=Scope(sites=("Bauhof",))),)),
    ),
    ("pilot", "first", Planning(first=(First(name="x", first=Scope(departments=("Amt 2",))),))),
    ("days between", "first", Planning(first=(First(name="x", first=Scope(names=("old-0000",)), days_between=40),))),
    (
        "in each department",
        "first",
        Planning(first=(First(name="x", first=Scope(names=("*9",)), same=Each.DEPARTMENT),)),
    ),
    ("seats wait", "seats_wait", Planning(seats_wait=True)),
    ("shared from", "broken_group", Planning(shared_from=99)),
)


@pytest.mark.parametrize(("name", "rule", "asked"), ASKED, ids=[name for name, _, _ in ASKED])
def test_a_plan_made_without_the_rule_is_refused_and_one_made_with_it_passes(
    name: str, rule: str, asked: Planning
) -> None:
    ruled = a_ruled_policy(planning=asked, forks=1 if name == "all together" else 10)
    without = a_request(TOWN, policy=a_ruled_policy(planning=Planning(cycles_bind=True)))
    assert rule in found(without, ruled)
    assert found(a_request(TOWN, policy=ruled), ruled) == set()


def test_a_window_or_a_freeze_for_others_is_refused() -> None:
    without = a_request(TOWN, policy=a_ruled_policy())
    narrow = WeeklyWindow(days=NIGHTS.days, opens=NIGHTS.opens, closes=NIGHTS.closes, scope=AMT)
    assert found(without, a_ruled_policy(weekly=(narrow,))) == {"window_scope"}
    freeze = Freeze(name="x", first=MONDAY, last=MONDAY + timedelta(days=9), scope=FIRST)
    assert found(without, a_ruled_policy(freezes=(freeze,))) == {"frozen"}


def test_a_plan_made_as_if_no_wave_had_begun_that_week_is_refused_where_a_capacity_of_the_week_is_full() -> None:
    request, told = with_a_begun_wave()
    blind = FirstFitPlanner().propose(request)
    errors = errors_of(check_plan(blind, told.snapshot, told.policy, request=told))
    assert {one.rule for one in errors} == {"limit"} and set(counted(blind, told)) == {"capacities"}
    aware = FirstFitPlanner().propose(told)
    assert (
        errors_of(check_plan(aware, told.snapshot, told.policy, request=told)) == () == tuple(violations(aware, told))
    )
    assert min(wave.window.opens for wave in aware.waves).date() >= MONDAY + timedelta(days=7)
    solved = StepwisePlanner(CpSatSolver()).propose(told)
    assert errors_of(check_plan(solved, told.snapshot, told.policy, request=told)) == ()
    assert sum(len(wave.assets) for wave in solved.waves) == sum(len(wave.assets) for wave in aware.waves)


def with_a_begun_wave() -> tuple[PlanRequest, PlanRequest]:
    """A request after six machines of ten a week are under way, as if they were not, and as it is."""
    asked = Planning(capacities=(Capacity(name="x", of=Measure.ASSETS, most=6, per=Per.WEEK),), search=1)
    request = a_request(an_estate(10), policy=a_policy(planning=asked, assets_per_window=6))
    first = FirstFitPlanner().propose(request).waves[0]
    assert len(first.assets) == 6
    begun = BegunWave(key=first.key, window=first.window, groups=tuple(group.assets for group in first.groups))
    blind = replace(request, settled=frozenset(first.assets), occupied=(first.window,), first_number=2)
    return blind, replace(blind, begun=(begun,))


def test_assets_pinned_apart_in_one_wave_are_refused() -> None:
    pins = (Pin(asset=old(0), not_with=(old(3),)),)
    assert found(a_request(TOWN, policy=a_ruled_policy(), pins=()), a_ruled_policy(), pins=pins) == {"pin"}


def test_a_cut_circle_is_refused_where_circles_bind() -> None:
    circle = an_estate(3, edges=tuple(needs(old(n), old((n + 1) % 3)) for n in range(3)))
    loose = a_policy(planning=Planning(cycles_bind=False), assets_per_window=3, batch_size=1)
    assert found(a_request(circle, policy=loose), a_policy(assets_per_window=3, batch_size=1)) == {"broken_group"}
    assert found(a_request(circle, policy=loose), loose) == set()


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2026, 11, 28), True), (date(2026, 12, 2), True), (date(2026, 12, 3), False), (date(2026, 11, 27), False)],
)
def test_the_turn_of_a_month_goes_from_its_last_days_to_the_first_of_the_next(day: date, expected: bool) -> None:
    turn = Recurring(name="turn", every=Every.MONTH, first_day=-3, last_day=2)
    assert recurs_on(turn, day) is expected

"""First fit: groups into windows, each leftover with its rule, the same for any order of the input."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.model import Asset, AssetId, AssetKind, Dependency, DependencyKind, Snapshot
from orchestrator.core.plan import Pin, Plan, PlannedWave, PlanRequest, WaveKey
from orchestrator.core.plan_check import check_plan, errors_of
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.policy import Freeze, Window
from tests.estates import (
    MONDAY,
    a_pair,
    a_policy,
    a_request,
    a_tangled_estate,
    an_asset,
    an_estate,
    needs,
    old,
)

HARD = DependencyKind.HARD


def planned(request: PlanRequest) -> Plan:
    """The plan; the second opinion has nothing against it."""
    plan = FirstFitPlanner().propose(request)
    found = check_plan(plan, request.snapshot, request.policy, request=request)
    assert errors_of(found) == ()
    return plan


def rules(plan: Plan) -> dict[str, int]:
    count: dict[str, int] = {}
    for one in plan.why_not:
        count[one.rule] = count.get(one.rule, 0) + len(one.assets)
    return count


def wave_of(plan: Plan, asset: AssetId) -> PlannedWave:
    return next(wave for wave in plan.waves if asset in wave.assets)


def test_assets_fill_one_window_after_the_other() -> None:
    plan = planned(a_request(an_estate(23)))
    assert [(wave.key, len(wave.assets)) for wave in plan.waves] == [("W01", 10), ("W02", 10), ("W03", 3)]
    assert [wave.window.local for wave in plan.waves][:2] == [
        "Mon 2026-11-23 22:00-04:30",
        "Tue 2026-11-24 22:00-04:30",
    ]
    assert (plan.why_not, plan.parent, plan.tenant) == ((), "", "stadt")


def test_every_wave_begins_with_its_canary() -> None:
    (wave,) = planned(a_request(an_estate(9))).waves
    assert [(one.name, len(one.assets)) for one in wave.batches] == [("canary", 2), ("b1", 4), ("b2", 3)]


def test_departments_stay_together_where_nothing_speaks_against_it() -> None:
    plan = planned(a_request(an_estate(30)))
    assert [{int(asset[-4:]) % 3 for asset in wave.assets} for wave in plan.waves] == [{0}, {1}, {2}]


def test_a_bound_group_is_in_one_wave_and_one_batch() -> None:
    edges = tuple(needs(old(0), old(number), HARD) for number in (7, 11, 16))
    plan = planned(a_request(an_estate(23, edges=edges)))
    wave = wave_of(plan, old(0))
    (group,) = [one for one in wave.groups if len(one.assets) > 1]
    assert (group.assets, group.bound_by) == ((old(0), old(7), old(11), old(16)), ("hard",))
    assert any(set(group.assets) <= set(batch.assets) for batch in wave.batches)


def test_what_others_need_goes_first() -> None:
    edges = tuple(needs(old(number), old(22)) for number in range(22))
    plan = planned(a_request(an_estate(23, edges=edges)))
    assert wave_of(plan, old(22)).key == "W01"


def test_nothing_goes_before_what_it_needs_even_through_what_does_not_move() -> None:
    """old-0000 uses a procedure that runs on old-0001, which is pinned to a late night."""
    procedure = an_asset("EWO", kind=AssetKind.PROCEDURE)
    edges = (needs("old-0000", "EWO"), needs("EWO", "old-0001"))
    late = Pin(asset=old(1), not_before=MONDAY + timedelta(days=9))
    plan = planned(a_request(an_estate(3, also=(procedure,), edges=edges), pins=(late,)))
    assert wave_of(plan, old(0)).key == wave_of(plan, old(1)).key == "W02"
    assert wave_of(plan, old(2)).key == "W01"


def test_a_group_with_a_blocked_member_stays_and_names_it() -> None:
    also = a_pair(1, address="")
    plan = planned(a_request(an_estate(3, also=also, edges=(needs("old-0000", "old-0001", HARD),))))
    assert rules(plan) == {"no_address": 1, "group_blocked": 1}
    assert plan.why_not[1].says == "It moves together with 'old-0001', which cannot move (no_address)."


def test_a_group_that_no_window_can_take_stays() -> None:
    edges = tuple(needs(old(number), old(number + 1), HARD) for number in range(10))
    plan = planned(a_request(an_estate(12, edges=edges)))
    assert rules(plan) == {"group_too_large": 11}
    assert "11 assets move together ('old-0000' and others), but a window takes 10." in plan.why_not[0].says


def test_a_circle_of_dependencies_moves_as_one_or_not_at_all() -> None:
    circle = tuple(needs(old(number), old((number + 1) % 4)) for number in range(4))
    assert len(planned(a_request(an_estate(4, edges=circle))).waves[0].groups) == 1
    large = tuple(needs(old(number), old((number + 1) % 12)) for number in range(12))
    assert rules(planned(a_request(an_estate(12, edges=large)))) == {"group_too_large": 12}


def test_assets_with_different_runbooks_get_different_windows() -> None:
    notebooks = tuple(replace(one, kind=AssetKind.NOTEBOOK) for one in a_pair(5))
    runbooks = {AssetKind.WORKSTATION: "replace-workstation", AssetKind.NOTEBOOK: "replace-notebook"}
    plan = planned(a_request(an_estate(2, also=notebooks), policy=a_policy(runbooks=runbooks)))
    assert [(wave.runbook, len(wave.assets)) for wave in plan.waves] == [
        ("replace-workstation", 2),
        ("replace-notebook", 1),
    ]
    mixed = an_estate(2, also=notebooks, edges=(needs("old-0000", "old-0005", HARD),))
    assert rules(planned(a_request(mixed, policy=a_policy(runbooks=runbooks)))) == {"mixed_runbooks": 2}


def test_without_any_window_every_asset_is_a_leftover() -> None:
    plan = planned(a_request(an_estate(3), policy=a_policy(weekly=())))
    assert (plan.waves, rules(plan)) == ((), {"no_window": 3})


def test_what_finds_no_room_within_the_horizon_is_a_leftover() -> None:
    plan = planned(a_request(an_estate(45), policy=a_policy(horizon_days=4)))
    assert (len(plan.waves), rules(plan)) == (4, {"window_full": 5})


def test_leftovers_with_the_same_reason_stand_together() -> None:
    also = tuple(asset for number in range(5) for asset in a_pair(number, successor=""))
    (reason,) = planned(a_request(an_estate(also=also))).why_not
    assert (reason.rule, reason.says, len(reason.assets)) == ("no_successor", "It names no successor.", 10)


def test_nothing_is_planned_into_a_freeze() -> None:
    freeze = Freeze(name="election", first=date(2026, 11, 23), last=date(2026, 12, 6))
    plan = planned(a_request(an_estate(3), policy=a_policy(freezes=(freeze,))))
    assert plan.waves[0].window.local == "Mon 2026-12-07 22:00-04:30"


# --------------------------------------------------------------------------- pins and plans before


def test_a_pin_keeps_an_asset_back_until_its_time() -> None:
    pin = Pin(asset=old(0), not_before=datetime(2026, 12, 1, tzinfo=UTC))
    plan = planned(a_request(an_estate(3), pins=(pin,)))
    assert wave_of(plan, old(0)).window.local == "Tue 2026-12-01 22:00-04:30"


def test_a_pin_beyond_the_last_window_is_the_reason() -> None:
    pin = Pin(asset=old(0), not_before=MONDAY + timedelta(days=400))
    assert rules(planned(a_request(an_estate(3), pins=(pin,)))) == {"pinned_not_before": 1}


def test_a_pin_puts_an_asset_into_a_wave_of_the_plan_before() -> None:
    first = planned(a_request(an_estate(23)))
    pin = Pin(asset=old(0), wave=WaveKey("W03"))
    plan = planned(a_request(an_estate(23), pins=(pin,), parent=first))
    assert wave_of(first, old(0)).key == "W01"
    assert wave_of(plan, old(0)).key == "W03"
    assert plan.parent == first.fingerprint


def test_a_pin_to_a_wave_that_there_never_was_is_the_reason() -> None:
    plan = planned(a_request(an_estate(3), pins=(Pin(asset=old(0), wave=WaveKey("W77")),)))
    assert rules(plan) == {"pinned_wave": 1}


def test_bound_assets_pinned_to_different_waves_are_told() -> None:
    first = planned(a_request(an_estate(23)))
    pins = (Pin(asset=old(0), wave=WaveKey("W01")), Pin(asset=old(3), wave=WaveKey("W02")))
    estate = an_estate(23, edges=(needs(old(0), old(3), HARD),))
    assert rules(planned(a_request(estate, pins=pins, parent=first))) == {"pins_disagree": 2}


def test_settled_assets_are_not_planned_again_and_their_window_is_not_used_twice() -> None:
    first = planned(a_request(an_estate(23)))
    settled = frozenset(first.waves[0].assets)
    later = MONDAY + timedelta(hours=15)
    taken = (first.waves[0].window,)
    request = a_request(an_estate(23), parent=first, settled=settled, first_number=2, not_before=later, occupied=taken)
    plan = planned(request)
    assert {asset for wave in plan.waves for asset in wave.assets} == {old(n) for n in range(23)} - settled
    assert [wave.key for wave in plan.waves] == ["W02", "W03"]
    assert plan.waves == first.waves[1:]


def test_the_open_window_of_a_wave_that_is_over_takes_another_one() -> None:
    """After a rollback in the night the rest of the night can be planned anew."""
    first = planned(a_request(an_estate(3)))
    window = first.waves[0].window
    later = window.opens + timedelta(hours=1)
    plan = planned(a_request(an_estate(3), parent=first, first_number=2, not_before=later))
    assert [(wave.key, wave.window.opens, wave.window.closes) for wave in plan.waves] == [("W02", later, window.closes)]


def test_no_window_says_which_wave_took_them() -> None:
    window = planned(a_request(an_estate(3))).waves[0].window
    policy = a_policy(weekly=(), windows=(Window(opens=window.opens, closes=window.closes),))
    plan = FirstFitPlanner().propose(a_request(an_estate(3), policy=policy, occupied=(window,)))
    assert {one.rule for one in plan.why_not} == {"no_window"}
    assert "taken by a wave under way" in plan.why_not[0].says


def test_a_wave_that_stays_in_its_window_keeps_its_key_and_new_ones_get_new_numbers() -> None:
    first = planned(
        a_request(
            an_estate(23),
            policy=a_policy(freezes=(Freeze(name="fair", first=date(2026, 11, 24), last=date(2026, 11, 24)),)),
        )
    )
    plan = planned(a_request(an_estate(33), parent=first))
    kept = {wave.window.closes: wave.key for wave in first.waves}
    assert [wave.key for wave in plan.waves if wave.window.closes in kept] == [
        kept[wave.window.closes] for wave in plan.waves if wave.window.closes in kept
    ]
    assert "W04" in {wave.key for wave in plan.waves}


def test_a_window_that_is_open_keeps_the_beginning_that_the_plan_before_gave_it() -> None:
    """Else the wave in it would change, and lose its approval, only because time went by."""
    night = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
    first = planned(a_request(an_estate(12), not_before=night))
    plan = planned(a_request(an_estate(12), not_before=night + timedelta(minutes=7), parent=first))
    assert first.waves[0].window.local == "Mon 2026-11-23 23:00-04:30"
    assert plan.waves == first.waves


def test_a_plan_for_an_empty_inventory_is_empty() -> None:
    plan = planned(a_request(an_estate()))
    assert (plan.waves, plan.why_not) == ((), ())


# --------------------------------------------------------------------------- properties


def shuffled(estate: Snapshot, seed: int) -> Snapshot:
    assets, edges = list(estate.assets), list(estate.dependencies)
    random.Random(seed).shuffle(assets)
    random.Random(seed + 1).shuffle(edges)
    return Snapshot(tenant=estate.tenant, assets=tuple(assets), dependencies=tuple(edges))


@pytest.mark.parametrize("seed", range(5))
def test_the_same_input_in_another_order_gives_the_same_plan(seed: int) -> None:
    estate = a_tangled_estate(60, edges=90, seed=seed)
    assert planned(a_request(estate)).fingerprint == planned(a_request(shuffled(estate, seed))).fingerprint


NAMES = st.integers(0, 9).map(lambda number: f"m{number}")
KINDS = st.sampled_from([AssetKind.WORKSTATION] * 6 + [AssetKind.SERVER, AssetKind.NOTEBOOK, AssetKind.TEMPLATE])


@st.composite
def machines(draw: st.DrawFn) -> tuple[Asset, ...]:
    """Ten machines that name each other as successors in every possible right and wrong way."""
    found = []
    for number in range(10):
        values = {
            "address": draw(st.sampled_from([f"m{number}.example"] * 8 + ["", "m0.example"])),
            "successor": draw(st.one_of(st.just(""), NAMES, st.just(f"m{(number + 5) % 10}"))) if number < 7 else "",
            "role": draw(st.sampled_from([""] * 12 + ["jump"])),
            "strategy": draw(st.sampled_from([""] * 8 + ["retain"])),
            "access": "lab",
            "host_key": "ssh-ed25519 AAAA",
        }
        known = {name: value for name, value in values.items() if value}
        found.append(an_asset(f"m{number}", kind=draw(KINDS), **known))
    return tuple(found)


EDGES = st.lists(
    st.builds(needs, NAMES, st.one_of(NAMES, st.just("nobody")), st.sampled_from(list(DependencyKind))), max_size=12
)
PINS = st.lists(
    st.one_of(
        st.builds(
            lambda name, days: Pin(asset=AssetId(name), not_before=MONDAY + timedelta(days=days)),
            NAMES,
            st.integers(-3, 40),
        ),
        st.builds(
            lambda name, key: Pin(asset=AssetId(name), wave=WaveKey(key)), NAMES, st.sampled_from(["W01", "W02", "W09"])
        ),
    ),
    max_size=3,
)


@settings(max_examples=150)
@given(
    assets=machines(),
    edges=EDGES,
    pins=PINS,
    sizes=st.tuples(st.integers(1, 5), st.integers(0, 3), st.integers(1, 4), st.integers(1, 40)),
    settled=st.sets(NAMES, max_size=3),
)
def test_no_plan_of_this_planner_ever_fails_the_second_opinion(
    assets: tuple[Asset, ...],
    edges: list[Dependency],
    pins: list[Pin],
    sizes: tuple[int, int, int, int],
    settled: set[str],
) -> None:
    capacity, canary, batch, horizon = sizes
    runbooks = {AssetKind.WORKSTATION: "replace-workstation", AssetKind.NOTEBOOK: "replace-notebook"}
    policy = a_policy(
        assets_per_window=capacity, canary_size=canary, batch_size=batch, horizon_days=horizon, runbooks=runbooks
    )
    estate = an_estate(also=assets, edges=tuple(edges))
    first = planned(a_request(estate, policy=policy))
    again = a_request(
        estate, policy=policy, pins=tuple(pins), parent=first, settled=frozenset(map(AssetId, settled)), first_number=2
    )
    planned(again)

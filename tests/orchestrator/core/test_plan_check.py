"""The second opinion: a good plan passes; every seeded fault is found by the rule made for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from time import process_time

import pytest

from inventory.model import AssetId, DependencyKind, TenantId
from orchestrator.core.plan import MoveGroup, Pin, Plan, PlannedBatch, PlannedWave, PlanRequest, WaveKey
from orchestrator.core.plan_check import check_plan, errors_of
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.policy import Freeze
from tests.estates import MONDAY, a_pair, a_policy, a_request, a_tangled_estate, an_estate, needs, old
from tests.orchestrator.core.test_plan_check_rules import ASKED

BOUND = (needs("old-0000", "old-0003", DependencyKind.HARD),)
ESTATE = an_estate(23, also=a_pair(22, address=""), edges=BOUND)
REQUEST = a_request(ESTATE)
GOOD = FirstFitPlanner().propose(REQUEST)

Spoil = Callable[[Plan], Plan]


def errors(plan: Plan, request: PlanRequest = REQUEST) -> set[str]:
    found = check_plan(plan, request.snapshot, request.policy, request=request)
    assert all(one.severity in ("error", "warning") and one.says for one in found)
    return {one.rule for one in errors_of(found)}


def with_wave(number: int, change: Callable[[PlannedWave], PlannedWave]) -> Spoil:
    def spoil(plan: Plan) -> Plan:
        waves = [change(wave) if index == number else wave for index, wave in enumerate(plan.waves)]
        return replace(plan, waves=tuple(waves))

    return spoil


def with_window(**shift: float) -> Spoil:
    """Both ends of the first wave's window shifted."""
    by = timedelta(**shift)

    def change(wave: PlannedWave) -> PlannedWave:
        moved = replace(wave.window, opens=wave.window.opens + by, closes=wave.window.closes + by)
        return replace(wave, window=moved)

    return with_wave(0, change)


def inverted(wave: PlannedWave) -> PlannedWave:
    return replace(wave, window=replace(wave.window, opens=wave.window.closes, closes=wave.window.opens))


def in_one_batch(wave: PlannedWave) -> PlannedWave:
    return replace(wave, batches=(PlannedBatch(name="canary", assets=wave.assets),))


def without_last_batch(wave: PlannedWave) -> PlannedWave:
    return replace(wave, batches=wave.batches[:-1])


def with_empty_batch(wave: PlannedWave) -> PlannedWave:
    return replace(wave, batches=(*wave.batches, PlannedBatch(name=f"b{len(wave.batches)}", assets=())))


def torn(wave: PlannedWave) -> PlannedWave:
    """The bound pair in two batches: one of it changes places with an asset of another batch."""
    away = next(asset for batch in wave.batches if old(0) not in batch.assets for asset in batch.assets)
    swap = {old(0): away, away: old(0)}
    batches = tuple(replace(one, assets=tuple(swap.get(a, a) for a in one.assets)) for one in wave.batches)
    return replace(wave, batches=batches)


def an_extra(asset: AssetId, *, wave: int) -> Spoil:
    """The asset once more, as a group and batch of its own."""

    def change(one: PlannedWave) -> PlannedWave:
        batch = PlannedBatch(name=f"b{len(one.batches)}", assets=(asset,))
        return replace(one, groups=(*one.groups, MoveGroup(assets=(asset,))), batches=(*one.batches, batch))

    return with_wave(wave, change)


def moved_on(asset: AssetId) -> Spoil:
    """The asset taken out of its wave and put into the last one."""

    def spoil(plan: Plan) -> Plan:
        waves = tuple(_without(wave, asset) for wave in plan.waves)
        return an_extra(asset, wave=len(waves) - 1)(replace(plan, waves=waves))

    return spoil


def _without(wave: PlannedWave, asset: AssetId) -> PlannedWave:
    groups = tuple(MoveGroup(assets=tuple(a for a in one.assets if a != asset)) for one in wave.groups)
    batches = tuple(replace(one, assets=tuple(a for a in one.assets if a != asset)) for one in wave.batches)
    return replace(wave, groups=groups, batches=batches)


def dropped(plan: Plan) -> Plan:
    return replace(plan, waves=plan.waves[:-1])


SPOILT: tuple[tuple[str, Spoil], ...] = (
    ("tenant", lambda plan: replace(plan, tenant=TenantId("nachbar"))),
    ("parent", lambda plan: replace(plan, parent="0" * 64)),
    ("wave_key", with_wave(1, lambda wave: replace(wave, key=WaveKey("W01")))),
    ("wave_key", with_wave(1, lambda wave: replace(wave, key=WaveKey("../x")))),
    ("twice", an_extra(old(0), wave=2)),
    ("twice", an_extra(old(22), wave=2)),
    ("unknown_asset", an_extra(AssetId("nobody"), wave=2)),
    ("not_a_move", an_extra(AssetId("new-0004"), wave=2)),
    ("not_a_move", an_extra(AssetId("vault-1"), wave=2)),
    ("no_address", lambda plan: an_extra(old(22), wave=2)(replace(plan, why_not=()))),
    ("dropped", dropped),
    ("dropped", lambda plan: replace(plan, why_not=())),
    ("dropped", lambda plan: replace(plan, why_not=(replace(plan.why_not[0], rule=""),))),
    ("runbook", with_wave(0, lambda wave: replace(wave, runbook="erase-everything"))),
    ("empty_wave", with_wave(2, lambda wave: replace(wave, groups=(), batches=()))),
    ("empty_wave", with_wave(2, with_empty_batch)),
    ("batches", with_wave(0, without_last_batch)),
    ("capacity", an_extra(old(22), wave=0)),
    ("batch_size", with_wave(0, in_one_batch)),
    ("batch_names", with_wave(0, lambda wave: replace(wave, batches=wave.batches[1:] + wave.batches[:1]))),
    ("torn_group", with_wave(0, torn)),
    ("broken_group", moved_on(old(0))),
    ("window_inverted", with_wave(0, inverted)),
    ("window_past", with_window(days=-7)),
    ("window_far", with_window(days=53 * 7)),
    ("window_not_allowed", with_window(hours=-3)),
    ("window_not_allowed", with_window(days=5)),
    ("window_holiday", with_window(days=164, hours=-1)),
    ("window_shared", with_window(days=1)),
    ("window_text", with_wave(0, lambda wave: replace(wave, window=replace(wave.window, local="whenever")))),
    ("window_text", with_wave(0, lambda wave: replace(wave, window=replace(wave.window, zone="UTC")))),
    (
        "window_zone",
        with_wave(
            0, lambda wave: replace(wave, window=replace(wave.window, opens=wave.window.opens.replace(tzinfo=None)))
        ),
    ),
)


def test_a_good_plan_passes_with_and_without_its_request() -> None:
    assert errors(GOOD) == set()
    assert check_plan(GOOD, ESTATE, REQUEST.policy) == ()


@pytest.mark.parametrize(("rule", "spoil"), SPOILT, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(SPOILT)])
def test_every_seeded_fault_is_found(rule: str, spoil: Spoil) -> None:
    assert rule in errors(spoil(GOOD))


def test_a_plan_into_a_freeze_is_refused() -> None:
    freeze = Freeze(name="election", first=date(2026, 11, 24), last=date(2026, 11, 24))
    assert errors(GOOD, replace(REQUEST, policy=a_policy(freezes=(freeze,)))) == {"window_frozen"}


def test_settled_assets_in_a_plan_are_refused() -> None:
    assert errors(GOOD, replace(REQUEST, settled=frozenset({old(5)}))) == {"settled"}


@pytest.mark.parametrize("pin", [Pin(asset=old(1), not_before=MONDAY + timedelta(days=60))])
def test_a_pin_that_is_not_honoured_is_refused(pin: Pin) -> None:
    assert errors(GOOD, replace(REQUEST, pins=(pin,))) == {"pin"}


def test_a_pin_to_another_wave_is_refused() -> None:
    where = next(wave.key for wave in GOOD.waves if old(1) not in wave.assets)
    request = replace(REQUEST, pins=(Pin(asset=old(1), wave=where),), parent=GOOD)
    assert errors(replace(GOOD, parent=GOOD.fingerprint), request) == {"pin"}


def test_an_asset_whose_successor_is_named_twice_or_is_missing_is_refused() -> None:
    missing = an_estate(23, also=a_pair(1, successor="nobody"), edges=BOUND)
    assert "no_successor" in errors(GOOD, replace(REQUEST, snapshot=missing))
    taken = an_estate(23, also=a_pair(1, successor="new-0002"), edges=BOUND)
    assert "successor_taken" in errors(GOOD, replace(REQUEST, snapshot=taken))


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("retained", {"strategy": "retain"}),
        ("no_access", {"access": ""}),
        ("no_host_key", {"host_key": ""}),
        ("no_address", {"address": ""}),
    ],
)
def test_an_asset_that_changed_since_it_was_planned_is_refused(rule: str, value: dict[str, str]) -> None:
    changed = an_estate(23, also=a_pair(1, **value), edges=BOUND)
    assert rule in errors(GOOD, replace(REQUEST, snapshot=changed))


def test_a_successor_that_is_replaced_itself_is_refused() -> None:
    old_one, new_one = a_pair(1)
    moving = replace(new_one, values={**new_one.values, "successor": "new-0002"})
    assert "successor_replaced" in errors(GOOD, replace(REQUEST, snapshot=an_estate(23, also=(old_one, moving))))


def test_more_than_thirty_rules_are_each_broken_by_a_plan_of_their_own() -> None:
    spoilt, asked = {rule for rule, _ in SPOILT}, {rule for _, rule, _ in ASKED}
    assert len(spoilt) >= 22 and len(asked) >= 11 and len(spoilt | asked) >= 30


def test_a_plan_without_a_vault_is_refused() -> None:
    bare = replace(ESTATE, assets=tuple(one for one in ESTATE.assets if one.name != "vault-1"))
    assert "no_vault" in errors(GOOD, replace(REQUEST, snapshot=bare))


def test_an_order_that_had_to_be_broken_is_only_a_warning() -> None:
    estate = replace(ESTATE, dependencies=(*BOUND, needs(old(0), old(2))))
    pins = (Pin(asset=old(2), not_before=MONDAY + timedelta(days=20)), Pin(asset=old(0), not_before=MONDAY))
    request = replace(REQUEST, snapshot=estate, pins=pins)
    found = check_plan(FirstFitPlanner().propose(request), estate, request.policy, request=request)
    assert [(one.severity, one.rule, one.assets) for one in found] == [("warning", "order", (old(0),))]


def test_a_circle_torn_apart_is_refused_though_nothing_in_it_binds() -> None:
    circle = tuple(needs(old(number), old((number + 1) % 3)) for number in range(3))
    assert "broken_group" in errors(GOOD, replace(REQUEST, snapshot=replace(ESTATE, dependencies=(*BOUND, *circle))))


def test_a_thousand_seats_are_planned_and_checked_in_seconds() -> None:
    estate = a_tangled_estate(1_400, edges=2_800, seed=1, binding=0.001)
    request = a_request(estate, policy=a_policy(assets_per_window=24, batch_size=10))
    began = process_time()
    plan = FirstFitPlanner().propose(request)
    assert errors(plan, request) == set()
    assert process_time() - began < 5
    assert sum(len(wave.assets) for wave in plan.waves) > 1_300

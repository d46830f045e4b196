"""Plans as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from inventory.model import AssetId, TenantId
from orchestrator.core.plan import MoveGroup, Plan, PlannedBatch, PlannedWave, PlannedWindow, WaveKey

NIGHT = datetime(2026, 6, 1, 20, 0, tzinfo=UTC)


def a_plan(*, tenant: str = "stadt", parent: str = "") -> Plan:
    window = PlannedWindow(
        opens=NIGHT, closes=NIGHT + timedelta(hours=6), zone="Europe/Berlin", local="Mon 22:00-04:00"
    )
    one, two = AssetId("one"), AssetId("two")
    wave = PlannedWave(
        key=WaveKey("W01"),
        runbook="replace-workstation",
        window=window,
        groups=(MoveGroup(assets=(one,)), MoveGroup(assets=(two,))),
        batches=(PlannedBatch(name="canary", assets=(two,)), PlannedBatch(name="b1", assets=(one,))),
    )
    return Plan(
        tenant=TenantId(tenant), parent=parent, made_from="f" * 64, not_before=NIGHT, seed=0, waves=(wave,), why_not=()
    )


def test_equal_plans_have_equal_fingerprints_and_any_change_another() -> None:
    assert a_plan().fingerprint == a_plan().fingerprint
    others = (a_plan(tenant="kreis"), a_plan(parent="p"), replace(a_plan(), seed=1), replace(a_plan(), waves=()))
    assert len({a_plan().fingerprint, *(plan.fingerprint for plan in others)}) == 5


def test_the_assets_of_a_wave_come_in_the_order_of_its_batches() -> None:
    assert a_plan().waves[0].assets == ("two", "one")


def test_a_wave_that_is_not_there_is_none() -> None:
    assert a_plan().wave("W01") is not None
    assert a_plan().wave("W02") is None

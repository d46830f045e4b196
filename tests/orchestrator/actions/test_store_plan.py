"""Storing a plan: new and changed waves are proposed, all others keep their approvals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inventory.model import AssetId
from orchestrator.actions.sign import standing_of
from orchestrator.actions.store_plan import StoredWave, WaveUnderWay, store_plan
from orchestrator.core.freeze import Frozen
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.plan import MoveGroup, Plan, PlannedBatch, PlannedWave, WaveKey
from orchestrator.core.refusals import PlanOvertaken
from tests.copied_towns import a_town
from tests.towns import STADT, Town


def store_it(town: Town, plan: Plan) -> dict[str, StoredWave]:
    with town.outside().desk() as desk:
        frozen = Frozen(
            snapshot=desk.books.assets.snapshot(STADT),
            policy=town.policy,
            runbooks={town.runbook.name: town.runbook},
            profiles={one.name: one for one in desk.books.tenants.access(STADT)},
            ansible_core="2.19.14",
        )
        return {one.key: one for one in store_plan(desk, plan, frozen=frozen, keyboard=town.anna)}


def current(town: Town) -> Plan:
    with town.store.reading() as books:
        plan = books.plans.current(STADT)
    assert plan is not None
    return plan


def child(plan: Plan, *waves: PlannedWave) -> Plan:
    return replace(plan, parent=plan.fingerprint, waves=waves)


def a_wave_of(plan: Plan, key: str, *names: str) -> PlannedWave:
    assets = tuple(AssetId(f"{name}-id") for name in names)
    groups = tuple(MoveGroup(assets=(asset,)) for asset in assets)
    batches = (PlannedBatch(name="canary", assets=assets),)
    return replace(plan.waves[0], key=WaveKey(key), groups=groups, batches=batches)


def two_waves(town: Town) -> Plan:
    """W01 and W02 with one seat each, both proposed."""
    plan = current(town)
    store_it(town, child(plan, a_wave_of(plan, "W01", "apc-001"), a_wave_of(plan, "W02", "apc-002")))
    return current(town)


def states(town: Town) -> dict[str, WaveState]:
    with town.store.reading() as books:
        return {wave.key: wave.state for wave in books.waves.all(STADT)}


def test_every_new_wave_is_proposed_with_a_signature(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    two_waves(town)
    assert states(town) == {"W01": WaveState.PROPOSED, "W02": WaveState.PROPOSED}
    with town.outside().look() as desk:
        wave = desk.books.waves.get(STADT, "W02")
        assert standing_of(desk, wave).proposer == desk.books.people.find(STADT, "anna").id


def test_changing_one_wave_voids_its_approval_with_the_differences_and_no_other(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    plan = two_waves(town)
    town.approve()
    later = replace(plan.waves[1].window, closes=plan.waves[1].window.closes - timedelta(hours=1))
    stored = store_it(town, child(plan, plan.waves[0], replace(plan.waves[1], window=later)))
    assert (stored["W01"].verdict, stored["W02"].verdict) == ("same", "changed")
    assert any(line.startswith("window.closes: ") for line in stored["W02"].changes)
    assert states(town) == {"W01": WaveState.APPROVED, "W02": WaveState.PROPOSED}
    shorter = replace(plan.waves[0].window, closes=plan.waves[0].window.closes - timedelta(hours=1))
    plan = current(town)
    store_it(town, child(plan, replace(plan.waves[0], window=shorter), plan.waves[1]))
    with town.outside().look() as desk:
        assert not standing_of(desk, desk.books.waves.get(STADT, "W01")).holds


def test_a_wave_that_the_new_plan_leaves_out_loses_its_approval(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    plan = two_waves(town)
    town.approve()
    stored = store_it(town, child(plan, plan.waves[1]))
    assert (stored["W01"].verdict, stored["W02"].verdict) == ("left_out", "same")
    assert states(town)["W01"] is WaveState.DRAFT


def test_the_same_plan_content_changes_nothing(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    plan = current(town)
    assert {one.verdict for one in store_it(town, child(plan, *plan.waves)).values()} == {"same"}
    assert states(town) == {"W01": WaveState.APPROVED}


def test_a_plan_cannot_change_a_wave_that_runs_and_stores_nothing_then(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    plan = current(town)
    with pytest.raises(WaveUnderWay, match="W01 is running"):
        store_it(town, child(plan, a_wave_of(plan, "W01", "apc-002")))
    assert current(town) == plan
    assert town.wave()[0].revision == 1


def test_a_plan_that_was_overtaken_stores_nothing(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    old = current(town)
    two_waves(town)
    with pytest.raises(PlanOvertaken):
        store_it(town, child(old, *old.waves))
    assert sorted(states(town)) == ["W01", "W02"]


def test_a_changed_access_profile_or_machine_makes_it_another_wave(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    with town.store.transaction() as books:
        (profile,) = books.tenants.access(STADT)
        books.tenants.put_access(STADT, replace(profile, port=2222))
    plan = current(town)
    stored = store_it(town, child(plan, *plan.waves))
    assert stored["W01"].changes == ("access[1].port: 22 -> 2222",)
    assert states(town) == {"W01": WaveState.PROPOSED}

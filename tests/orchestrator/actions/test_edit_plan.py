"""Editing the plan in force: refused by the second opinion or stored with its pins, and never past what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inventory.model import AssetId
from orchestrator.actions.edit_plan import Editable, EditOrder, EditRefused, PlanOutdated, edit, editable_in, store_edit
from orchestrator.actions.pin_asset import Word, pin, pins_in
from orchestrator.actions.propose_plan import ChangedWhilePlanning
from orchestrator.actions.store_plan import StoredWave
from orchestrator.core.freeze import Frozen
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.plan import Pin, WaveKey
from orchestrator.core.plan_check import check_plan
from orchestrator.core.plan_edit import EditWaveUnknown, Wish
from orchestrator.core.policy import Window
from tests.copied_towns import a_town
from tests.orchestrator.actions.test_store_plan import current, states, two_waves
from tests.towns import STADT, Town

DAY = timedelta(days=1)
TO_W02 = Wish(asset=AssetId("apc-001-id"), wave=WaveKey("W02"))


def a_split_town(tmp_path: Path) -> Town:
    """W01 with apc-001 and W02, a night later, with apc-002, both proposed; each window has room for both."""
    town = a_town(tmp_path)
    with town.store.transaction() as books:
        policy = books.tenants.policy(STADT)
        (night,) = policy.windows
        later = Window(opens=night.opens + DAY, closes=night.closes + DAY)
        town.policy = replace(policy, windows=(night, later), assets_per_window=1)
        books.tenants.set_policy(STADT, town.policy)
    town.propose()
    town.policy = replace(town.policy, assets_per_window=2)
    with town.store.transaction() as books:
        books.tenants.set_policy(STADT, town.policy)
    return town


def start_of(town: Town) -> Editable:
    with town.store.reading() as books:
        return editable_in(books, tenant=STADT, now=town.clock.now())


def store(town: Town, start: Editable, *wishes: Wish) -> dict[str, StoredWave]:
    found, _findings = edit(start, wishes, check_plan)
    with town.outside().desk() as desk:
        frozen = Frozen(
            snapshot=start.request.snapshot,
            policy=town.policy,
            runbooks={town.runbook.name: town.runbook},
            profiles={one.name: one for one in desk.books.tenants.access(STADT)},
            ansible_core="2.19.14",
        )
        stored = store_edit(desk, EditOrder(start=start, edit=found, keyboard=town.anna, reason="x"), frozen=frozen)
        return {one.key: one for one in stored}


def test_the_edit_is_stored_with_its_pins_and_voids_the_approvals_of_the_waves_it_changes(tmp_path: Path) -> None:
    town = a_split_town(tmp_path)
    town.approve()
    town.approve(wave="W02")
    stored = store(town, start_of(town), TO_W02)
    assert {key: one.verdict for key, one in stored.items()} == {"W01": "left_out", "W02": "changed"}
    assert states(town) == {"W01": WaveState.DRAFT, "W02": WaveState.PROPOSED}
    with town.store.reading() as books:
        assert pins_in(books, STADT) == (Pin(asset=TO_W02.asset, wave=WaveKey("W02")),)
        assert [one.name for one in books.waves.get(STADT, "W02").content.moves] == ["apc-001", "apc-002"]


def test_an_edit_that_breaks_a_rule_is_refused_with_every_finding(tmp_path: Path) -> None:
    town = a_split_town(tmp_path)
    start = start_of(town)
    tight = replace(start, request=replace(start.request, policy=replace(town.policy, assets_per_window=1)))
    with pytest.raises(EditRefused, match="W02 has 2 assets; a window takes 1") as refused:
        edit(tight, [TO_W02], check_plan)
    assert [one.rule for one in refused.value.findings] == ["capacity"]


def test_a_plan_that_breaks_rules_unedited_is_told_apart_from_a_bad_edit(tmp_path: Path) -> None:
    town = a_split_town(tmp_path)
    start = start_of(town)
    strict = replace(start, request=replace(start.request, policy=replace(town.policy, windows=())))
    with pytest.raises(PlanOutdated, match=r"edited or not: The window of W0[12]"):
        edit(strict, [TO_W02], check_plan)


def test_what_changed_while_a_person_looked_is_not_overwritten(tmp_path: Path) -> None:
    town = a_split_town(tmp_path)
    start = start_of(town)
    with town.store.transaction() as books:
        by = books.people.find(STADT, "bert").id
        pin(books, STADT, Pin(asset=AssetId("apc-002-id"), wave=WaveKey("W01")), word=Word(by=by, at=town.clock.now()))
    before = current(town)
    with pytest.raises(ChangedWhilePlanning):
        store(town, start, TO_W02)
    assert current(town) == before


def test_a_wave_under_way_is_no_part_of_an_edit(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    two_waves(town)
    town.approve()
    town.start()
    start = start_of(town)
    assert start.fixed == {"W01"}
    with pytest.raises(EditWaveUnknown):
        edit(start, [Wish(asset=AssetId("apc-002-id"), wave=WaveKey("W01"))], check_plan)

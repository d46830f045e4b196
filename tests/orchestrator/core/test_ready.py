"""The start gates of a wave."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from inventory.model import Asset, AssetId, AssetKind, Snapshot
from orchestrator.core.approval import Standing
from orchestrator.core.explain import Sentence
from orchestrator.core.lifecycle import WAVE_TABLE, WaveEvent, WaveState
from orchestrator.core.policy import Freeze, Policy
from orchestrator.core.ready import Circumstances, blocking, drift, ready_lines
from orchestrator.core.wave import PersonId, WaveContent
from tests.orchestrator.core.builders import KEY, OPENS, a_wave

WAVE = a_wave(batches={"b1": 2})
HOLDS = Standing(proposer=PersonId("p-a"), approvers=(PersonId("p-b"),), expires=OPENS, conditions=(), missing=())


def inventory(**values: str) -> Snapshot:
    """The machines of the wave as approved; the first one may differ."""
    given = {"address": "10.0.0.1", "host_key": KEY, "access": "lab"}
    assets = tuple(
        Asset(
            id=move.asset,
            tenant=WAVE.tenant,
            kind=AssetKind.WORKSTATION,
            name=move.name,
            values={**given, **(values if move.asset == "a01" else {})},
        )
        for move in WAVE.moves
    )
    return Snapshot(tenant=WAVE.tenant, assets=assets, dependencies=())


def circumstances(**other: Any) -> Circumstances:
    usual = {
        "state": WaveState.APPROVED, "standing": HOLDS, "policy": Policy(), "snapshot": inventory(),
        "profiles": {one.name: one for one in WAVE.access}, "tree_there": True, "busy": {}, "now": OPENS,
    }  # fmt: skip
    return Circumstances(**{**usual, **other})


def verdicts(content: WaveContent = WAVE, **other: Any) -> dict[str, str]:
    """Gates that are not ok, by name."""
    lines = ready_lines(content, circumstances(**other))
    return {line.gate: line.verdict for line in lines if line.verdict not in ("ok", "unknown")}


def test_an_approved_wave_in_its_window_may_start() -> None:
    assert verdicts() == {}


@pytest.mark.parametrize("state", list(WaveState))
def test_a_wave_starts_only_from_states_in_which_it_can_be_claimed(state: WaveState) -> None:
    assert (verdicts(state=state) == {}) is (WaveEvent.CLAIM in WAVE_TABLE[state])


FREEZE = Freeze(name="election", first=date(2026, 12, 2), last=date(2026, 12, 2))
BLOCKS: dict[str, tuple[str, dict[str, Any]]] = {
    "no approval": ("approval", {"standing": replace(HOLDS, missing=(Sentence(says="0 of 1 approvals"),))}),
    "too early": ("window", {"now": OPENS - timedelta(microseconds=1)}),
    "too late": ("window", {"now": WAVE.window.closes}),
    "a freeze that begins within the window": ("freeze", {"policy": Policy(freezes=(FREEZE,))}),
    "the runbook's tree is gone": ("runbook", {"tree_there": False}),
    "an access profile was replaced": ("access", {"profiles": {"lab": replace(WAVE.access[0], port=2222)}}),
    "an access profile is gone": ("access", {"profiles": {}}),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_each_of_these_forbids_the_start(name: str) -> None:
    gate, seen = BLOCKS[name]
    assert verdicts(**seen) == {gate: "blocks"}


def test_a_forged_signature_has_a_line_of_its_own() -> None:
    forged = replace(HOLDS, missing=(Sentence(says="1 act(s) in the store carry no genuine signature"),), forged=1)
    assert verdicts(standing=forged) == {"signatures": "blocks", "approval": "blocks"}


def test_an_empty_wave_does_not_start() -> None:
    assert verdicts(replace(WAVE, moves=(), batches=()))["assets"] == "blocks"


def test_a_freeze_counts_for_the_window_not_for_the_day_of_asking() -> None:
    before = Freeze(name="now", first=date(2026, 11, 1), last=date(2026, 11, 30))
    asked: dict[str, Any] = {"now": OPENS - timedelta(days=5)}
    assert verdicts(policy=Policy(freezes=(before,)), **asked) == {"window": "blocks"}
    assert verdicts(policy=Policy(freezes=(FREEZE,)), **asked) == {"window": "blocks", "freeze": "blocks"}


@pytest.mark.parametrize("changed", [{"address": "10.0.0.2"}, {"host_key": KEY[:-1] + "X"}, {"access": "other"}])
def test_a_machine_that_is_no_longer_as_approved_stays_behind(changed: dict[str, str]) -> None:
    (line,) = [one for one in ready_lines(WAVE, circumstances(snapshot=inventory(**changed))) if one.gate == "drift"]
    assert (line.verdict, line.assets) == ("held", ("a01",))
    assert list(drift(WAVE, inventory(**changed))) == ["a01"]


def test_a_host_that_is_no_longer_in_the_inventory_stays_behind() -> None:
    left = replace(inventory(), assets=inventory().assets[1:])
    assert list(drift(WAVE, left)) == ["a01"]


def test_an_asset_in_another_waves_hands_stays_behind() -> None:
    lines = ready_lines(WAVE, circumstances(busy={AssetId("a02"): "W09", AssetId("zz"): "W09"}))
    assert [line.assets for line in lines if line.verdict == "held"] == [("a02",)]
    assert blocking(lines) == ()


def test_whatever_blocks_names_an_owner_and_a_remedy() -> None:
    for _gate, seen in BLOCKS.values():
        for line in blocking(ready_lines(WAVE, circumstances(**seen))):
            assert line.owner and line.remedy
    for state in WaveState:
        for line in blocking(ready_lines(WAVE, circumstances(state=state))):
            assert line.remedy and "{" not in line.remedy.text

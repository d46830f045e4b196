"""A wave's frozen content, and the acts on it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from inventory.model import AssetId, TenantId
from orchestrator.core.canonical import plain, restore
from orchestrator.core.domain import DomainSettings
from orchestrator.core.plan import MoveGroup, WaveKey
from orchestrator.core.wave import WaveContent
from tests.orchestrator.core.builders import a_wave

WAVE = a_wave(groups=(("a02", "a03"),))
CHANGED: dict[str, Any] = {
    "needs": ((AssetId("a01"), AssetId("a02")),),
    "tenant": TenantId("kreis"),
    "key": WaveKey("W02"),
    "runbook": replace(WAVE.runbook, tree="1" * 64),
    "ansible_core": "2.16.1",
    "window": replace(WAVE.window, closes=WAVE.window.closes + timedelta(microseconds=1)),
    "groups": (MoveGroup(assets=(AssetId("a02"),)),),
    "batches": WAVE.batches[::-1],
    "moves": WAVE.moves[:-1],
    "access": (replace(WAVE.access[0], port=2222),),
    "thresholds": replace(WAVE.thresholds, forks=6),
    "approvers_needed": 2,
    "contacts": ("0331 1",),
    "shown": "1",
    "domain": DomainSettings(realm="AMT.STADT.EXAMPLE", join_account="kahn", secret_file="join"),
}


def test_any_change_of_any_field_is_another_fingerprint() -> None:
    assert set(CHANGED) == {field.name for field in fields(WaveContent)}
    made = {replace(WAVE, **{name: value}).fingerprint for name, value in CHANGED.items()}
    assert len({WAVE.fingerprint, *made}) == len(CHANGED) + 1


def test_a_wave_comes_back_from_the_store_with_its_fingerprint() -> None:
    assert restore(WaveContent, plain(WAVE)).fingerprint == WAVE.fingerprint


def test_assets_that_move_together_are_found_from_each_of_them() -> None:
    assert WAVE.group_of(AssetId("a02")) == WAVE.group_of(AssetId("a03")) == ("a02", "a03")
    assert WAVE.group_of(AssetId("a01")) == ("a01",)


def test_what_the_wave_does_not_have_is_an_error_never_a_guess() -> None:
    for ask in (
        lambda: WAVE.move(AssetId("b99")),
        lambda: WAVE.profile("other"),
        lambda: WAVE.moves[0].machine("vault"),
    ):
        with pytest.raises(KeyError):
            ask()

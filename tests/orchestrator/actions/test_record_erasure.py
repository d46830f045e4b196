"""A signed erasure ends a machine's life: in its wave, in the inventory, and against every rollback."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from inventory.model import AssetId
from orchestrator.actions.record_erasure import kept_in, record_erasure
from orchestrator.actions.sign import Intent, WrongKey, checked_acts
from orchestrator.actions.take_back import ReasonMissing
from orchestrator.core.lifecycle import MoveState
from orchestrator.core.retention import ErasedForGood, Erasure, NotKept, StillKept
from orchestrator.core.wave import ActKind
from tests.copied_towns import a_town
from tests.orchestrator.actions.test_take_back import ask
from tests.orchestrator.core.builders import a_runbook
from tests.towns import STADT, Town

RETIRES = replace(a_runbook(), retires=True)
ONE = AssetId("apc-001-id")


def retired(folder: Path, *, days: int) -> Town:
    """A town whose two seats were retired so many days ago."""
    town = a_town(folder, "started", runbook=RETIRES)
    town.drive()
    town.clock.moment += timedelta(days=days)
    assert set(town.states().values()) == {"retired"}
    return town


def erase(town: Town, *, on: date, reason: str = "Muster GmbH: shredded", key: object = None) -> int:
    erasure = Erasure(on=on, certificate="nachweis.pdf", sha256="a" * 64)
    with town.outside().desk() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        intent = Intent(kind=ActKind.ERASED, reason=reason, assets=(ONE,))
        keyboard = town.anna if key is None else replace(town.anna, key_file=town.bert.key_file)
        return record_erasure(desk, wave, keyboard=keyboard, intent=intent, erasure=erasure)


def test_an_erasure_is_signed_closes_the_record_and_forbids_the_way_back(tmp_path: Path) -> None:
    town = retired(tmp_path, days=91)
    today = town.clock.now().date()
    assert erase(town, on=today) == 1
    assert town.states() == {"apc-001": "erased", "apc-002": "retired"}
    with town.outside().look() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        first, second = kept_in(desk, wave)
        assert first.erasure is not None and first.erasure.sha256 == "a" * 64 and second.erasure is None
        act = checked_acts(desk, wave)[-1]
        assert act.genuine and act.act.kind is ActKind.ERASED
        assert act.act.about == f"{today} {'a' * 64} nachweis.pdf"
        assert desk.books.assets.snapshot(STADT).by_id()[ONE].text("lifecycle") == "erased"
    for names in (("apc-001",), ()):
        with pytest.raises(ErasedForGood):
            ask(town, *names)
    ask(town, "apc-002")
    town.drive()
    assert town.states() == {"apc-001": "erased", "apc-002": "rolled_back"}
    with pytest.raises(NotKept):
        erase(town, on=today)


def test_too_early_unsigned_or_unexplained_nothing_changes(tmp_path: Path) -> None:
    town = retired(tmp_path, days=89)
    with pytest.raises(StillKept):
        erase(town, on=town.clock.now().date())
    town.clock.moment += timedelta(days=9)
    with pytest.raises(ReasonMissing):
        erase(town, on=town.clock.now().date(), reason=" ")
    with pytest.raises(WrongKey):
        erase(town, on=town.clock.now().date(), key=town.bert)
    assert set(town.states().values()) == {MoveState.RETIRED.value}
    with town.outside().look() as desk:
        assert all(one.entry.kind != "move.erased" for one in desk.books.journal.read(STADT))

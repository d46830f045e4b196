"""What people decide about a wave that rests."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.actions.control_wave import change_course
from orchestrator.actions.sign import Intent, Keyboard, WrongKey
from orchestrator.actions.take_back import (
    NothingToTakeBack,
    ReasonMissing,
    UnknownAsset,
    ask_rollback,
    assets_named,
    rollback_preview,
)
from orchestrator.core.lifecycle import IllegalTransition, WaveState
from orchestrator.core.wave import ActKind
from tests.copied_towns import a_town
from tests.orchestrator.core.builders import Game, a_wave
from tests.towns import STADT, Town


def ask(town: Town, *names: str, reason: str = "users complain", keyboard: Keyboard | None = None) -> None:
    with town.outside().desk() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        intent = Intent(kind=ActKind.ROLL_BACK, reason=reason, assets=assets_named(wave.content, names))
        ask_rollback(desk, wave, keyboard=keyboard or town.anna, intent=intent)


def resume(town: Town, reason: str = "looked at") -> None:
    with town.outside().desk() as desk:
        intent = Intent(kind=ActKind.RESUME, reason=reason)
        change_course(desk, desk.books.waves.get(STADT, "W01"), keyboard=town.anna, intent=intent)


def a_closed_town(folder: Path) -> Town:
    town = a_town(folder, "started")
    town.drive()
    return town


def unchanged_by(town: Town, refusal: type[Exception], *names: str, **options: str) -> None:
    with town.store.reading() as books:
        before = len(books.journal.read(STADT))
    with pytest.raises(refusal):
        ask(town, *names, **options)  # type: ignore[arg-type]
    with town.store.reading() as books:
        assert len(books.journal.read(STADT)) == before


def test_assets_are_named_as_people_write_them_and_bring_their_group_along() -> None:
    wave = a_wave(groups=(("a02", "a03"),))
    assert assets_named(wave, ("APC-A02",)) == ("a02", "a03")
    assert assets_named(wave, ("apc-a01", "apc-a01")) == ("a01",)
    assert assets_named(wave, ()) == ()


@pytest.mark.parametrize(
    "name", ["apc-999", "", "all", "*", "../x", "-oProxyCommand=x", "{{ 7*7 }}", "\x1b[2J", "a" * 9999]
)
def test_a_name_that_the_wave_does_not_have_is_refused_whatever_it_looks_like(name: str) -> None:
    with pytest.raises(UnknownAsset, match="is not in wave W01"):
        assets_named(a_wave(), (name,))


def test_the_preview_lists_what_was_begun_with_its_steps_last_first() -> None:
    game = Game(a_wave()).play()
    lines = rollback_preview(game.content, game.progress, ())
    assert [line.asset for line in lines] == ["a01", "a02", "a03", "a04"]
    assert {line.undo for line in lines} == {("switch", "copy")}
    assert rollback_preview(game.content, Game(a_wave()).progress, ()) == ()


def test_a_wave_is_taken_back_by_a_signed_wish_and_proven(tmp_path: Path) -> None:
    town = a_closed_town(tmp_path)
    ask(town)
    town.drive()
    assert town.wave()[0].state is WaveState.ROLLED_BACK
    assert set(town.states().values()) == {"rolled_back"}
    with town.store.reading() as books:
        assert books.waves.acts(STADT, "W01")[-1].act.kind is ActKind.ROLL_BACK


def test_one_asset_is_taken_back_and_the_others_stay(tmp_path: Path) -> None:
    town = a_closed_town(tmp_path)
    ask(town, "apc-002")
    town.drive()
    assert town.states() == {"apc-001": "moved", "apc-002": "rolled_back"}


def test_a_decision_without_a_reason_or_with_another_persons_key_changes_nothing(tmp_path: Path) -> None:
    town = a_closed_town(tmp_path)
    unchanged_by(town, ReasonMissing, reason="  ")
    unchanged_by(town, UnknownAsset, "apc-999")
    with pytest.raises(WrongKey):
        ask(town, keyboard=Keyboard(person="anna", key_file=town.bert.key_file))
    assert town.wave()[0].state is WaveState.CLOSED


def test_where_nothing_was_begun_there_is_nothing_to_take_back(tmp_path: Path) -> None:
    unchanged_by(a_town(tmp_path / "1", "approved"), NothingToTakeBack)
    unchanged_by(a_town(tmp_path / "2", "started"), NothingToTakeBack, "apc-001")


def test_a_rollback_is_asked_for_once(tmp_path: Path) -> None:
    town = a_closed_town(tmp_path)
    ask(town)
    unchanged_by(town, IllegalTransition)
    town.drive()
    unchanged_by(town, NothingToTakeBack)


def test_a_wave_that_does_not_wait_cannot_be_resumed(tmp_path: Path) -> None:
    town = a_closed_town(tmp_path)
    with pytest.raises(IllegalTransition):
        resume(town)


def test_a_rollback_in_mid_wave_leaves_the_others_to_be_resumed(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started", seats=3)
    driver = town.driver()
    while "moved" not in town.states().values():
        driver.tick()
    ask(town, "apc-001")
    town.drive()
    assert town.wave()[0].state in (WaveState.HELD, WaveState.ROLLED_BACK, WaveState.CLOSED)
    assert town.states()["apc-001"] == "rolled_back"

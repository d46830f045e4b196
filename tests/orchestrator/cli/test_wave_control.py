"""Acts on a wave under way, from a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import Result

from orchestrator.actions.take_back import ReasonMissing
from orchestrator.cli import wave_control
from orchestrator.cli.context import Context, NotConfirmed
from orchestrator.core.by_hand import NotAtTheDesk, OtherWork
from orchestrator.core.control import AssetNotFit, WaveNotUnderWay
from orchestrator.core.lifecycle import IllegalTransition, WaveState
from orchestrator.settings import CONFIG_NAME, example_config
from tests.copied_towns import a_town
from tests.known_town import call
from tests.orchestrator.actions.test_control_wave import breaker
from tests.orchestrator.core.test_by_hand import AT_DESKS
from tests.town_terminals import a_terminal, sitting_down
from tests.towns import Town


def kahn(context: Context, *words: str) -> Result:
    return call(wave_control.app, context, *words)


def by(town: Town, name: str) -> tuple[str, ...]:
    keyboard = {"anna": town.anna, "bert": town.bert}[name]
    return "--reason", "because", "--as", name, "--key", str(keyboard.key_file)


def state(town: Town) -> WaveState:
    return town.wave()[0].state


def test_a_held_wave_is_resumed_by_a_signed_reason(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    begin, town.clock.moment = town.clock.moment, town.wave()[0].content.window.closes
    kahn(context, "run", "W01")
    town.clock.moment = begin
    (
        context.world.settings.home / "last-driven.json"
    ).unlink()  # the test turned the clock back, and means no jump of it
    assert kahn(context, "resume", "W01", *by(town, "anna")).exit_code == 0
    assert state(town) is WaveState.CLOSED


def test_after_a_breaker_the_first_signature_says_who_is_missing_and_the_second_lets_it_go_on(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    breaker(town)
    first = kahn(context, "resume", "W01", *by(town, "anna"))
    assert first.exit_code == 4 and "Signed by 1 of 2" in first.output and state(town) is WaveState.HELD
    shown = " ".join(kahn(context, "show", "W01").output.split())
    assert "Signed to let the wave go on: 1 of 2. Another person must sign the same." in shown
    assert kahn(context, "resume", "W01", *by(town, "bert")).exit_code == 0
    assert state(town) is WaveState.CLOSED


def test_a_wave_is_paused_and_ended_and_its_rest_left_for_another(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    assert "is now paused" in kahn(context, "pause", "W01", *by(town, "anna")).output
    assert "PAUSED" in kahn(context, "show", "W01").output
    closed = kahn(context, "close", "W01", *by(town, "bert"))
    assert "2 assets are left behind" in closed.output and state(town) is WaveState.CLOSED


def test_an_abort_says_what_it_touches_and_asks_before_it_does_it(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    context.yes = False
    with pytest.raises(NotConfirmed):
        kahn(context, "abort", "W01", *by(town, "anna"))
    assert state(town) is WaveState.RUNNING
    context.yes = True
    assert kahn(context, "abort", "W01", *by(town, "anna")).exit_code == 1
    assert set(town.states().values()) == {"held"}


def test_single_assets_are_named_and_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    assert "apc-002" in kahn(context, "skip", "W01", "apc-002", *by(town, "anna")).output
    with pytest.raises(AssetNotFit):
        kahn(context, "retry", "W01", "apc-001", *by(town, "anna"))
    with pytest.raises(AssetNotFit):
        kahn(context, "repaired", "W01", "apc-001", "--step", "done", *by(town, "anna"))
    assert kahn(context, "run", "W01").exit_code == 1
    assert town.states() == {"apc-001": "moved", "apc-002": "held"}
    with pytest.raises(WaveNotUnderWay):
        kahn(context, "hold", "W01", "apc-001", *by(town, "anna"))


@pytest.mark.parametrize("options", [(), ("--step", "maybe"), ("--step", "done", "--undone")])
def test_a_declaration_says_exactly_one_thing(tmp_path: Path, options: tuple[str, ...]) -> None:
    context, town = a_terminal(tmp_path, "started")
    assert kahn(context, "repaired", "W01", "apc-001", *options, *by(town, "anna")).exit_code == 2


def test_the_lead_is_shown_and_notes_can_be_read(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    assert "leads wave W01" in kahn(context, "lead", "W01", *by(town, "anna")).output
    lead = town.wave()[1].lead
    assert lead and f"lead {lead}" in kahn(context, "show", "W01").output
    kahn(context, "note", "W01", "--text", "door code is with the porter \x1b[2J", "--as", "bert")
    notes = kahn(context, "note", "W01").output
    assert "door code is with the porter" in notes and "\x1b" not in notes


def test_the_same_launch_key_starts_once_and_answers_again_with_the_same_end(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "approved")
    assert kahn(context, "run", "W01", "--launch-key", "ticket-7").exit_code == 0
    assert kahn(sitting_down(town), "run", "W01", "--launch-key", "ticket-7").exit_code == 0
    assert state(town) is WaveState.CLOSED


def test_what_the_state_does_not_allow_is_refused(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    for words in (("resume", "W01"), ("close", "W01")):
        with pytest.raises(IllegalTransition) as refused:
            kahn(context, *words, *by(town, "anna"))
        assert refused.value.exit_code == 3


def a_desk(folder: Path) -> tuple[Context, Town]:
    """A running wave whose work people do; it waits for the state from before."""
    town = a_town(folder, "started", seats=2, runbook=AT_DESKS)
    (folder / CONFIG_NAME).write_text(example_config())
    for _ in range(5):
        town.driver().tick()
    return sitting_down(town), town


def test_work_at_the_desk_is_shown_with_its_points_and_signed(tmp_path: Path) -> None:
    context, town = a_desk(tmp_path)
    shown = " ".join(kahn(context, "show", "W01").output.split())
    assert "by hand: note the state from before (machines: 1)" in shown and "programs in use are noted" in shown
    key = ("--as", "bert", "--key", str(town.bert.key_file))
    context.yes = False
    with pytest.raises(NotConfirmed):
        kahn(context, "done", "W01", "before", "apc-001", *key)
    context.yes = True
    said = kahn(context, "done", "W01", "before", "apc-001", *key).output
    assert (
        "note the state from before" in said
        and "1. programs in use are noted" in said
        and "Signed: done: fingerprint from before, one asset." in said
    )
    for _ in range(5):
        town.driver().tick()
    with pytest.raises(OtherWork):
        kahn(context, "done", "W01", "before", "apc-001", *key)
    with pytest.raises(ReasonMissing):
        kahn(context, "done", "W01", "exchange", "apc-001", "--failed", *key)
    failed = kahn(
        context, "done", "W01", "exchange", "apc-001", "--failed", "--reason", "it does not start", *key
    ).output
    assert "Signed: could not be done: exchange, one asset." in failed
    page = kahn(context, "show", "W01", "--evidence", "apc-001").output
    _head, _title, signed = page.partition("WHAT PEOPLE SIGNED")
    assert "signs: could not be done by hand: apc-001 (it does not start)" in signed
    with pytest.raises(NotAtTheDesk):
        kahn(context, "done", "W01", "exchange", "apc-001", *key)

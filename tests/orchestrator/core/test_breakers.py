"""Signs of a common cause hold a wave at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from inventory.model import AssetId
from orchestrator.core.breakers import breaker, common_faults
from orchestrator.core.decide import next_commands
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.runbook import Direction
from orchestrator.core.surroundings import Surroundings
from tests.orchestrator.core.builders import Answer, Game, a_wave, all_good

WIDE: dict[str, Any] = {"batch_budget": 1.0, "wave_budget": 1.0, "auto_rollback_max": 100}


def bad(count: int, step: str, outcome: str) -> Game:
    """A wave of ten in which so many end so at this step."""
    names = {f"a{number:02}" for number in range(1, count + 1)}

    def choose(asset: AssetId, at: str, direction: Direction, nth: int) -> Answer:
        ends_badly = asset in names and at == step and direction is Direction.DO
        return (outcome, {}) if ends_badly else all_good(asset, at, direction, nth)

    return Game(a_wave(batches={"b1": 10}, same_error_max=3, **WIDE), choose)


def test_two_assets_with_the_same_error_are_single_failures_and_three_have_a_cause() -> None:
    assert bad(2, "copy", "failed").play().progress.state is WaveState.CLOSED
    game = bad(3, "copy", "failed").play()
    assert (game.progress.state, game.progress.cause) == (WaveState.HELD, "same_error")


def test_the_common_cause_is_found_before_anything_is_taken_back() -> None:
    game = bad(3, "copy", "failed")
    while game.progress.state is WaveState.RUNNING:
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    assert not [run for run in game.started if run.direction is Direction.UNDO]
    assert {signature: len(assets) for signature, assets in common_faults(game.progress).items()} == {
        ("copy", "failed_cause"): 3
    }


def test_what_is_the_same_at_different_steps_or_for_different_reasons_is_not_the_same_error() -> None:
    def choose(asset: AssetId, at: str, direction: Direction, nth: int) -> Answer:
        failing = {("a01", "look"), ("a02", "copy"), ("a03", "switch")}
        ends_badly = (asset, at) in failing and direction is Direction.DO
        return ("failed", {}) if ends_badly else all_good(asset, at, direction, nth)

    assert Game(a_wave(batches={"b1": 10}, **WIDE), choose).play().progress.state is WaveState.CLOSED


def test_a_person_who_resumes_has_seen_the_common_cause() -> None:
    game = bad(3, "look", "failed").play()
    game.wave("resume")
    assert game.play().progress.state is WaveState.CLOSED


def test_many_silent_machines_at_once_hold_the_wave_and_none_of_them_is_taken_back_by_itself() -> None:
    game = bad(6, "copy", "unreachable").play()
    assert (game.progress.state, game.progress.cause) == (WaveState.HELD, "mass_unreachable")
    assert not [run for run in game.started if run.direction is Direction.UNDO]


def test_a_few_silent_machines_among_many_are_single_failures() -> None:
    game = Game(a_wave(batches={"b1": 10}, same_error_max=0, **WIDE), bad(3, "look", "unreachable").choose)
    assert game.play().progress.state is WaveState.CLOSED


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"frozen": "election"}, "frozen"),
        ({"full": "state"}, "disk_low"),
        ({"clock_jump_s": 3600}, "clock_jumped"),
        ({"clock_jump_s": -3600}, "clock_jumped"),
    ],
)
def test_freeze_disk_and_clock_are_looked_at_before_each_step(facts: dict[str, object], cause: str) -> None:
    game = Game(a_wave())
    around = Surroundings(**facts)  # type: ignore[arg-type]
    for command in next_commands(game.content, game.progress, game.now, around=around):
        game.carry_out(command)
    assert (game.progress.state, game.progress.cause) == (WaveState.HELD, cause)
    assert next_commands(game.content, game.progress, game.now, around=around) == ()


def test_what_fell_silent_long_ago_does_not_count_with_what_falls_silent_now() -> None:
    game = bad(2, "look", "unreachable")
    for _ in range(4):
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    later = game.now + timedelta(minutes=5)
    assert breaker(game.content, game.progress, Surroundings(), later) == ""


def test_a_second_try_of_those_that_are_silent_already_is_no_new_silence() -> None:
    """They alone are tried again, so all that is heard of within the minute is silent."""
    game = Game(a_wave(batches={"b1": 10}, same_error_max=0, **WIDE), bad(4, "look", "unreachable").choose)
    assert game.play().progress.state is WaveState.CLOSED

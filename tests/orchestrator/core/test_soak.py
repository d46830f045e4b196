"""After a batch a wave soaks, and what moved is asked whether it serves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from inventory.model import AssetId
from orchestrator.core.command import View
from orchestrator.core.decide import next_commands
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.runbook import Direction, ServiceCheck
from orchestrator.core.soak import soak_commands
from tests.orchestrator.core.builders import Answer, Game, a_runbook, a_wave, all_good

SERVED = replace(a_runbook(), service=ServiceCheck(on="source", playbook="service.yml"))


def soaking(game: Game) -> Game:
    """Play until the wave soaks and nothing more is to be done now."""
    for _ in range(60):
        commands = next_commands(game.content, game.progress, game.now)
        if not commands:
            break
        for command in commands:
            game.carry_out(command)
    assert game.progress.state is WaveState.SOAKING
    return game


def checks(game: Game) -> int:
    return sum(run.direction is Direction.SERVICE for run in game.started)


def test_the_next_batch_begins_only_after_the_soak() -> None:
    game = soaking(Game(a_wave(batches={"canary": 1, "b1": 1}, soak_s=600)))
    assert game.states == {"a01": "moved", "a02": "planned"}
    game.now += timedelta(seconds=590)
    assert next_commands(game.content, game.progress, game.now) == ()
    game.now += timedelta(seconds=11)
    for _ in range(2):
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    assert game.progress.state is WaveState.RUNNING and game.states["a02"] == "running"


def test_what_moved_is_asked_at_the_beginning_and_once_more_before_the_wave_goes_on() -> None:
    game = soaking(Game(a_wave(batches={"canary": 1, "b1": 1}, soak_s=600, runbook=SERVED)))
    assert checks(game) == 1
    game.now += timedelta(seconds=601)
    for _ in range(2):
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    assert checks(game) == 2 and game.progress.state is WaveState.RUNNING


def test_a_service_that_does_not_serve_holds_the_wave() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        return ("failed", {}) if direction is Direction.SERVICE else all_good(asset, step, direction, nth)

    game = Game(a_wave(batches={"canary": 1, "b1": 1}, soak_s=600, runbook=SERVED), choose).play()
    assert (game.progress.state, game.progress.cause) == (WaveState.HELD, "service_bad")
    assert game.states == {"a01": "moved", "a02": "planned"}


def test_a_machine_that_does_not_answer_its_service_check_is_never_taken_for_good() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        return ("unknown", {}) if direction is Direction.SERVICE else all_good(asset, step, direction, nth)

    game = Game(a_wave(batches={"canary": 1}, soak_s=60, runbook=SERVED), choose).play()
    assert game.progress.cause == "service_bad"


def test_outside_a_soak_nobody_is_asked() -> None:
    game = Game(a_wave(runbook=SERVED)).play()
    assert checks(game) == 0
    assert soak_commands(View(content=game.content, progress=game.progress, now=game.now)) == ()


def test_what_moved_with_an_earlier_batch_is_asked_again_and_holds_the_wave_when_it_fails() -> None:
    """A later batch may take something away from it."""

    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        broken = direction is Direction.SERVICE and asset == "a01" and game.states["a02"] == "moved"
        return ("failed", {}) if broken else all_good(asset, step, direction, nth)

    game = Game(a_wave(batches={"canary": 1, "b1": 1}, soak_s=600, runbook=SERVED), choose)
    soaking(game)
    game.now += timedelta(seconds=601)
    game.play()
    assert (game.progress.state, game.progress.cause) == (WaveState.HELD, "service_bad")
    assert game.states == {"a01": "moved", "a02": "moved"}
    asked = [run.batch for run in game.started if run.direction is Direction.SERVICE]
    assert asked == ["canary", "canary", "canary", "b1"]

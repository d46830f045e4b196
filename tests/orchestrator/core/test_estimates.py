"""How long things take, and what still fits into a window."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.model import AssetId
from orchestrator.core.decide import next_commands
from orchestrator.core.estimates import LEAST_S, Estimates, RunTime, p80, took_of
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.runbook import Direction
from orchestrator.core.surroundings import CALM, Surroundings
from tests.orchestrator.core.builders import STEPS, Game, a_runbook, a_wave, failing_at


def estimates(*, around: Surroundings = CALM, **wave: object) -> Estimates:
    return Estimates(content=a_wave(**wave), around=around)  # type: ignore[arg-type]


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=50))
def test_at_least_four_of_five_values_are_no_longer_than_the_p80_and_it_is_one_of_them(values: list[float]) -> None:
    found = p80(values)
    assert found in values and sum(one <= found for one in values) >= 0.8 * len(values)
    assert sum(one < found for one in values) < 0.8 * len(values)


def test_of_nothing_there_is_no_p80() -> None:
    with pytest.raises(ValueError, match="no values"):
        p80([])


def test_own_history_counts_doubled_where_it_is_short_then_the_runbooks_word_then_a_share_of_the_deadline() -> None:
    told = a_runbook(tuple(replace(step, takes_s=40, undo_takes_s=20) for step in STEPS))
    few, enough = {"do:copy": [60.0, 100.0]}, {"do:copy": [100.0] * 5}
    copy = (Direction.DO, "copy")
    assert estimates(runbook=told, around=Surroundings(took=enough)).run_s(*copy, assets=1) == 100
    assert estimates(runbook=told, around=Surroundings(took=few)).run_s(*copy, assets=1) == 200
    assert estimates(runbook=told).run_s(*copy, assets=1) == 40
    assert estimates(runbook=told).run_s(Direction.UNDO, "copy", assets=1) == 20
    assert estimates().run_s(*copy, assets=1) == 150
    short = a_runbook(tuple(replace(step, deadline_s=10) for step in STEPS))
    assert estimates(runbook=short).run_s(*copy, assets=1) == LEAST_S


def test_a_way_back_that_nobody_measured_takes_as_long_as_the_way_there() -> None:
    took = {"do:copy": [100.0] * 5, "baseline:": [30.0] * 5}
    of = estimates(around=Surroundings(took=took))
    assert of.run_s(Direction.UNDO, "copy", assets=1) == 100 and of.run_s(Direction.COMPARE, "", assets=1) == 30
    measured = estimates(around=Surroundings(took={**took, "undo:copy": [7.0] * 5}))
    assert measured.run_s(Direction.UNDO, "copy", assets=1) == 7
    assert "copy" not in of.guessed and "switch" in of.guessed


def test_more_assets_than_forks_take_more_rounds() -> None:
    of = estimates(forks=5)
    assert [of.run_s(Direction.DO, "copy", assets=count) / 150 for count in (0, 1, 5, 6, 11)] == [0, 1, 1, 2, 3]


def test_earlier_times_are_counted_for_one_round_of_forks() -> None:
    times = [RunTime(direction=Direction.DO, step="copy", assets=10, seconds=100.0)]
    assert took_of(times, forks=5) == {"do:copy": (50.0,)}


def game_at(minutes_left: float, **wave: object) -> Game:
    content = a_wave(**wave)  # type: ignore[arg-type]
    game = Game(content)
    game.now = content.window.closes - timedelta(minutes=minutes_left)
    return game


def test_a_batch_begins_only_if_it_could_still_go_back_inside_the_window() -> None:
    needed = (3 * 150 + 75 + 2 * 150 + 75) / 60
    game = game_at(needed + 0.1)
    assert next_commands(game.content, game.progress, game.now)
    late = game_at(needed - 0.1)
    assert late.play().progress.cause == "no_time_left" and late.started == []
    assert late.progress.state is WaveState.HELD


def test_a_step_begins_only_if_it_and_the_way_back_end_inside_the_window() -> None:
    game = game_at(120, batches={"b1": 1})
    while "copy" not in game.progress.moves[AssetId("a01")].done:
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    game.now = game.content.window.closes - timedelta(seconds=150 + 150 + 150 + 75 - 1)
    for command in next_commands(game.content, game.progress, game.now):
        game.carry_out(command)
    assert game.progress.cause == "no_time_left"
    assert [run.step for run in game.started] == ["", "look", "copy"]


def test_the_countdowns_say_until_when_the_next_batch_can_begin_and_all_can_go_back() -> None:
    of = estimates(batches={"b1": 1})
    game = Game(of.content)
    assert of.last_start(game.progress) == of.content.window.closes - timedelta(seconds=3 * 150 + 75 + 300 + 75)
    assert of.last_rollback(game.progress) is None
    game = Game(of.content).play()
    assert of.last_start(game.progress) is None
    assert of.last_rollback(game.progress) == of.content.window.closes - timedelta(seconds=300 + 75)


def test_a_rollback_that_a_failure_demands_is_never_kept_back_for_want_of_time() -> None:
    game = Game(a_wave(batches={"b1": 1}), failing_at("a01", "switch"))
    while game.states["a01"] != "rolling_back":
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    game.now = game.content.window.closes - timedelta(seconds=1)
    assert game.play().states["a01"] == "rolled_back"

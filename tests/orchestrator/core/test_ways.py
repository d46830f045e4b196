"""When a probe takes the second way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.model import AssetId
from orchestrator.core.command import StartRun
from orchestrator.core.decide import next_commands
from orchestrator.core.runbook import Direction
from orchestrator.core.wave import WaveContent
from tests.orchestrator.core.builders import Answer, Game, a_wave, all_good


def two_ways(content: WaveContent, second: str = "10.99.0.1") -> WaveContent:
    return replace(
        content,
        moves=tuple(
            replace(move, machines=tuple(replace(one, second_address=second) for one in move.machines))
            for move in content.moves
        ),
    )


def lost(answer: str, *, second: str = "10.99.0.1") -> Game:
    """A game in which the end of the switch of one asset was not seen, and every probe ends so."""

    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if (asset, step) == ("a01", "switch") and direction in (Direction.DO, Direction.PROBE):
            return ("unknown" if direction is Direction.DO else answer), {}
        return all_good(asset, step, direction, nth)

    content = two_ways(a_wave(batches={"b1": 2}, probe_tries=4, same_error_max=0), second)
    return Game(content, choose, cause_of=lambda outcome: "unreachable" if outcome == answer else outcome)


def ways(game: Game) -> list[tuple[AssetId, ...]]:
    return [run.second_way for run in game.started if run.direction is Direction.PROBE]


def test_while_nobody_answers_both_ways_take_turns_and_only_that_asset_changes_its_way() -> None:
    assert ways(lost("unreachable").play()) == [(), ("a01",), (), ("a01",)]


def test_a_machine_with_one_address_is_asked_there_again() -> None:
    assert ways(lost("unreachable", second="").play()) == [()] * 4


def test_a_probe_that_was_answered_and_cannot_tell_stays_on_its_way() -> None:
    game = lost("failed")
    game.cause_of = lambda _outcome: "task_failed"
    assert set(ways(game.play())) == {()}


def test_a_step_is_never_done_by_the_second_way() -> None:
    game = lost("unreachable").play()
    assert all(not run.second_way for run in game.started if run.direction is not Direction.PROBE)


@pytest.mark.parametrize("answer", ["done", "not_done"])
def test_what_the_second_way_answers_counts_like_any_answer(answer: str) -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if (asset, step) == ("a01", "switch") and direction is Direction.DO and nth == 1:
            return "unknown", {}
        if direction is Direction.PROBE:
            return ("done", {"kahn": {"answer": answer}}) if nth == 2 else ("unreachable", {})
        return all_good(asset, step, direction, nth)

    content = two_ways(a_wave(batches={"b1": 1}, probe_tries=3))
    game = Game(content, choose, cause_of=lambda outcome: outcome).play()
    assert ways(game) == [(), ("a01",)] and game.states == {"a01": "moved"}
    assert not [one for one in next_commands(game.content, game.progress, game.now) if isinstance(one, StartRun)]

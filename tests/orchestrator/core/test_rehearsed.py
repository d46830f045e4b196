"""What a wave would do."""

from __future__ import annotations

from orchestrator.core.rehearsed import would_do
from orchestrator.core.surroundings import CALM
from tests.orchestrator.core.builders import Game, a_wave


def test_what_would_be_done_is_what_is_done_when_all_goes_well() -> None:
    game = Game(a_wave()).play()
    told = [(batch.batch, run.step) for batch in would_do(game.content, CALM) for run in batch.runs]
    assert told == [(run.batch, run.step) for run in game.started]


def test_each_batch_says_until_when_it_can_begin_and_how_long_the_way_back_takes() -> None:
    first, _second = would_do(a_wave(), CALM)
    assert first.names == ("apc-a01",) and first.begins_by < a_wave().window.closes
    assert [bool(run.undo_seconds) for run in first.runs] == [False, False, True, True]

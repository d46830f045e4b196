"""What a rule may look at."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.command import View
from orchestrator.core.lifecycle import WaveState
from tests.orchestrator.core.builders import Game, a_wave


def test_new_steps_begin_only_while_the_wave_runs() -> None:
    game = Game(a_wave())
    for state in WaveState:
        progress = replace(game.progress, state=state)
        view = View(content=game.content, progress=progress, now=game.now)
        assert view.dispatching is (state is WaveState.RUNNING)

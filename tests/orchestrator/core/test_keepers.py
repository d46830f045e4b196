"""Nothing is under way for ever: each state in motion has an owner, a failed partner it can fall into, and an end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inventory.model import AssetId
from orchestrator.core.decide import NOT_QUIET_AFTER, next_commands
from orchestrator.core.keepers import WATCHED, Watched
from tests.orchestrator.core.builders import Game, a_wave


@pytest.mark.parametrize("machine", WATCHED, ids=[one.name for one in WATCHED])
def test_each_state_in_motion_is_kept_and_its_failed_partner_can_be_reached(machine: Watched) -> None:
    assert set(machine.keepers) == set(machine.moving)
    for state, keeper in machine.keepers.items():
        assert keeper.failed in machine.table[state].values(), state
        assert keeper.owner and keeper.expires


def test_no_two_machines_have_one_name() -> None:
    assert len({one.name for one in WATCHED}) == len(WATCHED)


def test_a_wave_that_runs_ends_with_its_window_and_an_abort_asks_a_person_after_ten_minutes() -> None:
    """The two ends that the rules themselves keep; deadlines of runs are the supervisor's."""
    game = Game(a_wave())
    for command in next_commands(game.content, game.progress, game.now):
        game.carry_out(command)
    game.now = game.content.window.closes
    assert game.play().progress.cause == "window_ended"
    game = Game(a_wave(batches={"b1": 1}))
    while not game.progress.moves[AssetId("a01")].run:
        for command in next_commands(game.content, game.progress, game.now):
            if type(command).__name__ == "StartRun":
                game.intend(command)  # type: ignore[arg-type]
            else:
                game.carry_out(command)
    game.wave("abort")
    assert next_commands(game.content, game.progress, game.now + NOT_QUIET_AFTER - timedelta(seconds=1)) == ()
    (asks,) = next_commands(game.content, game.progress, game.now + NOT_QUIET_AFTER)
    assert getattr(asks, "cause", "") == "not_quiet"

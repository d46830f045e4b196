"""States of batch, step, run and attempt: what is read off the record follows the tables."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import lifecycle_parts as parts
from orchestrator.core.progress import progress_of
from orchestrator.core.runbook import Direction
from tests.orchestrator.core.builders import Answer, Game, a_wave, all_good

MACHINES: tuple[tuple[type[StrEnum], Any, Any], ...] = (
    (parts.BatchState, parts.BATCH_TABLE, parts.BATCH_GROUPS),
    (parts.StepState, parts.STEP_TABLE, parts.STEP_GROUPS),
    (parts.RunState, parts.RUN_TABLE, parts.RUN_GROUPS),
    (parts.AttemptState, parts.ATTEMPT_TABLE, parts.ATTEMPT_GROUPS),
)


@pytest.mark.parametrize(("states", "table", "groups"), MACHINES)
def test_each_table_is_total_every_state_is_reached_and_what_moves_or_is_stuck_can_be_left(
    states: type[StrEnum], table: Any, groups: Any
) -> None:
    assert set(table) == set(states)
    assert sorted(one for group in groups.values() for one in group) == sorted(states)
    assert {to for follow in table.values() for to in follow.values()} | {next(iter(table))} == set(states)
    assert all(table[state] for group in ("in motion", "stuck") for state in groups[group])


def lawful(table: Any, before: Any, after: Any) -> bool:
    return before is after or after in table[before].values()


@settings(max_examples=40, deadline=None)
@given(luck=st.data())
def test_whatever_happens_batches_and_steps_change_only_as_their_tables_allow(luck: st.DataObject) -> None:
    def choose(asset: Any, step: str, direction: Direction, nth: int) -> Answer:
        outcome = luck.draw(st.sampled_from(["done", "done", "done", "failed", "unknown", "not_started"]))
        return all_good(asset, step, direction, nth) if outcome == "done" else (outcome, {})

    game = Game(a_wave(batches={"canary": 1, "b1": 2}), choose).play()
    if game.progress.state == "held":
        game.wave("resume")
        game.play()
    before = progress_of(game.content, game.facts[:1])
    for length in range(2, len(game.facts) + 1):
        after = progress_of(game.content, game.facts[:length])
        for batch in game.content.batches:
            states = parts.batch_state(before, batch.name), parts.batch_state(after, batch.name)
            assert lawful(parts.BATCH_TABLE, *states), (batch.name, states)
        for asset, move in after.moves.items():
            for step in game.content.runbook.step_names:
                pair = parts.step_state(before.moves[asset], step), parts.step_state(move, step)
                assert lawful(parts.STEP_TABLE, *pair), (asset, step, pair)
        before = after

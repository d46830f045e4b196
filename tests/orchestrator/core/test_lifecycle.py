"""States of waves and asset moves."""

from __future__ import annotations

import pytest

from orchestrator.core.lifecycle import (
    MOVE_TABLE,
    WAVE_TABLE,
    IllegalTransition,
    MoveEvent,
    MoveState,
    WaveEvent,
    WaveState,
    next_move_state,
    next_wave_state,
)


def test_every_pair_of_state_and_event_has_one_answer_or_is_refused_by_name() -> None:
    for state in MoveState:
        for event in MoveEvent:
            if event in MOVE_TABLE[state]:
                assert next_move_state(state, event) is MOVE_TABLE[state][event]
            else:
                with pytest.raises(IllegalTransition, match=f"{state.value}.*{event.value}"):
                    next_move_state(state, event, subject="apc-1")


def test_every_pair_of_a_wave_has_one_answer_or_is_refused_by_name() -> None:
    for state in WaveState:
        for event in WaveEvent:
            if event in WAVE_TABLE[state]:
                assert next_wave_state(state, event) is WAVE_TABLE[state][event]
            else:
                with pytest.raises(IllegalTransition, match=f"{state.value}.*{event.value}"):
                    next_wave_state(state, event, subject="W01")


def test_every_state_can_be_reached() -> None:
    for table, first in ((MOVE_TABLE, MoveState.PLANNED), (WAVE_TABLE, WaveState.DRAFT)):
        reached, waiting = set(), [first]
        while waiting:
            state = waiting.pop()
            if state not in reached:
                reached.add(state)
                waiting.extend(table[state].values())  # type: ignore[index]
        assert reached == set(table)


def test_nothing_is_rolled_back_without_proof() -> None:
    into = [
        (state, event) for state, follow in MOVE_TABLE.items() for event, to in follow.items() if to == "rolled_back"
    ]
    assert into == [(MoveState.ROLLING_BACK, MoveEvent.PROVE)]


def test_lost_sight_is_never_failed() -> None:
    assert next_move_state(MoveState.RUNNING, MoveEvent.LOSE_SIGHT) is MoveState.UNKNOWN


def test_a_wave_starts_only_after_it_was_approved() -> None:
    before = {state for state, follow in WAVE_TABLE.items() if WaveEvent.CLAIM in follow}
    assert before == {WaveState.APPROVED, WaveState.SCHEDULED, WaveState.MISSED}

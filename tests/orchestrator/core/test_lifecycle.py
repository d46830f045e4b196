"""States of waves and asset moves."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.core.lifecycle import (
    MOVE_GROUPS,
    MOVE_TABLE,
    WAVE_GROUPS,
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


@pytest.mark.parametrize(("table", "groups"), [(MOVE_TABLE, MOVE_GROUPS), (WAVE_TABLE, WAVE_GROUPS)])
def test_every_state_is_at_rest_in_motion_or_stuck_and_motion_can_always_end(table: Any, groups: Any) -> None:
    assert sorted(state for group in groups.values() for state in group) == sorted(table)
    ends = groups["at rest"] | groups["stuck"]
    for state in groups["in motion"]:
        assert set(table[state].values()) & ends, f"{state} never ends"


@pytest.mark.parametrize(("table", "groups"), [(MOVE_TABLE, MOVE_GROUPS), (WAVE_TABLE, WAVE_GROUPS)])
def test_from_every_stuck_state_a_person_can_bring_it_to_rest(table: Any, groups: Any) -> None:
    for stuck in groups["stuck"]:
        reached, waiting = set(), [stuck]
        while waiting:
            state = waiting.pop()
            if state not in reached:
                reached.add(state)
                waiting.extend(table[state].values())
        assert reached & groups["at rest"]


def test_an_approval_can_be_withdrawn_until_the_wave_starts_and_never_after() -> None:
    possible = {state for state, follow in WAVE_TABLE.items() if WaveEvent.WITHDRAW in follow}
    assert possible == {WaveState.PROPOSED, WaveState.APPROVED, WaveState.SCHEDULED, WaveState.MISSED}

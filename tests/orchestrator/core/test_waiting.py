"""What happens if nobody acts: an answer for every state, with a time where there is one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.lifecycle import WAVE_GROUPS, MoveState, WaveState
from orchestrator.core.progress import at_start
from orchestrator.core.waiting import Outlook, move_without_people, next_without_people
from tests.orchestrator.core.builders import OPENS, a_wave

WAVE = a_wave()
START = at_start(WAVE)


def said(outlook: Outlook) -> str:
    """The sentence with its facts; a fact that is missing raises."""
    return outlook.says.format(**outlook.facts)


@pytest.mark.parametrize("state", list(WaveState))
@pytest.mark.parametrize("cause", ["", "{hostile} {0}"])
def test_every_state_of_a_wave_has_an_outlook(state: WaveState, cause: str) -> None:
    sentence = said(next_without_people(WAVE, replace(START, state=state, cause=cause)))
    assert sentence.endswith(".") and "{closes}" not in sentence


@pytest.mark.parametrize("state", list(MoveState))
@pytest.mark.parametrize("since", [None, OPENS])
def test_every_state_of_a_move_has_an_outlook(state: MoveState, since: object) -> None:
    move = replace(next(iter(START.moves.values())), state=state, since=since)  # type: ignore[arg-type]
    assert said(move_without_people(WAVE, move)).endswith(".")


def test_where_something_starts_or_ends_by_itself_the_time_is_given() -> None:
    timed = {state: next_without_people(WAVE, replace(START, state=state)).at for state in WaveState}
    assert {state: at for state, at in timed.items() if at} == {
        WaveState.SCHEDULED: WAVE.window.opens,
        WaveState.RUNNING: WAVE.window.closes,
        WaveState.PAUSED: WAVE.window.closes,
    }


def test_a_wave_at_rest_or_stuck_never_promises_that_it_goes_on_by_itself() -> None:
    for state in (WAVE_GROUPS["at rest"] | WAVE_GROUPS["stuck"]) - {WaveState.SCHEDULED}:
        assert "by itself" not in next_without_people(WAVE, replace(START, state=state)).says


def test_the_next_probe_is_announced_with_growing_gaps() -> None:
    move = replace(next(iter(START.moves.values())), state=MoveState.UNKNOWN, since=OPENS)
    ats = [move_without_people(WAVE, replace(move, probes=probes)).at for probes in range(4)]
    assert [at - OPENS for at in ats if at] == [timedelta(seconds=gap) for gap in (5, 20, 40, 80)]

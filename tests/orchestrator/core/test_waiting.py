"""What happens if nobody acts: an answer for every state, with a time where there is one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.lifecycle import MOVE_GROUPS, WAVE_GROUPS, MoveState, WaveState
from orchestrator.core.progress import at_start
from orchestrator.core.surroundings import Surroundings
from orchestrator.core.waiting import Outlook, move_without_people, next_without_people
from tests.orchestrator.core.builders import OPENS, Game, a_wave

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


WAITS = {*WaveState} - {WaveState.CHECKING, WaveState.ROLLING_BACK} - {WaveState.CLOSED, WaveState.ROLLED_BACK}
"""States that wait for a time or a person. The others end by machines alone, or are over."""
NEVER_BY_ITSELF = {WaveState.MISSED}
"""Nothing is ever caught up, so no time can be given."""


def test_every_state_that_waits_has_a_time_and_no_other_promises_one() -> None:
    timed = {s: next_without_people(WAVE, replace(START, state=s, since=OPENS)).at for s in WaveState}
    assert {state for state, at in timed.items() if at} == WAITS - NEVER_BY_ITSELF
    assert timed[WaveState.SCHEDULED] == WAVE.window.opens
    for state in (WaveState.DRAFT, WaveState.PROPOSED, WaveState.APPROVED, WaveState.RUNNING, WaveState.PAUSED):
        assert timed[state] == WAVE.window.closes
    assert timed[WaveState.ABORTING] == OPENS + timedelta(minutes=10)


def test_a_halt_tells_until_when_all_that_was_begun_can_still_go_back() -> None:
    game = Game(a_wave(batches={"b1": 1})).play()
    held = replace(game.progress, state=WaveState.HELD)
    outlook = next_without_people(game.content, held)
    assert outlook.at is not None and outlook.at < game.content.window.closes
    assert "a rollback of all that was begun would end after the window" in outlook.says


def test_while_all_dispatch_is_stopped_no_wave_promises_to_go_on() -> None:
    stopped = Surroundings(stopped=True)
    for state in (WaveState.SCHEDULED, WaveState.RUNNING, WaveState.ABORTING, WaveState.ROLLING_BACK):
        says = next_without_people(WAVE, replace(START, state=state), around=stopped).says
        assert "kahn stop --lift" in says and "by itself" not in says


def test_where_nobody_drives_nothing_promises_to_go_on() -> None:
    nobody = Surroundings(driven=False)
    for state in WaveState:
        outlook = next_without_people(WAVE, replace(START, state=state, since=OPENS), around=nobody)
        assert "As long as" not in outlook.says and said(outlook).endswith(".")
    assert "it starts at" in said(next_without_people(WAVE, replace(START, state=WaveState.SCHEDULED), around=nobody))
    for driven in (True, None):
        around = Surroundings(driven=driven)
        assert "NOBODY" not in next_without_people(WAVE, replace(START, state=WaveState.RUNNING), around=around).says


@pytest.mark.parametrize("around", [Surroundings(driven=False), Surroundings(stopped=True)])
@pytest.mark.parametrize("state", list(MoveState))
def test_an_asset_that_nobody_drives_is_not_promised_to_go_on(state: MoveState, around: Surroundings) -> None:
    move = replace(next(iter(START.moves.values())), state=state, since=OPENS)
    outlook = move_without_people(WAVE, move, around=around)
    calm = move_without_people(WAVE, move)
    rests = MOVE_GROUPS["at rest"] | {MoveState.NEEDS_PERSON}
    assert (outlook == calm) is (state in rests)
    assert outlook.at is None or state in rests


def test_a_wave_at_rest_or_stuck_never_promises_that_it_goes_on_by_itself() -> None:
    for state in (WAVE_GROUPS["at rest"] | WAVE_GROUPS["stuck"]) - {WaveState.SCHEDULED}:
        assert "by itself" not in next_without_people(WAVE, replace(START, state=state)).says


def test_the_next_probe_is_announced_with_growing_gaps() -> None:
    move = replace(next(iter(START.moves.values())), state=MoveState.UNKNOWN, since=OPENS)
    ats = [move_without_people(WAVE, replace(move, probes=probes)).at for probes in range(4)]
    assert [at - OPENS for at in ats if at] == [timedelta(seconds=gap) for gap in (5, 20, 40, 80)]

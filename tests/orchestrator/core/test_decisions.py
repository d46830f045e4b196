"""What waits for a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from inventory.model import AssetId
from orchestrator.core.approval import Standing
from orchestrator.core.decisions import About, Decision, decisions_of
from orchestrator.core.explain import Sentence
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.places import WaveCase
from orchestrator.core.progress import WaveProgress
from orchestrator.core.runbook import Direction
from orchestrator.core.wave import PersonId
from tests.orchestrator.core.builders import OPENS, Answer, Game, a_wave, failing_at
from tests.orchestrator.core.played import a_case, before_start, briefly, games, lost_at_the_switch

HOLDS = Standing(proposer=PersonId("p-1"), approvers=(PersonId("p-2"),), expires=None, conditions=(), missing=())


def abouts(case: WaveCase, **times: int) -> list[About]:
    return [one.about for one in decisions_of([case], now=OPENS + timedelta(**times))]


def in_state(state: WaveState, cause: str = "") -> WaveCase:
    game = Game(a_wave())
    progress = WaveProgress(revision=1, state=state, cause=cause, moves=game.progress.moves)
    return WaveCase(content=game.content, progress=progress, standing=HOLDS)


def sentence(one: Decision) -> str:
    return one.what.text


def test_a_proposed_wave_waits_for_a_second_person() -> None:
    (one,) = decisions_of([a_case(before_start(Game(a_wave()), acts=1))], now=OPENS)
    assert one.about is About.APPROVE
    assert one.who.says == "a second person, who did not propose it"
    assert one.commands[-1] == "kahn wave approve W01"


def test_an_approved_wave_waits_for_nobody_until_its_approval_no_longer_holds() -> None:
    case = replace(a_case(before_start(Game(a_wave()), acts=2)), standing=HOLDS)
    assert abouts(case) == []
    assert abouts(replace(case, standing=replace(HOLDS, missing=(Sentence(says="expired"),)))) == [About.APPROVE]


def test_a_wave_whose_window_passed_must_be_planned_again() -> None:
    assert abouts(a_case(before_start(Game(a_wave()), acts=1)), hours=7) == [About.MISSED]
    assert abouts(in_state(WaveState.MISSED)) == [About.MISSED]


@pytest.mark.parametrize("state", list(WaveState))
def test_each_stuck_state_of_a_wave_makes_a_decision_and_no_other_does(state: WaveState) -> None:
    wanted = {WaveState.PROPOSED, WaveState.HELD, WaveState.PAUSED, WaveState.MISSED, WaveState.NEEDS_PERSON}
    case = in_state(state) if state is not WaveState.PROPOSED else replace(in_state(state), standing=None)
    assert bool(abouts(case)) is (state in wanted)


def test_assets_that_are_stuck_by_one_cause_are_one_decision() -> None:
    def choose(asset: str, step: str, direction: object, nth: int) -> tuple[str, dict[str, object]]:
        stuck = asset in ("a02", "a03") and step == "copy"
        return ("failed", {}) if stuck else failing_at("", "")(asset, step, direction, nth)  # type: ignore[arg-type,return-value]

    game = Game(a_wave(), choose=choose).play()  # type: ignore[arg-type]
    stuck = [one for one in decisions_of([a_case(game)], now=game.now) if one.about is About.NEEDS_PERSON]
    assert [one.names for one in stuck] == [("apc-a02", "apc-a03")]
    assert stuck[0].users == 2


def test_a_wave_whose_window_ended_is_not_offered_to_be_resumed() -> None:
    (one,) = decisions_of([in_state(WaveState.HELD, "window_ended")], now=OPENS)
    assert not any("resume" in command for command in one.commands)
    (other,) = decisions_of([in_state(WaveState.HELD, "budget_spent")], now=OPENS)
    assert any("resume" in command for command in other.commands)


def test_a_hostile_name_cannot_leave_the_command_that_is_shown() -> None:
    game = Game(a_wave(batches={"canary": 1}))
    moves = {one.asset: replace(one, state=MoveState.NEEDS_PERSON) for one in game.progress.moves.values()}
    content = replace(game.content, moves=(replace(game.content.moves[0], name="-x; rm -rf /"),))
    case = WaveCase(content=content, progress=replace(game.progress, moves=moves))
    assert decisions_of([case], now=OPENS)[0].commands[1] == "kahn wave rollback W01 -- '-x; rm -rf /'"


@briefly
@given(games())
def test_every_asset_that_needs_a_person_is_in_exactly_one_decision_about_it(game: Game) -> None:
    found = decisions_of([a_case(game)], now=game.now)
    named = [asset for one in found if one.about is About.NEEDS_PERSON for asset in one.assets]
    stuck = [one.asset for one in game.progress.moves.values() if one.state is MoveState.NEEDS_PERSON]
    assert sorted(named) == sorted(stuck)
    assert all(sentence(one) and one.if_nobody_acts.text for one in found)


def test_a_step_that_was_begun_and_not_seen_to_end_is_told_with_what_may_be_said_about_it() -> None:
    game = lost_at_the_switch().play()
    one = next(one for one in decisions_of([a_case(game)], now=game.now) if one.about is About.NEEDS_PERSON)
    (stands,) = one.stands
    assert stands.facts["step"] == "3/4 switch" and stands.says.startswith("{name}: step {step}: begun, not finished")
    assert one.helps is not None and one.helps.facts == {"needed": 2}
    assert one.commands[1:5] == (
        "kahn wave probe W01 --reason REASON -- apc-a01",
        "kahn wave repaired W01 --step done --reason REASON -- apc-a01",
        "kahn wave repaired W01 --step not-done --reason REASON -- apc-a01",
        "kahn wave repaired W01 --undone --reason REASON -- apc-a01",
    )


def test_of_what_could_not_go_back_nobody_is_asked_whether_its_step_is_done() -> None:
    game = Game(a_wave(), choose=failing_at("a03", "copy"))
    forward = game.choose

    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        back = asset == "a03" and direction is Direction.UNDO
        return ("failed", {}) if back else forward(asset, step, direction, nth)

    game.choose = choose
    one = next(one for one in decisions_of([a_case(game.play())], now=game.now) if one.about is About.NEEDS_PERSON)
    assert one.stands == ()
    assert [line for line in one.commands if "repaired" in line] == [
        "kahn wave repaired W01 --undone --reason REASON -- apc-a03"
    ]

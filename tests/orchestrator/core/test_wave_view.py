"""One wave as a view."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from inventory.model import AssetId
from orchestrator.core.decide import next_commands
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.places import WaveCase
from orchestrator.core.runbook import Direction
from orchestrator.core.wave_view import WELL, view_of_case
from tests.orchestrator.core.builders import OPENS, STEPS, Answer, Game, a_runbook, a_wave, all_good, failing_at
from tests.orchestrator.core.played import a_case, briefly, games, lost_at_the_switch


@briefly
@given(games())
def test_counts_add_up_to_the_size_of_each_batch_and_of_the_wave(game: Game) -> None:
    view = view_of_case(a_case(game), now=game.now)
    for line in (*view.batches, view.total):
        assert sum(line.counts.values()) == line.size
    assert sum(line.size for line in view.batches) == view.total.size == 7


@briefly
@given(games())
def test_every_asset_that_is_not_well_has_a_row(game: Game) -> None:
    view = view_of_case(a_case(game), now=game.now)
    listed = {line.asset for line in view.not_well}
    assert {one.asset for one in game.progress.moves.values() if one.state not in WELL} <= listed
    assert all(line.cause.text for line in view.not_well)


@pytest.mark.parametrize("state", list(MoveState))
def test_every_state_of_a_move_can_be_viewed(state: MoveState) -> None:
    game = Game(a_wave(batches={"canary": 1}))
    moves = {asset: replace(move, state=state, since=OPENS) for asset, move in game.progress.moves.items()}
    view = view_of_case(WaveCase(content=game.content, progress=replace(game.progress, moves=moves)), now=OPENS)
    assert view.total.counts[state] == 1
    assert [line.state for line in view.not_well] == ([] if state in WELL else [state])


@pytest.mark.parametrize("state", list(WaveState))
def test_every_state_of_a_wave_says_what_happens_if_nobody_acts(state: WaveState) -> None:
    game = Game(a_wave())
    view = view_of_case(WaveCase(content=game.content, progress=replace(game.progress, state=state)), now=OPENS)
    assert view.if_nobody_acts[0].text


def test_the_step_is_told_with_its_number() -> None:
    game = Game(a_wave(), choose=failing_at("a03", "copy")).play()
    (line,) = view_of_case(a_case(game), now=game.now).not_well
    assert (line.name, line.step, line.state) == ("apc-a03", "2/3 copy", MoveState.ROLLED_BACK)


def test_users_of_what_is_proven_to_be_as_before_are_not_in_doubt() -> None:
    game = Game(a_wave(), choose=failing_at("a03", "copy")).play()
    view = view_of_case(a_case(game), now=game.now)
    assert (view.users, view.users_in_doubt) == (4, 0)


def test_users_of_a_machine_that_was_never_touched_are_not_in_doubt() -> None:
    game = Game(a_wave(), choose=failing_at("a03", "look", outcome="not_started")).play()
    view = view_of_case(a_case(game), now=game.now)
    assert [line.state for line in view.not_well] == [MoveState.HELD]
    assert view.users_in_doubt == 0


def test_users_of_a_machine_that_stopped_half_way_are_in_doubt() -> None:
    """The failed one, and those that the held wave stopped after their copy had begun."""
    game = Game(a_wave(auto_rollback_max=0), choose=failing_at("a03", "copy")).play()
    half_way = [one for one in game.progress.moves.values() if "copy" in one.begun and one.state is not MoveState.MOVED]
    assert view_of_case(a_case(game), now=game.now).users_in_doubt == len(half_way) == 3


def test_an_asset_that_needs_a_person_points_to_its_decision() -> None:
    game = Game(a_wave(auto_rollback_max=0), choose=failing_at("a03", "copy")).play()
    view = view_of_case(a_case(game), now=game.now)
    stuck = next(line for line in view.not_well if line.state is MoveState.NEEDS_PERSON)
    assert stuck.asset in view.needs_you[stuck.decision - 1].assets


def test_times_stand_on_the_wall_of_the_window() -> None:
    view = view_of_case(a_case(Game(a_wave())), now=OPENS)
    assert (view.opens.hour, view.as_of.utcoffset()) == (22, timedelta(hours=1))


def test_who_waits_for_one_that_was_lost_sight_of_has_a_row_that_says_so() -> None:
    game = lost_at_the_switch()
    while game.states["a01"] != "unknown":
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    done = game.progress.moves[AssetId("a02")]
    assert done.state is MoveState.RUNNING
    rows = {line.name: line for line in view_of_case(a_case(game), now=game.now).not_well}
    waits = rows["apc-a02"]
    assert (waits.waits_for, waits.cause.facts, waits.decision) == (("apc-a01",), {"names": "apc-a01"}, 0)
    assert "apc-a03" not in rows


def test_what_went_back_is_told_once_a_cause_with_what_helps() -> None:
    game = Game(a_wave(), choose=failing_at("a03", "copy")).play()
    (line,) = view_of_case(a_case(game), now=game.now).behind
    assert (line.names, line.users) == (("apc-a03",), 1)
    assert line.cause.text and line.remedy.text


def test_what_a_person_wished_is_no_cause_of_its_own() -> None:
    game = Game(a_wave())
    game.wish("hold", "a04")
    game.play()
    view = view_of_case(a_case(game), now=game.now)
    assert ([line.name for line in view.not_well], view.behind) == (["apc-a04"], ())


def test_people_who_may_be_unable_to_work_are_counted_from_the_first_step_that_changes_their_machine() -> None:
    game = lost_at_the_switch().play()
    case = a_case(game)
    around = replace(case.around, outage_allowed_s=900)
    outage = view_of_case(replace(case, around=around), now=game.now).outage
    assert outage is not None
    begun = game.progress.moves[AssetId("a01")].out_since
    assert (outage.users, outage.since, outage.allowed_s) == (2, begun, 900)
    assert view_of_case(a_case(Game(a_wave()).play()), now=game.now).outage is None


def test_an_asset_that_waits_says_who_is_logged_on_since_when_and_until_when_it_waits() -> None:
    look = replace(STEPS[0], waits_for=("failed_cause",), waits_s=600, every_s=60)
    busy = {"kahn": {"people": [{"uid": 1001, "since": int(OPENS.timestamp()) - 3600, "on": "tty2"}]}}

    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        is_busy = (asset, step, direction) == ("a01", "look", Direction.DO)
        return ("waits", busy) if is_busy else all_good(asset, step, direction, nth)

    game = Game(a_wave(runbook=a_runbook((look, *STEPS[1:]))), choose=choose, cause_of=lambda _: "source_busy").play()
    view = view_of_case(a_case(game), now=game.now)
    (line,) = view.not_well
    since = OPENS - timedelta(hours=1)
    assert line.cause.facts["numbers"] == "1001" and line.cause.facts["since"] == since
    waits = next(one.text for one in view.if_nobody_acts if one.text.startswith("Waiting (1)"))
    assert "step look waits" in waits.lower() and "somebody still works" in waits
    assert game.progress.moves[AssetId("a01")].out_since is None and view.outage is None


@pytest.mark.parametrize(("told", "shown"), [(40, "40"), (0, "0"), (None, ""), (101, ""), ("{{ 1 }}", ""), (True, "")])
def test_how_far_another_tool_is_stands_on_the_screen_where_every_probe_tells_it(told: object, shown: str) -> None:
    steps = (replace(STEPS[2], external=True, every_s=30, deadline_s=3600),)

    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if direction is Direction.DO:
            return "started", {}
        if direction is Direction.PROBE:
            report = {"answer": "running"} if told is None else {"answer": "running", "percent": told}
            return "done", {"kahn": report}
        return all_good(asset, step, direction, nth)

    game = Game(a_wave(batches={"canary": 1}, runbook=a_runbook(steps)), choose=choose)
    game.play().now += timedelta(seconds=30)
    assert game.play().states == {"a01": "waiting_tool"}
    said = [one for one in view_of_case(a_case(game), now=game.now).if_nobody_acts if "another tool" in one.says]
    assert [str(one.facts.get("percent", "")) for one in said] == [shown]

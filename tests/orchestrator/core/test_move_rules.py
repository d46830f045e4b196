"""What people wish for single assets, and what an abort does, played by the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.model import AssetId
from orchestrator.core.command import ChangeMove, StartRun
from orchestrator.core.control import UNDER_WAY, askable
from orchestrator.core.decide import next_commands
from orchestrator.core.lifecycle import MOVE_GROUPS, WAVE_GROUPS, MoveEvent, MoveState, WaveState
from orchestrator.core.move_rules import is_half_way, move_commands, next_probe_at
from orchestrator.core.runbook import Direction
from orchestrator.core.surroundings import Surroundings
from orchestrator.core.undo import touched
from tests.orchestrator.core.builders import STEPS, Answer, Chooser, Game, a_runbook, a_wave, all_good, failing_at


def rounds(game: Game, count: int) -> Game:
    """Let the rules answer this often."""
    for _ in range(count):
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    return game


def until(game: Game, asset: str, step: str) -> Game:
    """Play until this step of the asset is done."""
    for _ in range(100):
        if step in game.progress.moves[AssetId(asset)].done:
            return game
        rounds(game, 1)
    raise AssertionError(f"{asset} never did {step}")


def test_a_held_asset_stops_before_its_next_step_and_the_others_go_on() -> None:
    game = until(Game(a_wave(batches={"b1": 3}, batch_budget=1.0, wave_budget=1.0)), "a01", "look")
    game.wish("hold", "a01")
    assert game.play().states == {"a01": "held", "a02": "moved", "a03": "moved"}
    assert game.progress.moves[AssetId("a01")].cause == "held_by_person"


def test_a_wave_does_not_close_over_what_a_person_holds_half_way() -> None:
    game = until(Game(a_wave(batches={"b1": 2}, batch_budget=0.0)), "a01", "copy")
    game.wish("hold", "a01")
    game.play()
    assert (game.progress.state, game.states["a01"]) == (WaveState.HELD, "held")
    game.wave("resume")
    game.play()  # nothing was asked for it: the wave cannot close over what stands half-way
    assert (game.states["a01"], game.progress.cause) == ("held", "held_half_way")


def test_a_retry_begins_again_where_it_stood() -> None:
    game = until(Game(a_wave(batches={"b1": 2}, batch_budget=0.0)), "a01", "copy")
    game.wish("hold", "a01")
    game.play()
    game.wish("retry", "a01")
    assert game.play().states["a01"] == "held"  # the wave stands, so nothing begins
    game.wave("resume")
    assert game.play().states["a01"] == "moved"
    assert [run.step for run in game.started if "a01" in run.assets].count("copy") == 1


def test_a_skipped_asset_goes_back_if_it_was_begun_and_stays_if_it_was_not() -> None:
    wave = a_wave(batches={"b1": 2, "b2": 2}, batch_budget=1.0, wave_budget=1.0)
    game = until(Game(wave), "a01", "copy")
    game.wish("skip", "a01", "a03")
    states = game.play().states
    assert states == {"a01": "rolled_back", "a02": "moved", "a03": "held", "a04": "moved"}
    assert game.progress.moves[AssetId("a03")].cause == "skipped"


def test_what_was_left_out_before_anything_was_done_to_it_costs_no_budget_and_what_failed_does() -> None:
    game = Game(a_wave(batches={"b1": 2}, batch_budget=0.0, wave_budget=0.0))
    game.wish("skip", "a01")
    assert game.play().progress.state is WaveState.CLOSED
    game = Game(a_wave(batches={"b1": 2}, batch_budget=0.0, wave_budget=0.0), failing_at("a01", "look"))
    until(game, "a02", "look").wish("skip", "a01")
    assert game.play().progress.cause == "budget_spent"


def test_a_group_that_is_held_together_is_not_taken_back() -> None:
    game = until(
        Game(a_wave(batches={"b1": 2}, groups=(("a01", "a02"),), batch_budget=1.0, wave_budget=1.0)), "a01", "look"
    )
    game.wish("hold", "a01", "a02")
    game.play()
    assert set(game.states.values()) == {"held"}
    assert not [run for run in game.started if run.direction is Direction.UNDO]


def lost_at_switch(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
    if (step, direction) == ("switch", Direction.DO):
        return "unknown", {}
    if direction is Direction.PROBE:
        return "done", {"kahn": {"answer": "done"}}
    return all_good(asset, step, direction, nth)


def in_switch(choose: Chooser) -> tuple[Game, StartRun]:
    """A wave of one asset whose step that must happen once is about to be done."""
    game = until(Game(a_wave(batches={"b1": 1}, batch_budget=1.0, wave_budget=1.0), choose), "a01", "copy")
    (start,) = next_commands(game.content, game.progress, game.now)
    assert isinstance(start, StartRun) and start.step == "switch"
    return game, start


def test_an_asset_that_is_held_while_its_once_step_is_lost_is_probed_and_never_begins_again_unasked() -> None:
    game, start = in_switch(lost_at_switch)
    game.wish("hold", "a01")
    game.carry_out(start)
    game.play()
    assert [run.direction for run in game.started if run.step == "switch"] == [Direction.DO, Direction.PROBE]
    assert (game.states["a01"], game.progress.moves[AssetId("a01")].cause) == ("held", "held_by_person")
    game.wish("retry", "a01")
    game.wave("resume")
    assert game.play().states["a01"] == "moved"
    assert [run.direction for run in game.started if run.step == "switch"] == [Direction.DO, Direction.PROBE]


def test_an_asset_that_is_left_out_while_its_step_is_lost_is_probed_before_it_goes_back() -> None:
    game, start = in_switch(lost_at_switch)
    game.wish("skip", "a01")
    game.carry_out(start)
    game.play()
    directions = [run.direction for run in game.started if run.step == "switch"]
    assert directions == [Direction.DO, Direction.PROBE, Direction.UNDO]
    assert game.states["a01"] == "rolled_back"


def test_a_hold_does_not_hide_that_the_step_failed() -> None:
    game, start = in_switch(failing_at("a01", "switch"))
    game.wish("hold", "a01")
    game.carry_out(start)
    assert game.play().states["a01"] == "rolled_back"


def aborted(game: Game) -> Game:
    game.wave("abort", "aborted")
    return game.play()


def test_an_abort_takes_back_what_is_half_way_leaves_what_arrived_and_begins_nothing() -> None:
    wave = a_wave(batches={"canary": 1, "b1": 2, "b2": 1})
    game = aborted(until(Game(wave), "a02", "copy"))
    assert game.states == {"a01": "moved", "a02": "rolled_back", "a03": "rolled_back", "a04": "held"}
    assert (game.progress.state, game.progress.cause) == (WaveState.CLOSED, "aborted")


def test_an_abort_of_which_nothing_arrived_ends_as_rolled_back() -> None:
    game = aborted(until(Game(a_wave(batches={"b1": 2})), "a01", "copy"))
    assert game.progress.state is WaveState.ROLLED_BACK


def test_an_abort_is_not_believed_while_a_run_lives() -> None:
    game = until(Game(a_wave(batches={"b1": 1})), "a01", "look")
    (start,) = next_commands(game.content, game.progress, game.now)
    game.intend(start)  # type: ignore[arg-type]
    game.wave("abort", "aborted")
    assert next_commands(game.content, game.progress, game.now) == ()
    game.now += timedelta(minutes=11)
    rounds(game, 1)
    assert (game.progress.state, game.progress.cause) == (WaveState.NEEDS_PERSON, "not_quiet")


def test_an_abort_probes_what_it_broke_off_before_it_takes_it_back() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if (step, direction) == ("switch", Direction.DO):
            return "unknown", {}
        return all_good(asset, step, direction, nth)

    game = until(Game(a_wave(batches={"b1": 1}), choose), "a01", "copy")
    (start,) = next_commands(game.content, game.progress, game.now)
    game.carry_out(start)
    game = aborted(game)
    steps = [(run.direction.value, run.step) for run in game.started]
    assert steps[-4:] == [("probe", "switch"), ("undo", "switch"), ("undo", "copy"), ("compare", "")]
    assert game.progress.state is WaveState.ROLLED_BACK


def test_a_group_goes_back_whole_after_an_abort_also_the_part_that_had_arrived() -> None:
    game = Game(a_wave(batches={"b1": 2}, groups=(("a01", "a02"),)))
    until(game, "a01", "switch")
    only_one = next(one for one in next_commands(game.content, game.progress, game.now) if one.asset == "a01")  # type: ignore[union-attr]
    game.carry_out(only_one)
    assert game.states == {"a01": "moved", "a02": "running"}
    assert aborted(game).states == {"a01": "rolled_back", "a02": "rolled_back"}


def test_while_all_dispatch_is_stopped_no_run_begins_and_no_batch() -> None:
    game = Game(a_wave())
    assert next_commands(game.content, game.progress, game.now, around=Surroundings(stopped=True)) == ()
    assert next_commands(game.content, game.progress, game.now) != ()


@pytest.mark.parametrize("verdict", ["done", "not_done", "undone"])
def test_what_people_declare_decides_how_a_stuck_asset_goes_on(verdict: str) -> None:
    game = Game(a_wave(batches={"b1": 2}, probe_tries=1), blind_switch())
    game.play()
    assert game.states["a01"] == "needs_person"
    game.choose = all_good
    game.note("move.declared", assets=["a01"], verdict=verdict, by="p-1 p-2")
    event = "roll_back" if verdict == "undone" else "repaired"
    to, cause = ("rolling_back", "declared_undone") if verdict == "undone" else ("held", "wave_held")
    game.note("move.state", asset="a01", **{"from": "needs_person"}, to=to, event=event, step="switch", cause=cause)
    before = len(game.started)
    game.play()
    if game.progress.state is not WaveState.CLOSED:
        game.wave("resume")
    game.play()
    steps = [(run.direction.value, run.step) for run in game.started[before:]]
    expected = {
        "done": ("moved", []),
        "not_done": ("moved", [("do", "switch")]),
        "undone": ("rolled_back", [("compare", "")]),
    }
    assert (game.states["a01"], steps) == expected[verdict]


@pytest.mark.parametrize("answer", ["done", "not_done", "partial", "cannot_tell"])
def test_a_machine_that_is_asked_again_decides_itself_how_it_goes_on(answer: str) -> None:
    game = Game(a_wave(batches={"b1": 2}, probe_tries=1, auto_rollback_max=2), blind_switch()).play()
    assert game.states["a01"] == "needs_person"
    game.choose = answering(answer)
    before = len(game.started)
    game.wish("probe", "a01")
    game.play()
    asked = game.started[before]
    assert (asked.direction, asked.step, asked.assets) == (Direction.PROBE, "switch", (AssetId("a01"),))
    if game.progress.state is not WaveState.CLOSED:
        game.wave("resume")
    game.play()
    again = [run.step for run in game.started[before:] if run.direction is Direction.DO and "a01" in run.assets]
    expected = {
        "done": ("moved", []),
        "not_done": ("moved", ["switch"]),
        "partial": ("rolled_back", []),
        "cannot_tell": ("needs_person", []),
    }
    assert (game.states["a01"], again) == expected[answer]
    once_is_once(game)


def test_a_machine_that_cannot_be_asked_because_another_wave_has_it_waits_for_a_person_again() -> None:
    """The driver gives the move up instead of asking; a wish that stayed would send it round and round."""
    game = Game(a_wave(batches={"b1": 2}, probe_tries=1, auto_rollback_max=2), blind_switch()).play()
    game.wish("probe", "a01")
    (again,) = next_commands(game.content, game.progress, game.now)
    game.carry_out(again)
    body = {"from": "unknown", "to": "needs_person", "event": "give_up", "step": "switch", "cause": "busy_elsewhere"}
    game.note("move.state", asset="a01", **body)
    assert next_commands(game.content, game.progress, game.now) == ()
    assert askable(game.content, game.progress.moves[AssetId("a01")])


def answering(answer: str) -> Chooser:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        return (
            ("done", {"kahn": {"answer": answer}})
            if direction is Direction.PROBE
            else all_good(asset, step, direction, nth)
        )

    return choose


def test_what_was_asked_again_is_probed_at_once_and_gets_all_its_probes_anew() -> None:
    game, start = in_switch(blind_switch())
    game.carry_out(start)
    while game.progress.moves[AssetId("a01")].probes < 2 or game.states["a01"] != "unknown":
        commands = next_commands(game.content, game.progress, game.now)
        for command in commands:
            game.carry_out(command)
        game.now += timedelta(seconds=0 if commands else 1)
    assert next_commands(game.content, game.progress, game.now) == ()
    game.wish("probe", "a01")
    (probe,) = next_commands(game.content, game.progress, game.now)
    game.carry_out(probe)
    move = game.progress.moves[AssetId("a01")]
    assert (move.probes, move.asked) == (1, False)


def test_the_quiet_time_of_a_step_is_waited_out_however_much_a_person_wants_to_know() -> None:
    """A program that outlived its Ansible could still be at work, and the answer would be believed."""
    move = replace(Game(a_wave()).progress.moves[AssetId("a01")], since=Game(a_wave()).now, step="switch", asked=True)
    quiet = a_runbook(tuple(replace(step, quiet_s=300) for step in STEPS))
    assert next_probe_at(a_wave(runbook=quiet), move) == Game(a_wave()).now + timedelta(seconds=300)


def blind_switch() -> Chooser:
    """a01 is lost sight of at its switch, and no probe reaches it."""

    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if asset == "a01" and step == "switch" and direction in (Direction.DO, Direction.PROBE):
            return "unknown" if direction is Direction.DO else "unreachable", {}
        return all_good(asset, step, direction, nth)

    return choose


ACTS = st.sampled_from(["pause", "resume", "abort", "hold", "skip", "retry", "probe", "nothing", "nothing", "nothing"])
OUTCOMES = st.sampled_from(["done", "done", "done", "failed", "unknown", "unreachable"])


def act(game: Game, kind: str, asset: str) -> None:
    """A person does it where the tables allow it."""
    from orchestrator.core.lifecycle import WAVE_TABLE, WaveEvent

    if kind in ("hold", "skip", "retry"):
        game.wish(kind, *game.content.group_of(AssetId(asset)))
    elif kind == "probe":
        if askable(game.content, game.progress.moves[AssetId(asset)]) and game.progress.state in UNDER_WAY:
            game.wish("probe", asset)
    elif kind != "nothing" and WaveEvent(kind) in WAVE_TABLE[game.progress.state]:
        game.wave(kind, {"pause": "paused", "abort": "aborted"}.get(kind, ""))


@settings(max_examples=60, deadline=None)
@given(luck=st.data())
def test_whatever_people_do_the_wave_rests_nothing_is_forgotten_and_once_is_once(luck: st.DataObject) -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        outcome = luck.draw(OUTCOMES)
        good = all_good(asset, step, direction, nth)
        if outcome != "done":
            return outcome, {}
        if direction is Direction.PROBE:
            return "done", {
                "kahn": {"answer": luck.draw(st.sampled_from(["done", "not_done", "partial", "cannot_tell"]))}
            }
        return good

    game = Game(a_wave(batches={"canary": 1, "b1": 3}, groups=(("a03", "a04"),), wave_budget=1.0), choose)
    for _ in range(25):
        act(game, luck.draw(ACTS), luck.draw(st.sampled_from(["a01", "a02", "a03"])))
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    game.play()
    progress = game.progress
    assert not progress.live and progress.state not in WAVE_GROUPS["in motion"]
    assert not {m.state for m in progress.moves.values()} & (
        MOVE_GROUPS["in motion"] | {MoveState.UNKNOWN, MoveState.FAILED}
    )
    if progress.aborted and progress.state is WaveState.CLOSED:
        assert not any(is_half_way(game.content, move) for move in progress.moves.values())
    if progress.state is WaveState.ROLLED_BACK:
        assert not any(touched(move, game.content.runbook) for move in progress.moves.values())
    once_is_once(game)


def once_is_once(game: Game) -> None:
    """Between two tries of the step that happens once lies a probe, an undo, or proof that it never began."""
    for asset in game.states:
        last = ""
        for fact in game.facts:
            if fact.kind == "run.intended" and asset in fact.body["attempts"] and fact.body["step"] == "switch":
                direction = fact.body["direction"]
                assert not (direction == "do" and last == "do"), asset
                last = direction
            ended = fact.kind == "attempt.ended" and fact.body["asset"] == asset and fact.body["step"] == "switch"
            if ended and fact.body["outcome"] == "unreachable":
                last = ""


def test_a_move_that_rests_wants_nothing() -> None:
    from orchestrator.core.command import View

    game = Game(a_wave()).play()
    assert move_commands(View(content=game.content, progress=game.progress, now=game.now)) == ()


def test_the_first_look_comes_soon_and_the_next_ones_later() -> None:
    move = replace(Game(a_wave()).progress.moves[AssetId("a01")], since=Game(a_wave()).now)
    gaps = [next_probe_at(a_wave(), replace(move, probes=nth)) for nth in range(3)]
    assert gaps == sorted(gaps) and gaps[0] < gaps[1] < gaps[2]


def test_a_move_that_arrives_in_the_moment_in_which_its_group_goes_back_goes_back() -> None:
    """Whichever of the two is looked at first."""
    for failing, arriving in (("a01", "a02"), ("a02", "a01")):
        game = until(Game(a_wave(batches={"b1": 2}, groups=(("a01", "a02"),))), "a01", "copy")
        (start,) = next_commands(game.content, game.progress, game.now)
        assert isinstance(start, StartRun)
        game.choose = failing_at(failing, "switch")
        game.carry_out(replace(start, assets=(AssetId(failing),)))
        game.carry_out(ChangeMove(asset=AssetId(failing), event=MoveEvent.FAIL, step="switch"))
        game.carry_out(replace(start, assets=(AssetId(arriving),)))
        rounds(game, 1)
        assert set(game.states.values()) == {"rolling_back"}

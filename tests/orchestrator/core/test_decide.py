"""The rules of a wave, each as a sentence."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from inventory.model import AssetId
from orchestrator.core.decide import StartRun, next_commands
from orchestrator.core.lifecycle import MOVE_GROUPS, MoveState, WaveState
from orchestrator.core.runbook import Direction, Effect
from orchestrator.core.surroundings import Surroundings
from tests.orchestrator.core.builders import STEPS, Answer, Game, a_runbook, a_wave, all_good, failing_at


def done_steps(game: Game, asset: str) -> list[tuple[str, str]]:
    return [(run.direction.value, run.step) for run in game.started if asset in run.assets]


def test_a_wave_in_which_all_goes_well_closes_with_every_asset_moved() -> None:
    game = Game(a_wave()).play()
    assert game.progress.state is WaveState.CLOSED
    assert set(game.states.values()) == {"moved"}
    assert [gate.verdict for gate in game.progress.gates] == ["ok", "ok"]


def test_the_baseline_is_taken_before_anything_else() -> None:
    game = Game(a_wave(batches={"canary": 1})).play()
    assert done_steps(game, "a01") == [("baseline", ""), ("do", "look"), ("do", "copy"), ("do", "switch")]


def test_the_canary_goes_alone_and_first() -> None:
    game = Game(a_wave()).play()
    batches = [run.batch for run in game.started]
    assert batches == sorted(batches, key=["canary", "b1"].index)


def test_a_failed_step_is_undone_last_first_and_proven() -> None:
    game = Game(a_wave(batches={"b1": 4}), failing_at("a02", "switch")).play()
    assert game.states["a02"] == "rolled_back"
    assert done_steps(game, "a02")[-3:] == [("undo", "switch"), ("undo", "copy"), ("compare", "")]


def test_a_step_that_failed_half_way_is_undone_too() -> None:
    game = Game(a_wave(batches={"b1": 4}), failing_at("a02", "copy")).play()
    assert ("undo", "copy") in done_steps(game, "a02")
    assert ("undo", "switch") not in done_steps(game, "a02")


def test_an_asset_that_was_never_touched_is_held_not_rolled_back() -> None:
    game = Game(a_wave(batches={"b1": 4}), failing_at("a02", "look")).play()
    assert game.states["a02"] == "held"
    assert not [run for run in game.started if run.direction is Direction.UNDO]


def test_an_unreachable_asset_is_tried_twice_and_then_held() -> None:
    game = Game(a_wave(batches={"b1": 4}), failing_at("a01", "look", "unreachable")).play()
    assert game.states["a01"] == "held"
    assert done_steps(game, "a01").count(("do", "look")) == 2


def test_a_red_gate_holds_the_wave_and_the_next_batch_never_begins() -> None:
    game = Game(a_wave(batches={"canary": 2, "b1": 2}, batch_budget=0.4), failing_at("a01", "look")).play()
    assert (game.progress.state, game.progress.cause) == (WaveState.HELD, "budget_spent")
    assert game.states["a03"] == "planned"


def test_the_budget_of_the_wave_counts_over_all_batches() -> None:
    wave = a_wave(batches={"b1": 2, "b2": 2, "b3": 2}, batch_budget=0.5, wave_budget=0.2)
    game = Game(
        wave, lambda a, s, d, n: ("failed", {}) if a in ("a01", "a03") and s == "look" else all_good(a, s, d, n)
    )
    assert game.play().states["a05"] == "planned"
    assert [gate.verdict for gate in game.progress.gates] == ["ok", "red"]


def test_a_person_who_resumes_overrules_the_gate() -> None:
    game = Game(
        a_wave(batches={"canary": 2, "b1": 2}, batch_budget=0.4, wave_budget=0.9), failing_at("a01", "look")
    ).play()
    game.wave("resume")
    assert game.play().progress.state is WaveState.CLOSED
    assert game.states == {"a01": "held", "a02": "moved", "a03": "moved", "a04": "moved"}


def test_no_step_begins_once_the_window_has_closed() -> None:
    game = Game(a_wave())
    game.now = game.content.window.closes
    assert game.play().progress.cause == "window_ended"
    assert game.started == []


def test_lost_sight_of_a_once_step_is_probed_and_never_simply_repeated() -> None:
    game = Game(a_wave(batches={"b1": 2}), failing_at("a01", "switch", "unknown")).play()
    steps = done_steps(game, "a01")
    for nth, step in enumerate(steps):
        if step == ("do", "switch") and nth != steps.index(("do", "switch")):
            assert steps[nth - 1] == ("probe", "switch")


def test_a_probe_that_says_done_lets_the_move_go_on() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if direction is Direction.PROBE:
            return "done", {"kahn": {"answer": "done"}}
        return failing_at("a01", "switch", "unknown")(asset, step, direction, nth)

    game = Game(a_wave(batches={"b1": 2}), choose).play()
    assert game.states["a01"] == "moved"
    assert done_steps(game, "a01").count(("do", "switch")) == 1


def test_a_probe_that_says_partial_leads_to_rollback() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if direction is Direction.PROBE:
            return "done", {"kahn": {"answer": "partial"}}
        return failing_at("a01", "switch", "unknown")(asset, step, direction, nth)

    assert Game(a_wave(batches={"b1": 2}), choose).play().states["a01"] == "rolled_back"


def test_probes_that_see_nothing_end_with_a_person() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if direction is Direction.PROBE:
            return "unreachable", {}
        return failing_at("a01", "switch", "unknown")(asset, step, direction, nth)

    game = Game(a_wave(batches={"b1": 2}, probe_tries=3), choose).play()
    assert game.states["a01"] == "needs_person"
    assert done_steps(game, "a01").count(("probe", "switch")) == 3
    assert game.progress.state is WaveState.NEEDS_PERSON


def test_an_idempotent_step_without_probe_is_repeated_after_lost_sight() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if (asset, step, direction, nth) == ("a01", "copy", Direction.DO, 1):
            return "unknown", {}
        return all_good(asset, step, direction, nth)

    assert Game(a_wave(batches={"b1": 2}), choose).play().states["a01"] == "moved"


def test_an_undo_that_keeps_failing_needs_a_person() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if direction is Direction.UNDO and step == "copy":
            return "failed", {}
        return failing_at("a01", "switch")(asset, step, direction, nth)

    game = Game(a_wave(batches={"b1": 2}), choose).play()
    assert game.states["a01"] == "needs_person"
    assert game.progress.moves[AssetId("a01")].begun == ("look", "copy")


def test_a_rollback_is_not_believed_unless_the_fingerprint_from_before_comes_out() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if direction is Direction.COMPARE:
            return "done", {"kahn": {"baseline": "d1", "now": "d2", "differences": ["/etc/x"]}}
        return failing_at("a01", "switch")(asset, step, direction, nth)

    assert Game(a_wave(batches={"b1": 2}), choose).play().states["a01"] == "needs_person"


def test_a_baseline_that_was_swapped_on_the_host_proves_nothing() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if direction is Direction.COMPARE:
            return "done", {"kahn": {"baseline": "d2", "now": "d2"}}
        return failing_at("a01", "switch")(asset, step, direction, nth)

    assert Game(a_wave(batches={"b1": 2}), choose).play().states["a01"] == "needs_person"


def test_automatic_rollback_takes_the_move_group_along() -> None:
    game = Game(a_wave(batches={"b1": 4}, groups=(("a01", "a02"),)), failing_at("a01", "switch")).play()
    assert (game.states["a01"], game.states["a02"]) == ("rolled_back", "rolled_back")
    assert game.progress.moves[AssetId("a02")].cause == "group_went_back"


def test_beyond_the_automatic_limit_a_person_decides() -> None:
    game = Game(
        a_wave(batches={"b1": 4}, auto_rollback_max=1),
        lambda a, s, d, n: (
            ("failed", {}) if a in ("a01", "a02") and s == "switch" and d is Direction.DO else all_good(a, s, d, n)
        ),
    ).play()
    assert Counter(game.states.values()) == Counter(rolled_back=1, needs_person=1, moved=2)
    assert (game.progress.state, game.progress.cause) == (WaveState.HELD, "rollback_limit")


def test_behind_the_point_of_no_return_nothing_goes_back_by_itself() -> None:
    steps = (STEPS[0], STEPS[1], replace(STEPS[2], no_return=True))
    game = Game(a_wave(batches={"b1": 2}, runbook=a_runbook(steps)), failing_at("a01", "switch")).play()
    assert game.states["a01"] == "needs_person"


def test_a_whole_wave_can_be_taken_back_by_a_person() -> None:
    game = Game(a_wave()).play()
    game.ask_rollback()
    assert game.play().progress.state is WaveState.ROLLED_BACK
    assert set(game.states.values()) == {"rolled_back"}


def test_one_asset_of_a_closed_wave_can_be_taken_back() -> None:
    game = Game(a_wave()).play()
    game.ask_rollback("a02")
    assert game.play().progress.state is WaveState.CLOSED
    assert game.states == {"a01": "moved", "a02": "rolled_back", "a03": "moved", "a04": "moved"}


def test_a_rollback_by_a_person_that_fails_once_more_does_not_go_round_for_ever() -> None:
    game = Game(a_wave()).play()
    game.choose = failing_at("a02", "copy", "failed", Direction.UNDO)
    game.ask_rollback("a02", "a03")
    assert game.play().progress.state is WaveState.NEEDS_PERSON
    assert (game.states["a02"], game.states["a03"]) == ("needs_person", "rolled_back")


OUTCOMES = st.sampled_from(["done", "done", "done", "failed", "unreachable", "not_started", "unknown"])
ANSWERS = st.sampled_from(["done", "not_done", "partial", "cannot_tell"])


@settings(max_examples=100, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(luck=st.data())
def test_whatever_happens_the_wave_rests_and_every_promise_is_kept(luck: st.DataObject) -> None:
    """Ends in a rest state; numbers add up; a once step never runs twice without a probe's not_done."""
    answers: dict[tuple[str, str], str] = {}

    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        outcome = luck.draw(OUTCOMES)
        evidence: dict[str, Any] = dict(all_good(asset, step, direction, nth)[1])
        if direction is Direction.PROBE and outcome == "done":
            evidence = {"kahn": {"answer": luck.draw(ANSWERS)}}
            answers[asset, step] = evidence["kahn"]["answer"]
        if direction is Direction.DO and Effect.ONCE is a_runbook().step(step).effect:
            begun = [
                run
                for run in game.started[:-1]
                if (run.step, run.direction) == (step, direction) and asset in run.assets
            ]
            undone = any((r.step, r.direction) == (step, Direction.UNDO) and asset in r.assets for r in game.started)
            lost = begun and last_outcome.get((asset, step)) == "unknown"
            assert not lost or answers.pop((asset, step), "") == "not_done" or undone
            last_outcome[asset, step] = outcome
        return outcome, evidence

    last_outcome: dict[tuple[str, str], str] = {}
    game = Game(
        a_wave(batches={"canary": 1, "b1": 3}, groups=(("a03", "a04"),), wave_budget=1.0, batch_budget=1.0), choose
    )
    game.play()
    in_motion = {state.value for state in MOVE_GROUPS["in motion"]} | {"failed", "unknown"}
    assert not in_motion & set(game.states.values())
    assert sum(Counter(game.states.values()).values()) == 4
    assert next_commands(game.content, game.progress, game.now + timedelta(minutes=10)) == ()


def test_a_run_in_flight_is_not_started_again() -> None:
    """The same journal asked twice between intent and end gives no second run."""
    game = Game(a_wave(batches={"b1": 1}))
    for command in next_commands(game.content, game.progress, game.now):
        game.carry_out(command)
    (baseline,) = next_commands(game.content, game.progress, game.now)
    assert isinstance(baseline, StartRun)
    game.intend(baseline)
    assert next_commands(game.content, game.progress, game.now) == ()


def test_a_host_that_gives_no_baseline_is_held_untouched_and_not_asked_for_ever() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        return ("done", {"kahn": {}}) if direction is Direction.BASELINE else all_good(asset, step, direction, nth)

    game = Game(a_wave(batches={"b1": 1}), choose).play()
    assert (game.states["a01"], game.progress.moves[AssetId("a01")].cause) == ("held", "no_baseline")
    assert done_steps(game, "a01") == [("baseline", "")] * 2


def test_a_wave_is_not_called_rolled_back_while_others_were_stopped_half_way() -> None:
    game = Game(a_wave(batches={"b1": 3}))
    while not any(run.step == "copy" for run in game.started):
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    game.ask_rollback("a01")
    assert (game.play().progress.state, game.progress.cause) == (WaveState.HELD, "partly_rolled_back")
    game.wave("resume")
    assert game.play().states == {"a01": "rolled_back", "a02": "moved", "a03": "moved"}


def at_copy_of_the_canary() -> Game:
    """A wave whose first asset is being copied and whose second batch has not begun."""
    game = Game(a_wave(batches={"canary": 1, "b1": 2}, batch_budget=1.0, wave_budget=1.0))
    while not any(run.step == "copy" for run in game.started):
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    return game


def test_a_rollback_of_all_that_was_touched_does_not_end_the_wave_for_those_that_never_began() -> None:
    game = at_copy_of_the_canary()
    game.ask_rollback("a01")
    assert (game.play().progress.state, game.progress.cause) == (WaveState.HELD, "partly_rolled_back")
    game.wave("resume")
    assert game.play().states == {"a01": "rolled_back", "a02": "moved", "a03": "moved"}
    assert game.progress.state is WaveState.CLOSED


def test_a_rollback_of_the_whole_wave_ends_it_also_for_those_that_never_began() -> None:
    game = at_copy_of_the_canary()
    game.ask_rollback()
    assert game.play().progress.state is WaveState.ROLLED_BACK


@pytest.mark.parametrize(("outcome", "may_begin"), [("unknown", {"probe"}), ("failed", set())])
def test_while_all_dispatch_stands_machines_in_doubt_are_asked_and_none_is_changed_or_taken_back(
    outcome: str, may_begin: set[str]
) -> None:
    """A stop stops undoing too: whoever pulls the brake may well mistrust Kahn itself."""
    game = Game(a_wave(batches={"b1": 2}), failing_at("a01", "switch", outcome))
    while not any(run.step == "switch" for run in game.started):
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    before = len(game.started)
    for _ in range(20):
        for command in next_commands(game.content, game.progress, game.now, around=Surroundings(stopped=True)):
            game.carry_out(command)
        game.now += timedelta(seconds=30)
    assert {run.direction.value for run in game.started[before:]} == may_begin


def test_none_of_a_move_group_goes_on_when_one_of_it_stays_behind() -> None:
    """Whether the one was never reached or gave no baseline; mates that were touched go back, the others stay."""
    together = a_wave(batches={"b1": 4}, groups=(("a01", "a02"),))
    assert Game(together, failing_at("a01", "look", "not_started")).play().states["a02"] == "rolled_back"
    assert Game(together, failing_at("a01", "", "not_started", Direction.BASELINE)).play().states["a02"] == "held"
    split = a_wave(batches={"canary": 1, "b1": 3}, groups=(("a01", "a02"),), batch_budget=1.0, wave_budget=1.0)
    assert Game(split, failing_at("a02", "look")).play().states["a01"] == "rolled_back"
    assert Game(split, failing_at("a01", "switch")).play().states["a02"] == "held"


def test_a_mate_that_was_out_of_sight_does_not_go_on_after_its_group_went_back() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if (asset, step, direction, nth) == ("a02", "switch", Direction.DO, 1):
            return "unknown", {}
        if direction is Direction.PROBE:
            return "done", {"kahn": {"answer": "done"}}
        return failing_at("a01", "switch")(asset, step, direction, nth)

    game = Game(a_wave(batches={"b1": 4}, groups=(("a01", "a02"),)), choose).play()
    assert game.states == {"a01": "rolled_back", "a02": "rolled_back", "a03": "moved", "a04": "moved"}


def test_runs_that_cannot_start_here_hold_the_wave_and_take_nothing_back() -> None:
    """A full disk or a missing tree on this machine is nothing that the assets did."""

    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        return all_good(asset, step, direction, nth) if step != "switch" or mended else ("not_started", {})

    mended = False
    game = Game(a_wave(batches={"b1": 3}), choose, cause_of=lambda outcome: "never_started")
    game.play()
    assert (game.progress.state, game.progress.cause) == (WaveState.HELD, "never_started")
    assert set(game.states.values()) == {"held"}
    mended = True
    game.wave("resume")
    assert set(game.play().states.values()) == {"moved"}


def test_a_try_that_is_left_is_kept_for_when_a_held_wave_goes_on() -> None:
    game = Game(a_wave(batches={"b1": 2}), failing_at("a01", "copy", "not_started"))
    while not any(run.step == "copy" for run in game.started):
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    game.wave("hold", "window_ended")
    move = game.play().progress.moves[AssetId("a01")]
    assert (move.state, move.cause) == (MoveState.HELD, "wave_held")


def test_what_needs_a_person_goes_back_when_one_asks_for_it() -> None:
    game = Game(a_wave(batches={"canary": 1}, auto_rollback_max=0), failing_at("a01", "switch")).play()
    assert game.states == {"a01": "needs_person"}
    game.ask_rollback("a01")
    game.play()
    assert game.states == {"a01": "rolled_back"} and game.progress.state is WaveState.ROLLED_BACK


def test_a_rollback_that_fails_is_over_and_can_be_asked_for_again() -> None:
    game = Game(a_wave(batches={"canary": 1}, auto_rollback_max=0), failing_at("a01", "switch")).play()
    game.choose = failing_at("a01", "copy", direction=Direction.UNDO)
    game.ask_rollback("a01")
    game.play()
    assert (game.states["a01"], game.progress.cause) == ("needs_person", "rollback_incomplete")
    game.choose = all_good
    game.ask_rollback("a01")
    assert game.play().states == {"a01": "rolled_back"}

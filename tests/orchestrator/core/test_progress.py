"""The fold of a wave's journal: what each entry teaches, and that no prefix of it can be misread."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from inventory.model import AssetId
from orchestrator.actions.take_back import assets_named, rollback_preview
from orchestrator.core.decide import StartRun, next_commands
from orchestrator.core.lifecycle import (
    MOVE_GROUPS,
    WAVE_GROUPS,
    WAVE_TABLE,
    IllegalTransition,
    MoveState,
    WaveEvent,
    WaveState,
)
from orchestrator.core.progress import Fact, MoveProgress, WaveProgress, progress_of
from orchestrator.core.runbook import Direction
from orchestrator.core.undo import WAVE_HELD, touched
from tests.orchestrator.core.builders import OPENS, Answer, Game, a_wave, all_good, failing_at

ONE = AssetId("a01")


def after(*facts: tuple[str, dict[str, Any]]) -> WaveProgress:
    return progress_of(a_wave(batches={"b1": 2}), [Fact(at=OPENS, kind=kind, body=body) for kind, body in facts])


def intended(step: str, direction: str = "do") -> tuple[str, dict[str, Any]]:
    return "run.intended", {"run": "r1", "step": step, "direction": direction, "attempts": {"a01": "t1"}}


def ended(
    step: str, outcome: str, direction: str = "do", evidence: dict[str, Any] | None = None
) -> tuple[str, dict[str, Any]]:
    body = {"run": "r1", "asset": "a01", "step": step, "direction": direction, "outcome": outcome, "cause": ""}
    return "attempt.ended", {**body, "evidence": evidence or {}}


def moved(event: str, to: str, before: str = "running") -> tuple[str, dict[str, Any]]:
    return "move.state", {"asset": "a01", "from": before, "to": to, "event": event, "step": "copy", "cause": "x"}


def waved(event: str, to: str, before: str = "held") -> tuple[str, dict[str, Any]]:
    return "wave.state", {"revision": 1, "from": before, "to": to, "event": event, "cause": ""}


def one(*facts: tuple[str, dict[str, Any]]) -> MoveProgress:
    return after(*facts).moves[ONE]


def test_without_entries_a_wave_is_a_draft_and_every_asset_planned() -> None:
    progress = after()
    assert (progress.state, progress.live) == (WaveState.DRAFT, ())
    assert {move.state for move in progress.moves.values()} == {MoveState.PLANNED}


def test_a_step_is_begun_from_its_intent_on_and_done_only_by_its_result() -> None:
    assert (one(intended("copy")).begun, one(intended("copy")).done) == (("copy",), ())
    assert one(intended("copy"), ended("copy", "done")).done == ("copy",)
    assert one(intended("copy"), ended("copy", "unknown")).begun == ("copy",)


def test_what_never_reached_the_machine_is_not_begun() -> None:
    assert one(intended("copy"), ended("copy", "not_started")).begun == ()


def test_a_later_attempt_that_was_not_started_does_not_wipe_out_an_earlier_one() -> None:
    """Also not when a person resumed in between, which gives new tries."""
    again = (intended("copy"), ended("copy", "not_started"))
    assert one(intended("copy"), ended("copy", "unknown"), *again).begun == ("copy",)
    assert one(intended("copy"), ended("copy", "unknown"), waved("resume", "running"), *again).begun == ("copy",)


def test_a_confirmed_undo_takes_the_step_away_and_any_other_leaves_it() -> None:
    begun = (intended("copy"), ended("copy", "done"), intended("copy", "undo"))
    assert one(*begun, ended("copy", "done", "undo")).begun == ()
    for outcome in ("failed", "unknown", "not_started"):
        assert one(*begun, ended("copy", outcome, "undo")).begun == ("copy",)


@pytest.mark.parametrize(("answer", "done"), [("done", ("copy",)), ("not_done", ()), ("partial", ()), (None, ())])
def test_only_a_probe_that_says_done_makes_a_step_done(answer: object, done: tuple[str, ...]) -> None:
    probe = (intended("copy", "probe"), ended("copy", "done", "probe", {"kahn": {"answer": answer}}))
    assert one(intended("copy"), ended("copy", "unknown"), *probe).done == done


@pytest.mark.parametrize("digest", [None, 7, ["d"], {"d": 1}, ""])
def test_a_baseline_that_is_no_digest_is_none(digest: object) -> None:
    taken = (intended("", "baseline"), ended("", "done", "baseline", {"kahn": {"baseline": digest}}))
    assert one(*taken).baseline == ""


def test_a_new_revision_makes_everything_before_it_history() -> None:
    old = (waved("claim", "running"), intended("copy"))
    progress = after(*old, ("wave.content", {"revision": 2, "fingerprint": "f", "plan": "p"}))
    assert (progress.revision, progress.state, progress.live) == (2, WaveState.DRAFT, ())
    assert progress.moves[ONE].begun == ()


def test_a_rollback_counts_its_tries_anew_and_forgets_the_failure_behind_it() -> None:
    move = one(intended("copy"), ended("copy", "failed"), moved("roll_back", "rolling_back"))
    assert (move.tries, move.last, move.begun) == ({}, None, ("copy",))


def test_asking_for_a_whole_wave_back_means_what_was_begun() -> None:
    asked = ("act", {"kind": "roll_back", "assets": []})
    assert after(intended("copy"), asked).requested == {ONE}
    assert after(intended("copy"), asked, waved("hold", "held", "rolling_back")).requested == frozenset()


def test_other_acts_and_unknown_kinds_of_entries_change_nothing() -> None:
    assert after(("act", {"kind": "approve", "assets": []}), ("note.written", {})) == after()


def test_a_person_who_resumes_opens_every_gate() -> None:
    gate = {"batch": "b1", "verdict": "red", "bad": 2, "allowed": 0, "size": 2}
    whole = {"wave_bad": 2, "wave_allowed": 0, "wave_size": 2}
    progress = after(("batch.gated", {**gate, **whole}), waved("resume", "running"))
    assert [(one.verdict, one.open) for one in progress.gates] == [("red", True)]


OUTCOMES = st.sampled_from(["done", "done", "done", "done", "failed", "not_started", "unknown"])
ANSWERS = st.sampled_from(["done", "not_done", "partial", "cannot_tell", None])
ACTS = st.sampled_from(["", "", "", "", "", "roll back all", "roll back one", "resume", "withdraw", "later"])


def by_chance(luck: st.DataObject) -> Game:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        outcome = luck.draw(OUTCOMES)
        if direction is Direction.PROBE and outcome == "done":
            return outcome, {"kahn": {"answer": luck.draw(ANSWERS)}}
        if direction in (Direction.BASELINE, Direction.COMPARE) and outcome == "done" and luck.draw(st.booleans()):
            return outcome, {"kahn": {}}
        return outcome, all_good(asset, step, direction, nth)[1] if outcome == "done" else {}

    wave = a_wave(batches={"canary": 1, "b1": 3}, groups=(("a03", "a04"),), wave_budget=0.6, batch_budget=0.7)
    return Game(wave, choose)


def acts_as_a_person(game: Game, act: str) -> None:
    """What the table allows happens; the rest raises and changes nothing."""
    before = game.progress
    if act.startswith("roll back"):
        assets = assets_named(game.content, ("apc-a03",)) if act.endswith("one") else ()
        allowed = WaveEvent.ROLL_BACK in WAVE_TABLE[before.state]
        if allowed and rollback_preview(game.content, before, assets):
            game.ask_rollback(*assets)
    elif act in ("resume", "withdraw"):
        if WaveEvent(act) in WAVE_TABLE[before.state]:
            game.wave(act)
        else:
            with pytest.raises(IllegalTransition):
                game.wave(act)
            assert game.progress == before


@settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(luck=st.data())
def test_whatever_people_do_in_between_the_wave_comes_to_rest_and_every_prefix_can_be_read(luck: st.DataObject) -> None:
    """States stay legal (an illegal event raises), numbers add up, and what rests is not left half-way unnoticed."""
    game = by_chance(luck)
    for _ in range(40):
        act = luck.draw(ACTS)
        acts_as_a_person(game, act)
        if act == "later":
            break
        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    game.play()
    progress = game.progress
    assert progress.state not in WAVE_GROUPS["in motion"] and not progress.live
    assert not {move.state for move in progress.moves.values()} & (
        MOVE_GROUPS["in motion"] | {MoveState.FAILED, MoveState.UNKNOWN}
    )
    if progress.state is WaveState.ROLLED_BACK:
        assert not any(touched(move, game.content.runbook) for move in progress.moves.values())
    if progress.state is WaveState.CLOSED:
        assert WAVE_HELD not in {move.cause for move in progress.moves.values() if move.state is MoveState.HELD}
    for length in range(len(game.facts)):
        assert len(progress_of(game.content, game.facts[:length]).moves) == len(game.content.moves)


def test_a_run_between_intent_and_end_survives_the_fold_at_any_moment() -> None:
    game = Game(a_wave(batches={"b1": 1}), failing_at("a01", "switch"))
    for command in next_commands(game.content, game.progress, game.now):
        game.carry_out(command)
    (baseline,) = next_commands(game.content, game.progress, game.now)
    assert isinstance(baseline, StartRun)
    run = game.intend(baseline)
    assert (game.progress.live, game.progress.moves[ONE].run) == ((run,), run)


def test_what_twice_never_reached_the_machine_is_not_begun_either() -> None:
    assert one(*(intended("copy"), ended("copy", "not_started")) * 2).begun == ()


def test_since_when_nobody_knows_how_it_stands_is_not_forgotten_by_probes_that_see_nothing() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        lost = asset == "a01" and (step == "switch" or direction is Direction.PROBE)
        return ("unknown", {}) if lost else all_good(asset, step, direction, nth)

    game = Game(a_wave(batches={"b1": 1}), choose=choose)
    first, seen = None, set[tuple[bool, bool]]()
    while game.progress.moves[AssetId("a01")].state is not MoveState.NEEDS_PERSON:
        commands = next_commands(game.content, game.progress, game.now)
        for command in commands:
            game.carry_out(command)
        game.now += timedelta(seconds=30)
        move = game.progress.moves[AssetId("a01")]
        if move.state is MoveState.UNKNOWN:
            first = first or move.since
            seen.add((move.lost_at == first, move.since == first))
    assert seen == {(True, True), (True, False)}
    assert game.progress.moves[AssetId("a01")].lost_at is None

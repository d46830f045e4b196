"""An asset counts as moved only when its successor was compared with before; what is lost needs a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inventory.model import AssetId
from orchestrator.core.arrival import machines_of
from orchestrator.core.control import declarable, signatures_needed
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.runbook import AfterCheck, Direction
from orchestrator.core.undo import WAVE_HELD
from orchestrator.core.wave import ActKind
from tests.orchestrator.core.builders import Answer, Chooser, Game, a_runbook, a_wave, all_good

AFTER = AfterCheck(on="source", playbook="portrait.yml")
LOOKS = replace(a_runbook(), after=AFTER)
BEFORE = {"printers": [{"flur": "ipp://drucker/flur"}]}


def telling(now: Any = BEFORE, *, before: Any = BEFORE, outcome: str = "done") -> Chooser:
    """Everything goes well; the old machines and their successors tell these portraits."""

    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if direction is Direction.BASELINE:
            return "done", {"kahn": {"baseline": "d1", "portrait": {"sections": before}}}
        if direction is Direction.AFTER:
            return outcome, {"kahn": {"portrait": {"sections": now}}}
        return all_good(asset, step, direction, nth)

    return choose


def played(choose: Chooser, runbook: Any = LOOKS) -> Game:
    return Game(a_wave(batches={"canary": 1}, runbook=runbook), choose).play()


def looks(game: Game) -> int:
    return sum(run.direction is Direction.AFTER for run in game.started)


def test_without_a_comparison_nothing_is_asked() -> None:
    game = played(all_good, a_runbook())
    assert game.states == {"a01": "moved"} and looks(game) == 0


def test_a_successor_that_offers_the_same_counts_as_moved() -> None:
    game = played(telling())
    assert game.states == {"a01": "moved"} and looks(game) == 1
    likeness = game.progress.moves[AssetId("a01")].likeness
    assert likeness is not None and likeness.serious == 0 and likeness.counts["same"] == 1


def test_a_missing_printer_needs_a_person_and_takes_nothing_back_by_itself() -> None:
    game = played(telling({"printers": [{}]}))
    move = game.progress.moves[AssetId("a01")]
    assert (move.state.value, move.cause) == ("needs_person", "less_than_before")
    assert not any(run.direction is Direction.UNDO for run in game.started)
    assert game.progress.state in (WaveState.HELD, WaveState.NEEDS_PERSON)


def test_what_the_runbook_lets_differ_does_not_count() -> None:
    tolerant = replace(LOOKS, after=replace(AFTER, ignore=("printers: fl*",)))
    assert played(telling({"printers": [{}]}), tolerant).states == {"a01": "moved"}
    blind = replace(LOOKS, after=replace(AFTER, leave_out=("printers",)))
    assert played(telling({"printers": [{}]}), blind).states == {"a01": "moved"}


def test_an_old_machine_that_told_nothing_is_not_compared_with_nothing() -> None:
    game = played(telling(before=None))
    assert game.progress.moves[AssetId("a01")].cause == "not_compared" and looks(game) == 0


def test_a_successor_that_does_not_answer_is_asked_again_and_then_needs_a_person() -> None:
    game = played(telling(outcome="unknown"))
    assert looks(game) == game.content.thresholds.max_tries
    assert game.progress.moves[AssetId("a01")].cause == "not_compared"
    assert game.states == {"a01": "needs_person"}


def test_a_report_without_a_portrait_needs_a_person_at_once() -> None:
    game = played(telling("nonsense"))
    assert game.progress.moves[AssetId("a01")].cause == "not_compared" and looks(game) == 1


def _declare(game: Game, verdict: str) -> None:
    game.note("move.declared", assets=["a01"], verdict=verdict, by="p-1")
    body = {"from": "needs_person", "to": "held", "event": "repaired", "step": "switch", "cause": WAVE_HELD}
    game.note("move.state", asset="a01", **body)
    game.wave("resume")


def test_a_person_may_sign_that_the_difference_stays() -> None:
    game = played(telling({"printers": [{}]}))
    kind, move = ActKind.DECLARE_DONE, game.progress.moves[AssetId("a01")]
    assert declarable(kind, game.content, move)
    assert signatures_needed(kind, game.content, game.progress, [AssetId("a01")]) == 1
    _declare(game, "done")
    game.play()
    assert game.states == {"a01": "moved"} and looks(game) == 1


def test_once_it_was_mended_it_is_compared_again() -> None:
    game = played(telling({"printers": [{}]}))
    _declare(game, "not_done")
    game.choose = telling()
    game.play()
    assert game.states == {"a01": "moved"} and looks(game) == 2
    assert sum(run.direction is Direction.DO for run in game.started) == len(LOOKS.steps)


def test_it_can_be_taken_back_instead() -> None:
    game = played(telling({"printers": [{}]}))
    game.ask_rollback("a01")
    game.play()
    assert game.states == {"a01": "rolled_back"}


def test_what_was_signed_once_does_not_hold_for_a_second_way_there() -> None:
    """Signed, taken back, its way back failed, and a person lets it go on: the successor is looked at anew."""
    game = played(telling({"printers": [{}]}))
    _declare(game, "done")
    game.play()
    back = {"from": "moved", "to": "rolling_back", "event": "roll_back", "step": "switch", "cause": "asked"}
    game.note("move.state", asset="a01", **back)
    assert not game.progress.moves[AssetId("a01")].accepted


def test_the_last_look_needs_no_window() -> None:
    """A move whose last step ended as the window closed is compared all the same: looking changes nothing."""

    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if step == "switch" and direction is Direction.DO:
            game.now = game.content.window.closes
        return telling()(asset, step, direction, nth)

    game = Game(a_wave(batches={"canary": 1}, runbook=LOOKS), choose)
    game.play()
    assert game.states == {"a01": "moved"} and game.progress.state is WaveState.HELD


def test_old_names_and_addresses_become_new_ones() -> None:
    content = a_wave(batches={"canary": 1}, runbook=replace(LOOKS, after=replace(AFTER, on="target")))
    move = content.moves[0]
    old = replace(move.machines[0], name="alt-1.stadt.example", address="10.0.0.1")
    new = replace(old, role="target", name="rz-1.stadt.example", address="10.9.0.1")
    content = replace(content, moves=(replace(move, machines=(old, new)),))
    assert content.runbook.after is not None
    machines = machines_of(content, AssetId("a01"), content.runbook.after)
    assert (
        machines.translated("alt-1 at 10.0.0.1, not alt-12 or 10.0.0.15") == "rz-1 at 10.9.0.1, not alt-12 or 10.0.0.15"
    )

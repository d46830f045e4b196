"""Taking a move back: how far, in which order, and when a person must decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inventory.model import AssetId
from orchestrator.core.lifecycle import MoveState
from orchestrator.core.progress import MoveProgress, WaveProgress, at_start
from orchestrator.core.undo import as_before, closure, left_to_undo, may_roll_back_alone, past_return, touched
from tests.orchestrator.core.builders import STEPS, a_runbook, a_wave

WAVE = a_wave(batches={"b1": 5}, groups=(("a01", "a02", "a03"),), auto_rollback_max=2)
RUNBOOK = WAVE.runbook


def a_move(**progress: Any) -> MoveProgress:
    return MoveProgress(asset=AssetId("a01"), batch="b1", **progress)


def wave_with(**moves: dict[str, Any]) -> WaveProgress:
    start = at_start(WAVE)
    changed = {AssetId(asset): replace(start.moves[AssetId(asset)], **fields) for asset, fields in moves.items()}
    return replace(start, moves={**start.moves, **changed})


def test_what_was_begun_is_undone_last_first_also_when_it_was_never_done() -> None:
    move = a_move(begun=("look", "copy", "switch"), done=("look", "copy"))
    assert [step.name for step in left_to_undo(move, RUNBOOK)] == ["switch", "copy"]


def test_a_step_without_effect_does_not_touch() -> None:
    assert not touched(a_move(begun=("look",)), RUNBOOK)
    assert touched(a_move(begun=("look", "copy")), RUNBOOK)


def test_the_point_of_no_return_counts_from_the_beginning_of_its_step() -> None:
    final = a_runbook((STEPS[0], replace(STEPS[1], no_return=True), STEPS[2]))
    assert not past_return(a_move(begun=("look",)), final)
    assert past_return(a_move(begun=("look", "copy")), final)


def test_a_step_that_is_reversible_until_another_counts_as_final_once_that_one_began() -> None:
    until = a_runbook((STEPS[0], replace(STEPS[1], reversible_until="switch"), STEPS[2]))
    assert not past_return(a_move(begun=("look", "copy")), until)
    assert past_return(a_move(begun=("look", "copy", "switch")), until)


def test_what_moves_together_goes_back_together_as_far_as_it_was_touched() -> None:
    progress = wave_with(a01={"begun": ("copy",)}, a02={"begun": ("copy",)}, a03={"begun": ("look",)})
    assert closure(WAVE, progress, AssetId("a01")) == ("a01", "a02")
    assert closure(WAVE, progress, AssetId("a04")) == ("a04",)


def test_no_more_assets_than_agreed_go_back_without_a_person() -> None:
    back = {"state": MoveState.ROLLED_BACK, "begun": ("copy",)}
    assert may_roll_back_alone(WAVE, wave_with(a04=back), AssetId("a05"))
    assert not may_roll_back_alone(WAVE, wave_with(a03=back, a04=back), AssetId("a05"))
    whole_group = {f"a0{n}": {"begun": ("copy",)} for n in (1, 2, 3)}
    assert not may_roll_back_alone(WAVE, wave_with(**whole_group), AssetId("a01"))


def test_an_asset_counts_once_against_the_limit() -> None:
    one, two = {"state": MoveState.ROLLING_BACK, "begun": ("copy",)}, {"begun": ("copy",)}
    assert may_roll_back_alone(WAVE, wave_with(a01=one, a02=two), AssetId("a02"))


def test_a_mate_behind_its_point_of_no_return_stops_the_whole_group() -> None:
    final = a_runbook((STEPS[0], STEPS[1], replace(STEPS[2], no_return=True)))
    wave = replace(WAVE, runbook=final)
    progress = wave_with(a01={"begun": ("copy",)}, a02={"begun": ("copy", "switch")})
    assert not may_roll_back_alone(wave, progress, AssetId("a01"))


def test_only_what_was_taken_back_or_never_changed_is_as_before() -> None:
    assert as_before(a_move(state=MoveState.ROLLED_BACK), RUNBOOK)
    assert as_before(a_move(state=MoveState.HELD, begun=("look",)), RUNBOOK)
    for state in MoveState:
        if state is not MoveState.ROLLED_BACK:
            assert not as_before(a_move(state=state, begun=("copy",)), RUNBOOK)

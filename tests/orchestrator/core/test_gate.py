"""The gate after each batch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.model import AssetId
from orchestrator.core.gate import allowed_bad, judge
from orchestrator.core.lifecycle import ARRIVED, MoveState
from orchestrator.core.progress import WaveProgress, at_start
from orchestrator.core.wave import WaveContent
from tests.orchestrator.core.builders import a_wave

TWO = a_wave(batches={"canary": 2, "b1": 4, "b2": 4}, batch_budget=0.25, wave_budget=0.2)


def after(content: WaveContent, *states: MoveState, begun: tuple[str, ...] = ("canary",)) -> WaveProgress:
    """The wave whose first assets are in these states; the others are moved."""
    start = at_start(content)
    given = dict(zip(start.moves, states, strict=False))
    moves = {asset: replace(move, state=given.get(asset, MoveState.MOVED)) for asset, move in start.moves.items()}
    return replace(start, moves=moves, begun=begun)


@pytest.mark.parametrize(
    ("budget", "size", "allowed"), [(0.1, 9, 0), (0.1, 10, 1), (0.2, 5, 1), (0.3, 10, 3), (0.0, 50, 0), (1.0, 7, 7)]
)
def test_a_budget_allows_its_whole_part_and_is_never_rounded_up(budget: float, size: int, allowed: int) -> None:
    assert allowed_bad(budget, size) == allowed


@pytest.mark.parametrize("state", sorted(set(MoveState) - ARRIVED))
def test_whatever_is_neither_moved_nor_retired_is_bad(state: MoveState) -> None:
    gate = judge(TWO, after(TWO, state), "canary")
    assert (gate.verdict, gate.bad, gate.allowed, gate.size) == ("red", 1, 0, 2)


def test_a_batch_within_its_budget_passes() -> None:
    gate = judge(TWO, after(TWO, *[MoveState.MOVED] * 2, MoveState.HELD, begun=("canary", "b1")), "b1")
    assert (gate.verdict, gate.bad, gate.allowed) == ("ok", 1, 1)
    assert (gate.wave_bad, gate.wave_allowed, gate.wave_size) == (1, 2, 10)


def test_the_wave_can_be_over_its_budget_while_the_batch_keeps_its_own() -> None:
    tight = replace(TWO, thresholds=replace(TWO.thresholds, batch_budget=0.5, wave_budget=0.1))
    gate = judge(tight, after(tight, MoveState.HELD, MoveState.MOVED, MoveState.HELD, begun=("canary", "b1")), "b1")
    assert (gate.bad, gate.allowed, gate.wave_bad, gate.wave_allowed, gate.verdict) == (1, 2, 2, 1, "red")


def test_batches_that_have_not_begun_are_not_bad_yet() -> None:
    progress = after(TWO, *[MoveState.MOVED] * 2, *[MoveState.PLANNED] * 8)
    assert judge(TWO, progress, "canary").verdict == "ok"


def test_the_denominator_is_the_wave_as_approved_not_what_is_left_of_it() -> None:
    progress = after(TWO, *[MoveState.ROLLED_BACK] * 2)
    assert judge(TWO, progress, "canary").wave_size == len(TWO.moves) == 10
    assert progress.moves[AssetId("a01")].state is MoveState.ROLLED_BACK

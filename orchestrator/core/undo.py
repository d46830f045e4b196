"""Taking a move back: what is left to undo, last first, and how far an automatic rollback may reach."""

from __future__ import annotations

from inventory.model import AssetId
from orchestrator.core.lifecycle import MoveState
from orchestrator.core.progress import MoveProgress, WaveProgress
from orchestrator.core.runbook import Direction, Effect, Runbook, Step
from orchestrator.core.wave import WaveContent

_GOES_BACK = (MoveState.RUNNING, MoveState.MOVED, MoveState.RETIRED, MoveState.HELD)
TAKEN_BACK = (MoveState.ROLLING_BACK, MoveState.ROLLED_BACK)
WAVE_HELD = "wave_held"
"""Cause of a move that stopped only because its wave did: it goes on when the wave does."""
HELD_BY_PERSON = "held_by_person"
"""Cause of a move that a person held: it goes on when a person wants it tried again."""
SKIPPED = "skipped"
"""Cause of a move that a person left out of its wave."""
WAITS = (WAVE_HELD, HELD_BY_PERSON)
"""Causes of a halt that decides nothing yet about those that move together with it."""


def touched(move: MoveProgress, runbook: Runbook) -> bool:
    """Whether a step that changes something was begun and not undone."""
    return any(runbook.step(name).effect is not Effect.NONE for name in move.begun)


def as_before(move: MoveProgress, runbook: Runbook) -> bool:
    """Whether it was taken back or never changed; a move that was stopped half-way is neither."""
    waiting = move.state in (MoveState.PLANNED, MoveState.HELD) and not touched(move, runbook)
    return move.state is MoveState.ROLLED_BACK or waiting


def left_to_undo(move: MoveProgress, runbook: Runbook) -> tuple[Step, ...]:
    """Steps still to be undone, last first. Begun counts, not done: a step may have failed half-way."""
    return tuple(step for step in reversed(runbook.steps) if step.has_undo and step.name in move.begun)


def past_return(move: MoveProgress, runbook: Runbook) -> bool:
    """Whether a step behind which nothing is undone by itself was begun."""
    steps = [runbook.step(name) for name in move.begun]
    return any(step.no_return or step.reversible_until in move.begun for step in steps)


def closure(content: WaveContent, progress: WaveProgress, asset: AssetId) -> tuple[AssetId, ...]:
    """Assets that must go back when this one does: those of its move group that were touched, itself included."""
    group = content.group_of(asset)
    return tuple(
        one
        for one in group
        if one == asset or touched(progress.moves[one], content.runbook) or progress.moves[one].state in TAKEN_BACK
    )


def group_stays(content: WaveContent, progress: WaveProgress, asset: AssetId) -> bool:
    """Whether one that it moves together with stays behind or goes back: it must not go on without it."""
    mates = (progress.moves[one] for one in content.group_of(asset) if one != asset)
    return any(one.state in TAKEN_BACK or (one.state is MoveState.HELD and one.cause not in WAITS) for one in mates)


def mates_to_take_back(content: WaveContent, progress: WaveProgress, asset: AssetId) -> tuple[MoveProgress, ...]:
    """The others of its group that were touched and stand where they can go back from."""
    mates = (progress.moves[one] for one in closure(content, progress, asset) if one != asset)
    return tuple(mate for mate in mates if mate.state in _GOES_BACK)


def may_roll_back_alone(content: WaveContent, progress: WaveProgress, asset: AssetId) -> bool:
    """Whether Kahn may take this asset's group back without a person (engine section A9).

    No more than ``auto_rollback_max`` assets of the wave go back automatically, and none past its point of no return.
    """
    back = closure(content, progress, asset)
    if any(past_return(progress.moves[one], content.runbook) for one in back):
        return False
    already = {one for one, move in progress.moves.items() if move.state in TAKEN_BACK}
    return len(already.union(back)) <= content.thresholds.auto_rollback_max


def proven(move: MoveProgress) -> bool:
    """Whether the comparison shows the asset as it was: both digests must be the one in the journal."""
    if move.last is None or move.last.direction is not Direction.COMPARE or move.last.outcome != "done":
        return False
    kahn = move.last.evidence.get("kahn", {})
    return bool(move.baseline) and kahn.get("baseline") == move.baseline == kahn.get("now")

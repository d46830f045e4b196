"""The gate after each batch: counts everything that has not arrived as bad, over sizes frozen at the start."""

from __future__ import annotations

from orchestrator.core.lifecycle import ARRIVED, MoveState
from orchestrator.core.progress import GateRecord, MoveProgress, WaveProgress
from orchestrator.core.undo import SKIPPED
from orchestrator.core.wave import WaveContent


def allowed_bad(budget: float, size: int) -> int:
    """How many of ``size`` may go wrong: the whole part of the budget, never rounded up."""
    return int(budget * size + 1e-9)


def _is_bad(move: MoveProgress) -> bool:
    left_out = move.state is MoveState.HELD and move.cause == SKIPPED and move.attempts == 0
    return move.state not in ARRIVED and not left_out


def judge(content: WaveContent, progress: WaveProgress, batch: str) -> GateRecord:
    """The verdict on a settled batch: ok only when batch and wave both keep their budgets (engine section A9).

    Bad is whatever is neither moved nor retired: failed, unreachable, not started, unknown, held, rolled back. It fails
    closed. Only what a person left out before anything was done to it is not counted as bad.
    """
    members = [move for move in progress.moves.values() if move.batch == batch]
    seen = [move for move in progress.moves.values() if move.batch in (*progress.begun, batch)]
    bad = sum(map(_is_bad, members))
    wave_bad = sum(map(_is_bad, seen))
    size, wave_size = len(members), len(progress.moves)
    allowed = allowed_bad(content.thresholds.batch_budget, size)
    wave_allowed = allowed_bad(content.thresholds.wave_budget, wave_size)
    within = bad <= allowed and wave_bad <= wave_allowed
    return GateRecord(
        batch=batch,
        verdict="ok" if within else "red",
        bad=bad,
        allowed=allowed,
        size=size,
        wave_bad=wave_bad,
        wave_allowed=wave_allowed,
        wave_size=wave_size,
    )

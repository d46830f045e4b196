"""Breakers: signs of a common cause for which a wave holds itself at once, before single failures are judged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from inventory.model import AssetId
from orchestrator.core.progress import MoveProgress, WaveProgress
from orchestrator.core.results import UNREACHABLE
from orchestrator.core.surroundings import Surroundings
from orchestrator.core.wave import WaveContent

JUST_NOW = timedelta(seconds=60)
"""Attempts that ended within this time are judged together for reachability."""
LEAST_UNREACHABLE = 3
"""Fewer machines that do not answer are single failures, whatever their share."""


def common_faults(progress: WaveProgress) -> Mapping[tuple[str, str], tuple[AssetId, ...]]:
    """Assets by the step and cause of what went wrong with them since a person last let the wave go on."""
    found: dict[tuple[str, str], list[AssetId]] = {}
    for move in progress.moves.values():
        if move.fault:
            found.setdefault(move.fault, []).append(move.asset)
    return {signature: tuple(assets) for signature, assets in found.items()}


def breaker(content: WaveContent, progress: WaveProgress, around: Surroundings, now: datetime) -> str:
    """Why the wave must hold itself; empty when nothing speaks against going on. The first that holds counts."""
    if around.clock_jump_s:
        return "clock_jumped"
    if around.frozen:
        return "frozen"
    if around.full:
        return "disk_low"
    if mass_unreachable(content, progress, now):
        return "mass_unreachable"
    limit = content.thresholds.same_error_max
    if limit and any(len(assets) >= limit for assets in common_faults(progress).values()):
        return "same_error"
    return ""


def mass_unreachable(content: WaveContent, progress: WaveProgress, now: datetime) -> bool:
    """Whether so many machines fell silent at once that the line is to blame, not they."""
    batch = progress.begun[-1] if progress.begun else ""
    members = [move for move in progress.moves.values() if move.batch == batch]
    silent = sum(_fell_silent(move, now) for move in members)
    return silent >= LEAST_UNREACHABLE and silent >= content.thresholds.unreachable_share * len(members)


def _fell_silent(move: MoveProgress, now: datetime) -> bool:
    just_now = move.heard_at is not None and now - move.heard_at <= JUST_NOW
    return just_now and move.fault is not None and move.fault[1].startswith(UNREACHABLE)

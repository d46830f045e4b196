"""Bounds that need no solver: what no plan with as many assets can be below, whatever it does."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.constraints import Level
from orchestrator.core.planner.problem import SCALE, Problem
from orchestrator.core.planner.state import NOWHERE


def plain_bounds(problem: Problem, window_of: Sequence[int]) -> dict[Level, float]:
    """Bounds of single levels: nothing is below 0, which is worth saying where 0 was reached; and the last window."""
    placed = [unit for unit, window in enumerate(window_of) if window != NOWHERE]
    if not placed:
        return {}
    none = dict.fromkeys((Level.EXPOSURE, Level.BRIDGES, Level.RISK, Level.CHANGES), 0.0)
    assets = sum(problem.units[unit].size for unit in placed)
    last = _last_needed(problem, placed, assets)
    return {
        **none,
        Level.FINISH: float(problem.calendars[1][last] - problem.day_zero),
    }


def _last_needed(problem: Problem, placed: Sequence[int], assets: int) -> int:
    """No plan ends before this window: so many are needed for all assets, and each unit has a first one of its own."""
    open_to = [_from_start(problem, unit) for unit in placed]
    anywhere = 0
    for mask in open_to:
        anywhere |= mask
    capacity = problem.rows[0].limits[0] // SCALE
    wanted = -(-assets // capacity)
    used, window = 0, NOWHERE
    while used < wanted and anywhere >> (window + 1):
        window += 1
        used += anywhere >> window & 1
    firsts = (_lowest(mask) for mask in open_to)
    return max(window, *firsts)


def _from_start(problem: Problem, unit: int) -> int:
    """The windows that its own rules leave open, as a mask."""
    facts = problem.units[unit]
    mask = facts.mask >> facts.start << facts.start
    leads = mask
    for number in facts.leads:
        leads &= problem.bans[number].allowed
    return leads | (mask & (1 << facts.old) if facts.old != NOWHERE else 0)


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1

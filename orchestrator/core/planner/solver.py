"""What a solver is asked beside the search by small steps, and what it answers. The solver itself is an outer thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestrator.core.constraints import Level
from orchestrator.core.planner.problem import Facts, Problem

MOST_PLACES = 12_000
"""Pairs of unit and window up to which a question goes to a solver."""
SPARE_WINDOWS = 6
"""Windows after the last one used that a solver may use as well, where all of them would be too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Windows for units, and the proven bounds by level: each counts with what was reached on the levels before."""

    windows: tuple[int, ...]
    bounds: Mapping[Level, float] = field(default_factory=dict)


class Solver(Protocol):
    """Anything that finds better windows than those it starts from, or proves that there are none."""

    def solve(self, question: Mapping[str, Any]) -> Answer | None:
        """The best it found; None when it found nothing or gave up. The same question gives the same answer."""
        ...


def question_of(problem: Problem, start: Sequence[int], *, kept: frozenset[int], seed: int) -> dict[str, Any] | None:
    """The whole question in plain values; None when it is too large for a solver.

    ``whole`` says whether every window is in it: else a bound would be one of the windows asked about only.
    """
    lasts = (problem.width, max(start, default=-1) + SPARE_WINDOWS)
    last = next((last for last in lasts if 0 < _places(problem, last=last) <= MOST_PLACES), None)
    if last is None:
        return None
    units = [_unit(problem, number, start, kept=number in kept, last=last) for number in range(len(problem.units))]
    weighted = {str(level): weight for level, weight in problem.weights}
    rest = [str(level) for level in problem.objective if str(level) not in weighted]
    return {
        "units": units,
        "start": list(start),
        "opens_h": problem.opens_h,
        "calendars": problem.calendars,
        "rows": [row._asdict() for row in problem.rows],
        "stocks": [stock._asdict() for stock in problem.stocks],
        "barriers": [barrier._asdict() for barrier in problem.barriers],
        "needs": problem.needs,
        "edges": [list(edge) for edge in problem.edges],
        "objective": [*(["weighted"] if weighted else []), *rest],
        "weights": weighted,
        "day_zero": problem.day_zero,
        "seed": seed,
        "effort": float(problem.search),
        "whole": last == lasts[0],
    }


def _places(problem: Problem, *, last: int) -> int:
    """Pairs of unit and window, a few too many at most."""
    reach = (1 << min(problem.width, last + 1)) - 1
    return sum((facts.mask & reach).bit_count() for facts in problem.units)


def _unit(problem: Problem, number: int, start: Sequence[int], *, kept: bool, last: int) -> dict[str, Any]:
    facts = problem.units[number]
    if kept or facts.fixed >= 0:
        windows = [start[number]] if start[number] >= 0 else []
    else:
        windows = [w for w in range(min(problem.width, last + 1)) if _allowed(problem, facts, w)]
    return {
        "windows": windows,
        "size": facts.size,
        "runbook": facts.runbook,
        "rows": facts.rows,
        "stocks": facts.stocks,
        "sides": facts.sides,
        "not_with": facts.not_with,
        "critical": facts.critical,
        "olds": facts.olds,
        "planned_before": facts.planned_before,
    }


def _allowed(problem: Problem, facts: Facts, window: int) -> bool:
    if window < facts.start or not facts.mask >> window & 1:
        return False
    leads = facts.leads if window != facts.old else ()
    own = set(facts.sides)
    if any((rule, 1 - side) in own for rule, side in facts.sides):
        return False
    return all(problem.bans[number].allowed >> window & 1 for number in leads)

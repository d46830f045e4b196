"""What windows for units come to on each level of the objective, as a whole and for one step."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.constraints import Level
from orchestrator.core.planner.problem import Facts, Problem
from orchestrator.core.planner.state import NOWHERE, State

Values = tuple[float, ...]
"""One number a level, the most important first; smaller is better."""


def levels_of(problem: Problem) -> tuple[Level, ...]:
    """The levels, those with a weight first."""
    weighted = [level for level, _ in problem.weights]
    return (*weighted, *(level for level in problem.objective if level not in weighted))


def changes_of(facts: Facts, window: int) -> int:
    """How many assets of a unit change their window there."""
    return facts.planned_before - sum(count for old, count in facts.olds if old == window)


def values_of(problem: Problem, window_of: Sequence[int]) -> dict[Level, float]:
    """Every level of units in windows (NOWHERE for those in none)."""
    placed = [(unit, window) for unit, window in enumerate(window_of) if window != NOWHERE]
    assets: dict[int, int] = {}
    critical: dict[int, int] = {}
    for unit, window in placed:
        assets[window] = assets.get(window, 0) + problem.units[unit].size
        critical[window] = critical.get(window, 0) + problem.units[unit].critical
    exposure = bridges = 0.0
    for edge in problem.edges:
        one, other = window_of[edge.one], window_of[edge.other]
        if NOWHERE not in (one, other) and one != other:
            exposure += edge.users * abs(problem.opens_h[one] - problem.opens_h[other])
            bridges += edge.price
    last = max(assets, default=0)
    return {
        Level.EXPOSURE: round(exposure, 6),
        Level.BRIDGES: round(bridges, 6),
        Level.RISK: float(sum(critical[window] for window in {min(assets), last})) if assets else 0.0,
        Level.FINISH: float(problem.calendars[1][last] - problem.day_zero) if assets else 0.0,
        Level.EVENNESS: float(sum(count * count for count in assets.values())),
        Level.CHANGES: float(sum(changes_of(problem.units[unit], window) for unit, window in placed)),
    }


def ranked(problem: Problem, values: dict[Level, float]) -> Values:
    """The numbers to compare two plans by: the weighted sum, where there are weights, then level by level."""
    weighted = dict(problem.weights)
    rest = tuple(values[level] for level in problem.objective if level not in weighted)
    if not weighted:
        return rest
    return (sum(weight * values[level] for level, weight in weighted.items()), *rest)


class Scales:
    """What a step changes, without weighing the whole plan anew."""

    def __init__(self, problem: Problem, state: State) -> None:
        self._problem, self._state = problem, state
        self.near: list[list[tuple[int, float, int]]] = [[] for _ in problem.units]
        for edge in problem.edges:
            self.near[edge.one].append((edge.other, edge.price, edge.users))
            self.near[edge.other].append((edge.one, edge.price, edge.users))
        self._critical = [0] * problem.width
        for unit, window in enumerate(state.window_of):
            if window != NOWHERE:
                self._critical[window] += problem.units[unit].critical
        self._asked = {*problem.objective, *(level for level, _ in problem.weights)}

    def step(self, unit: int, window: int) -> Values:
        """What changes, level by level, when the unit goes from where it stands to that window."""
        here, facts = self._state.window_of[unit], self._problem.units[unit]
        if window == here:
            return ranked(self._problem, dict.fromkeys(Level, 0.0))
        exposure, bridges = self._cuts(unit, here, window)
        changed = dict.fromkeys(Level, 0.0)
        changed[Level.EXPOSURE], changed[Level.BRIDGES] = exposure, bridges
        there, size = self._state.assets_in, facts.size
        changed[Level.EVENNESS] = float(2 * size * (there[window] - there[here] + size))
        changed[Level.CHANGES] = float(changes_of(facts, window) - changes_of(facts, here))
        if Level.RISK in self._asked or Level.FINISH in self._asked:
            self._ends(changed, unit, here, window)
        return ranked(self._problem, changed)

    def moved(self, unit: int, here: int, window: int) -> None:
        """Keep count of a step that was made."""
        self._critical[here] -= self._problem.units[unit].critical
        self._critical[window] += self._problem.units[unit].critical

    def _cuts(self, unit: int, here: int, window: int) -> tuple[float, float]:
        opens, window_of = self._problem.opens_h, self._state.window_of
        exposure = bridges = 0.0
        for other, price, users in self.near[unit]:
            place = window_of[other]
            if place == NOWHERE:
                continue
            exposure += users * (abs(opens[window] - opens[place]) - abs(opens[here] - opens[place]))
            bridges += price * ((window != place) - (here != place))
        return exposure, bridges

    def _ends(self, changed: dict[Level, float], unit: int, here: int, window: int) -> None:
        state, facts = self._state, self._problem.units[unit]
        first, last = state.ends()
        empties = state.units_in[here] == 1
        if not empties and first <= window <= last and here not in (first, last) and window not in (first, last):
            return
        critical = facts.critical
        now = self._critical[first] + (self._critical[last] if last != first else 0)
        new_first, new_last = state.ends(without=here if empties else NOWHERE, with_=window)
        after = sum(self._critical[end] + critical * ((end == window) - (end == here)) for end in {new_first, new_last})
        days = self._problem.calendars[1]
        changed[Level.RISK] = float(after - now)
        changed[Level.FINISH] = float(days[new_last] - days[last])

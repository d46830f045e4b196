"""First fit: units in a fixed order, each into the first window that every rule allows. Fast, plain, repeatable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inventory.dependencies import Structure
from orchestrator.core.planner.draft import Unit
from orchestrator.core.planner.problem import Facts, Problem
from orchestrator.core.planner.room import Room
from orchestrator.core.planner.state import NOWHERE, State


def placed_first_fit(problem: Problem, units: Sequence[Unit], structure: Structure) -> State:
    """Pins first; then what can stay where the plan before had it; then layer by layer, each into the first window.

    Nothing goes before what it needs where that can be had.
    """
    finder = _Finder(problem)
    placed: dict[int, int] = {}
    floors = Floors(structure)
    early, later = _in_turn(problem, units)
    for number in early:
        finder.place(number, finder.found(number, 0), part=units[number].part, placed=placed)
    for number in kept_of(problem):
        if finder.state.block(number, problem.units[number].old) is None:
            finder.place(number, problem.units[number].old, part=units[number].part, placed=placed)
    for number in later:
        if finder.state.window_of[number] == NOWHERE:
            free = problem.needs_first and not units[number].pinned
            floor = floors.of(units[number].part, placed) if free else 0
            finder.place(number, finder.found(number, floor), part=units[number].part, placed=placed)
    return finder.state


def kept_of(problem: Problem) -> list[int]:
    """Units that were together in one wave of the plan before whose window is still there, and that are not pinned."""
    if not problem.stay:
        return []
    found = [n for n, one in enumerate(problem.units) if one.old != NOWHERE and one.fixed == NOWHERE]
    return sorted(found, key=lambda n: problem.units[n].phase)


def _in_turn(problem: Problem, units: Sequence[Unit]) -> tuple[list[int], list[int]]:
    """Pinned ones, unless a hard rule puts others before them; then the rest by such rules, then by rank."""
    early = [n for n, unit in enumerate(units) if unit.pinned and not problem.units[n].phase]
    early.sort(key=lambda n: (units[n].window is None, units[n].rank))
    later = set(range(len(units))) - set(early)
    return early, sorted(later, key=lambda n: (problem.units[n].phase, units[n].rank))


class _Finder:
    """The first window for a unit. While units are only added, a window that was shut stays shut for its like."""

    def __init__(self, problem: Problem) -> None:
        self._problem, self.state = problem, State(problem)
        runbooks = sorted({str(one.runbook) for one in problem.units})
        capacity = problem.rows[0].limits[0] if problem.rows else 0
        self._room = Room(windows=problem.width, capacity=capacity, runbooks=runbooks)
        self._shut: dict[object, list[int]] = {}

    def found(self, unit: int, floor: int) -> int:
        """The window it is pinned to, or the first one from ``floor`` on, that nothing forbids; else NOWHERE."""
        facts = self._problem.units[unit]
        if facts.fixed >= 0:
            return facts.fixed if self.state.block(unit, facts.fixed) is None else NOWHERE
        return self._first(unit, facts, max(facts.start, floor))

    def _first(self, unit: int, facts: Facts, start: int) -> int:
        size, runbook = facts.rows[0][1], str(facts.runbook)
        shut = self._shut.setdefault(_likeness(unit, facts), list(range(self._problem.width + 1)))
        window = start
        while True:
            found = self._room.first(runbook=runbook, size=size, start=window)
            if found is None:
                return NOWHERE
            window = _next_open(shut, found)
            if window >= self._problem.width:
                return NOWHERE
            if window != found:
                continue
            if self.state.block(unit, window) is None:
                return window
            shut[window] = window + 1
            window += 1

    def place(self, unit: int, window: int, *, part: int, placed: dict[int, int]) -> None:
        """Put the unit there, and its part on record; nothing when there is no window."""
        if window != NOWHERE:
            facts = self._problem.units[unit]
            self.state.add(unit, window)
            self._room.take(runbook=str(facts.runbook), size=facts.rows[0][1], window=window)
            placed[part] = window


def _likeness(unit: int, facts: Facts) -> object:
    """Units of the same likeness are kept out of the same windows."""
    own = unit if facts.not_with or facts.leads else -1
    return own, facts.runbook, facts.bans, facts.rows, facts.stocks, facts.sides, facts.before, facts.after, facts.start


def _next_open(shut: list[int], window: int) -> int:
    """The first window from here that is not known to be shut; paths are halved on the way."""
    while shut[window] != window:
        shut[window] = shut[shut[window]]
        window = shut[window]
    return window


class Floors:
    """The earliest window for a part: that of the last thing it needs, directly or through what does not move."""

    def __init__(self, structure: Structure) -> None:
        self._parts = structure.parts
        self._known: dict[int, int] = {}

    def of(self, part: int, placed: Mapping[int, int]) -> int:
        """What is not placed yet counts with its own floor. Without recursion: chains can be long."""
        waiting = [part]
        while waiting:
            if waiting[-1] in self._known:
                waiting.pop()
                continue
            needs = self._parts[waiting[-1]].needs
            open_needs = [need for need in needs if need not in placed and need not in self._known]
            if open_needs:
                waiting.extend(open_needs)
            else:
                done = waiting.pop()
                self._known[done] = max((placed.get(need, self._known.get(need, 0)) for need in needs), default=0)
        return self._known[part]

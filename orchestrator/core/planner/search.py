"""A better plan by small steps: units to where their neighbours are, alone or in exchange. Repeatable, no dice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.core.planner.judge import Scales, Values
from orchestrator.core.planner.problem import Problem
from orchestrator.core.planner.state import NOWHERE, State

TARGETS = 6
"""Windows that are tried for one unit in one round."""
PARTNERS = 12
"""Units that are tried for an exchange in one window."""
NOTHING = 1e-9


class Search:
    """Steps from one plan that holds every rule to better ones that do as well."""

    def __init__(self, problem: Problem, state: State, *, kept: frozenset[int] = frozenset()) -> None:
        self._problem, self._state = problem, state
        self._scales = Scales(problem, state)
        self._free = [
            unit
            for unit, facts in enumerate(problem.units)
            if facts.fixed < 0 and unit not in kept and state.window_of[unit] != NOWHERE
        ]
        self._is_free = [False] * len(problem.units)
        for unit in self._free:
            self._is_free[unit] = True
        self._members: list[list[int]] = [[] for _ in range(problem.width)]
        for unit, window in enumerate(state.window_of):
            if window != NOWHERE:
                self._members[window].append(unit)
        self._needs, self._users = problem.needs, _turned(problem.needs, len(problem.units))

    def improve(self, rounds: int) -> int:
        """Up to so many rounds over all units; how many steps were made."""
        made = 0
        for _ in range(rounds):
            steps = sum(self._better(unit) for unit in self._free)
            made += steps
            if not steps:
                break
        return made

    def _better(self, unit: int) -> bool:
        """Make the best single step of one unit, or else the first exchange that helps."""
        best: tuple[Values, int] | None = None
        shut: list[int] = []
        for window in self._targets(unit):
            change = self._scales.step(unit, window)
            if not _helps(change) or not self._is_in_order(unit, window):
                continue
            if not self._may(unit, window):
                shut.append(window)
            elif best is None or change < best[0]:
                best = change, window
        if best is not None:
            self._move(unit, best[1])
            return True
        return any(self._exchanged(unit, window) for window in shut)

    def _targets(self, unit: int) -> list[int]:
        """Windows of its neighbours, those with the heaviest ties first; then the next to its own."""
        state, pull = self._state, dict[int, float]()
        here = state.window_of[unit]
        for other, price, users in self._scales.near[unit]:
            window = state.window_of[other]
            if window not in (NOWHERE, here):
                pull[window] = pull.get(window, 0.0) + price + users
        found = sorted(pull, key=lambda window: (-pull[window], window))[:TARGETS]
        found += [old for old, _ in self._problem.units[unit].olds if old not in (here, NOWHERE)]
        if not self._scales.near[unit]:
            first, last = state.ends()
            found += [window for window in (here - 1, here + 1) if first <= window <= last]
        return list(dict.fromkeys(found))

    def _may(self, unit: int, window: int) -> bool:
        here = self._state.remove(unit)
        may = self._state.block(unit, window) is None
        self._state.add(unit, here)
        return may

    def _is_in_order(self, unit: int, window: int) -> bool:
        """Whether its needs are no later and its users no earlier; what was out of order before may stay so."""
        window_of, here = self._state.window_of, self._state.window_of[unit]
        for other in self._needs[unit] if self._needs else ():
            if window < window_of[other] and window < here:
                return False
        for other in self._users[unit] if self._needs else ():
            if NOWHERE != window_of[other] < window and window > here:
                return False
        return True

    def _exchanged(self, unit: int, window: int) -> bool:
        size = self._problem.units[unit].size
        tried = 0
        for other in self._partners(window):
            if self._problem.units[other].size != size or not self._is_free[other]:
                continue
            tried += 1
            if tried > PARTNERS:
                return False
            if self._may_exchange(unit, other) and self._try(unit, other):
                return True
        return False

    def _may_exchange(self, unit: int, other: int) -> bool:
        """Whether all needs stay in order; two of which one needs the other would change theirs."""
        here, there = self._state.window_of[unit], self._state.window_of[other]
        if not self._is_in_order(unit, there) or not self._is_in_order(other, here):
            return False
        return not self._needs or (other not in self._needs[unit] and unit not in self._needs[other])

    def _partners(self, window: int) -> Iterator[int]:
        """Members of a window, those with the fewest ties first."""
        near, window_of = self._scales.near, self._state.window_of
        ties = [
            (sum(price for other, price, _ in near[unit] if window_of[other] == window), unit)
            for unit in self._members[window]
        ]
        return (unit for _, unit in sorted(ties)[: 3 * PARTNERS])

    def _try(self, unit: int, other: int) -> bool:
        """Exchange two units if no rule is broken and the plan gets better; else all is as before."""
        state = self._state
        here, there = state.window_of[unit], state.window_of[other]
        first = self._scales.step(unit, there)
        state.remove(unit)
        state.remove(other)
        if state.block(unit, there) is None:
            state.add(unit, there)
            if state.block(other, here) is None:
                state.add(other, there)
                self._scales.moved(unit, here, there)
                second = self._scales.step(other, here)
                self._scales.moved(unit, there, here)
                state.remove(other)
                change = tuple(one + two for one, two in zip(first, second, strict=True))
                if _helps(change):
                    state.add(other, here)
                    self._moved(unit, here, there)
                    self._moved(other, there, here)
                    return True
            state.remove(unit)
        state.add(unit, here)
        state.add(other, there)
        return False

    def _move(self, unit: int, window: int) -> None:
        here = self._state.remove(unit)
        self._state.add(unit, window)
        self._moved(unit, here, window)

    def _moved(self, unit: int, here: int, window: int) -> None:
        self._scales.moved(unit, here, window)
        self._members[here].remove(unit)
        self._members[window].append(unit)


def _helps(change: Values) -> bool:
    """Whether the first level that changes gets smaller."""
    first = next((one for one in change if abs(one) > NOTHING), 0.0)
    return first < 0


def _turned(needs: Sequence[Sequence[int]], size: int) -> list[list[int]]:
    users: list[list[int]] = [[] for _ in range(size if needs else 0)]
    for unit, wanted in enumerate(needs):
        for other in wanted:
            users[other].append(unit)
    return users

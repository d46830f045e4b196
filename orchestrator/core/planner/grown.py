"""A start that follows ties: whole clusters into windows that they fill, large ones grown piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

import rustworkx as rx

from orchestrator.core.planner.problem import SCALE, Problem
from orchestrator.core.planner.state import NOWHERE, State

PATIENCE = 200
"""Units that may be shut out of one window in a row before the next window is tried."""


def placed_by_ties(problem: Problem, ranks: Sequence[object]) -> State:
    """A state in which tied units share windows as far as rules and room allow; what found no window is left out.

    ``ranks`` gives each unit its place where ties do not decide.
    """
    return _Grower(problem, ranks).grown()


class _Grower:
    def __init__(self, problem: Problem, ranks: Sequence[object]) -> None:
        self._problem, self.state = problem, State(problem)
        order = sorted(range(len(problem.units)), key=lambda unit: (problem.units[unit].phase, ranks[unit]))
        self._turn = {unit: number for number, unit in enumerate(order)}
        self._near: list[list[tuple[int, float]]] = [[] for _ in problem.units]
        for edge in problem.edges:
            self._near[edge.one].append((edge.other, edge.price))
            self._near[edge.other].append((edge.one, edge.price))
        self._users: list[list[int]] = [[] for _ in problem.units]
        self._open_needs = [0] * len(problem.units)
        for unit, needs in enumerate(problem.needs):
            self._open_needs[unit] = len(needs)
            for need in needs:
                self._users[need].append(unit)
        self._room = problem.rows[0].limits[0] // SCALE if problem.rows else 0
        self._ready: list[tuple[int, int]] = []

    def grown(self) -> State:
        """Pins, then window after window: clusters that fill it, then pieces of large ones."""
        for unit in sorted(self._turn, key=lambda one: self._turn[one]):
            fixed = self._problem.units[unit].fixed
            if fixed != NOWHERE and self.state.block(unit, fixed) is None:
                self._put(unit, fixed)
        small, large = self._clusters()
        for unit in large:
            if not self._open_needs[unit]:
                heappush(self._ready, (self._turn[unit], unit))
        self._large = set(large)
        for window in range(self._problem.width):
            self._fill(window, small)
            self._grow(window)
            if not small and not self._large:
                break
        return self.state

    def _clusters(self) -> tuple[dict[int, list[list[int]]], list[int]]:
        """Clusters that fit into a window by size, those in turn first; and the units of the larger ones."""
        graph: rx.PyGraph[None, None] = rx.PyGraph(multigraph=True)
        graph.add_nodes_from([None] * len(self._problem.units))
        graph.add_edges_from_no_data([(edge.one, edge.other) for edge in self._problem.edges])
        graph.add_edges_from_no_data([(unit, need) for unit, needs in enumerate(self._problem.needs) for need in needs])
        small: dict[int, list[list[int]]] = {}
        large: list[int] = []
        for nodes in rx.connected_components(graph):
            members = sorted((n for n in nodes if self._is_waiting(n)), key=lambda one: self._turn[one])
            size = sum(self._problem.units[unit].size for unit in members)
            if size > self._room:
                large += members
            elif members:
                small.setdefault(size, []).append(members)
        for clusters in small.values():
            clusters.sort(key=lambda members: self._turn[members[0]], reverse=True)
        return small, large

    def _is_waiting(self, unit: int) -> bool:
        return self.state.window_of[unit] == NOWHERE and self._problem.units[unit].fixed == NOWHERE

    def _put(self, unit: int, window: int) -> None:
        self.state.add(unit, window)
        for user in self._users[unit]:
            self._open_needs[user] -= 1

    # ----------------------------------------------------------------------- whole clusters

    def _fill(self, window: int, small: dict[int, list[list[int]]]) -> None:
        """Clusters whose sizes add up best to the room that is left."""
        for size in _best_sizes({size: len(found) for size, found in small.items()}, self._left(window)):
            clusters = small[size]
            for place in range(len(clusters) - 1, max(-1, len(clusters) - 1 - PATIENCE), -1):
                if self._put_whole(clusters[place], window):
                    del clusters[place]
                    break
            if not clusters:
                del small[size]

    def _left(self, window: int) -> int:
        return self._room - self.state.assets_in[window]

    def _put_whole(self, members: Sequence[int], window: int) -> bool:
        """All of a cluster, or none of it."""
        done: list[int] = []
        for unit in members:
            if self.state.block(unit, window) is not None:
                for one in done:
                    self.state.remove(one)
                return False
            self.state.add(unit, window)
            done.append(unit)
        for unit in done:
            for user in self._users[unit]:
                self._open_needs[user] -= 1
        return True

    # ----------------------------------------------------------------------- pieces of large ones

    def _grow(self, window: int) -> None:
        """From the first unit in turn to whatever is tied most to what is in the window already."""
        if not self._large or self._left(window) <= 0:
            return
        pull: dict[int, float] = {}
        frontier: list[tuple[float, int, int]] = []
        shut: list[tuple[int, int]] = []
        set_aside: set[int] = set()
        while self._left(window) > 0 and len(shut) < PATIENCE:
            unit = self._next(frontier, pull, set_aside)
            if unit is None:
                break
            if self.state.block(unit, window) is not None:
                set_aside.add(unit)
                shut.append((self._turn[unit], unit))
                continue
            self._put(unit, window)
            self._large.discard(unit)
            for other, price in self._near[unit]:
                if other in self._large:
                    pull[other] = pull.get(other, 0.0) + price
                    if not self._open_needs[other]:
                        heappush(frontier, (-pull[other], self._turn[other], other))
            self._free(unit, pull, frontier)
        for entry in shut:
            heappush(self._ready, entry)

    def _free(self, unit: int, pull: dict[int, float], frontier: list[tuple[float, int, int]]) -> None:
        """Users of the unit whose last open need it was may go now."""
        for user in self._users[unit]:
            if not self._open_needs[user] and user in self._large:
                heappush(self._ready, (self._turn[user], user))
                if user in pull:
                    heappush(frontier, (-pull[user], self._turn[user], user))

    def _next(self, frontier: list[tuple[float, int, int]], pull: dict[int, float], set_aside: set[int]) -> int | None:
        while frontier:
            weight, _turn, unit = heappop(frontier)
            if unit in self._large and unit not in set_aside and -weight == pull[unit]:
                return unit
        while self._ready:
            _turn, unit = heappop(self._ready)
            if unit in self._large and unit not in set_aside:
                return unit
        return None


def _best_sizes(count: dict[int, int], room: int) -> Iterator[int]:
    """Sizes, large ones first, of which no other choice adds up to more within the room."""
    reached: dict[int, tuple[int, int]] = {0: (0, 0)}
    for size in sorted(count, reverse=True):
        if size > room:
            continue
        for total in sorted(reached):
            for number in range(1, min(count[size], (room - total) // size) + 1):
                if total + number * size in reached:
                    break
                reached[total + number * size] = (size, number)
        if room in reached:
            break
    total = max(reached)
    while total:
        size, number = reached[total]
        yield from [size] * number
        total -= size * number

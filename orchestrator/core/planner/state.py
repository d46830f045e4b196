"""Which unit stands in which window, and whether another may: every hard rule kept as counts, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.core.planner.problem import Problem

NOWHERE = -1


class Block(NamedTuple):
    """The rule that keeps a unit out of a window, and which one of its kind."""

    rule: str
    name: str = ""


class _Ends:
    """Windows at one side of a barrier, with the first and last of them."""

    __slots__ = ("count", "first", "last")

    def __init__(self) -> None:
        self.count: dict[int, int] = {}
        self.first: int | None = None
        self.last: int | None = None

    def add(self, window: int) -> None:
        """One more unit there."""
        self.count[window] = self.count.get(window, 0) + 1
        self.first = window if self.first is None else min(self.first, window)
        self.last = window if self.last is None else max(self.last, window)

    def remove(self, window: int) -> None:
        """One less."""
        self.count[window] -= 1
        if not self.count[window]:
            del self.count[window]
            if window in (self.first, self.last):
                self.first, self.last = min(self.count, default=None), max(self.count, default=None)


class State:
    """Units in windows. ``window_of[u]`` is NOWHERE until it is placed."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.window_of = [NOWHERE] * len(problem.units)
        self.units_in = [0] * problem.width
        self.assets_in = [0] * problem.width
        self._first, self._last = problem.width, NOWHERE
        self._runbook = [-1] * problem.width
        self._used: list[dict[int, int]] = [dict(row.taken) for row in problem.rows]
        self._drawn = [[0] * len(stock.delivered) for stock in problem.stocks]
        self._sides: list[dict[int, list[int]]] = [{} for _ in problem.aparts]
        self._before = [_Ends() for _ in problem.barriers]
        self._after = [_Ends() for _ in problem.barriers]
        self._placed_before = [0] * len(problem.barriers)
        self._days = problem.calendars[1]
        self._limit_by_period = [len(row.limits) > 1 for row in problem.rows]
        self._torn = {
            unit: barrier.name
            for barrier in problem.barriers
            if not barrier.complete
            for unit in set(barrier.before) & set(barrier.after)
        }

    def block(self, unit: int, window: int) -> Block | None:
        """The first rule that keeps the unit out of the window; None when it may go there."""
        facts = self.problem.units[unit]
        if window < facts.start or not facts.mask >> window & 1 or (facts.leads and window != facts.old):
            found = self._calendar_block(unit, window)
            if found is not None:
                return found
        if self.units_in[window] and self._runbook[window] != facts.runbook:
            return Block("window_full", "runbook")
        return (
            self._row_block(unit, window)
            or (self._stock_block(unit, window) if facts.stocks else None)
            or (self._company_block(unit, window) if facts.sides or facts.not_with else None)
            or (self._barrier_block(unit, window) if facts.before or facts.after else None)
        )

    def every_block(self, unit: int, window: int) -> Iterator[Block]:
        """Every rule that keeps the unit out of the window; of those about other units the first one."""
        facts, problem = self.problem.units[unit], self.problem
        if window < facts.start:
            yield Block("pinned_not_before")
        for number in (*facts.bans, *(facts.leads if window != facts.old else ())):
            if not problem.bans[number].allowed >> window & 1:
                yield Block(problem.bans[number].rule, problem.bans[number].name)
        if self.units_in[window] and self._runbook[window] != facts.runbook:
            yield Block("window_full", "runbook")
        for number, amount in facts.rows:
            row = problem.rows[number]
            period = problem.calendars[row.calendar][window]
            limit = row.limits[period] if self._limit_by_period[number] else row.limits[0]
            if self._used[number].get(period, 0) + amount > limit:
                yield Block(row.rule, row.name)
        looks = (self._stock_block, self._company_block, self._barrier_block)
        yield from (found for look in looks if (found := look(unit, window)) is not None)

    def _calendar_block(self, unit: int, window: int) -> Block | None:
        facts = self.problem.units[unit]
        if window < facts.start:
            return Block("pinned_not_before")
        for number in facts.bans:
            ban = self.problem.bans[number]
            if not ban.allowed >> window & 1:
                return Block(ban.rule, ban.name)
        for number in facts.leads if window != facts.old else ():
            ban = self.problem.bans[number]
            if not ban.allowed >> window & 1:
                return Block(ban.rule, ban.name)
        return None

    def _row_block(self, unit: int, window: int) -> Block | None:
        problem = self.problem
        for number, amount in problem.units[unit].rows:
            row = problem.rows[number]
            period = problem.calendars[row.calendar][window]
            limit = row.limits[period] if self._limit_by_period[number] else row.limits[0]
            if self._used[number].get(period, 0) + amount > limit:
                return Block(row.rule, row.name)
        return None

    def _stock_block(self, unit: int, window: int) -> Block | None:
        for number, amount in self.problem.units[unit].stocks:
            stock, drawn = self.problem.stocks[number], self._drawn[number]
            so_far = sum(drawn[: stock.stretch[window]])
            for stretch in range(stock.stretch[window], len(stock.delivered)):
                so_far += drawn[stretch]
                if so_far + amount > stock.delivered[stretch]:
                    return Block("stock", stock.name)
        return None

    def _company_block(self, unit: int, window: int) -> Block | None:
        facts = self.problem.units[unit]
        own = set(facts.sides)
        for rule, side in facts.sides:
            there = self._sides[rule].get(window)
            if (rule, 1 - side) in own or (there is not None and there[1 - side]):
                return Block("apart", self.problem.aparts[rule])
        if any(self.window_of[other] == window for other in facts.not_with):
            return Block("pinned_apart")
        return None

    def _barrier_block(self, unit: int, window: int) -> Block | None:
        if unit in self._torn:
            return Block("first", self._torn[unit])
        facts, barriers, days = self.problem.units[unit], self.problem.barriers, self._days
        for number in facts.before:
            barrier, first = barriers[number], self._after[number].first
            if first is not None and not _in_order(window, first, days, None if barrier.complete else barrier.days):
                return Block(barrier.rule, barrier.name)
        for number in facts.after:
            barrier, last = barriers[number], self._before[number].last
            if barrier.complete:
                missing = len(barrier.before) - self._placed_before[number] - (unit in barrier.before)
                if missing or (last is not None and last > window):
                    return Block(barrier.rule, barrier.name)
            elif last is not None and not _in_order(last, window, days, barrier.days):
                return Block(barrier.rule, barrier.name)
        return None

    def add(self, unit: int, window: int) -> None:
        """Put the unit there; nothing is asked."""
        self._count(unit, window, 1)
        self.window_of[unit] = window
        facts = self.problem.units[unit]
        self._runbook[window] = facts.runbook
        for number in facts.before:
            self._before[number].add(window)
            self._placed_before[number] += 1
        for number in facts.after:
            self._after[number].add(window)

    def remove(self, unit: int) -> int:
        """Take the unit out of its window, which is returned."""
        window = self.window_of[unit]
        self._count(unit, window, -1)
        self.window_of[unit] = NOWHERE
        facts = self.problem.units[unit]
        for number in facts.before:
            self._before[number].remove(window)
            self._placed_before[number] -= 1
        for number in facts.after:
            self._after[number].remove(window)
        return window

    def ends(self, *, without: int = NOWHERE, with_: int = NOWHERE) -> tuple[int, int]:
        """The first and the last window that is used; as if one were empty, or one more were used."""
        first, last = self._first, self._last
        if first == without and first < last:
            first = self._next_used(first, 1)
        elif last == without and first < last:
            last = self._next_used(last, -1)
        if with_ == NOWHERE:
            return first, last
        if first == last == without:
            return with_, with_
        return min(first, with_), max(last, with_)

    def _next_used(self, window: int, step: int) -> int:
        window += step
        while 0 <= window < self.problem.width and not self.units_in[window]:
            window += step
        return window

    def _count(self, unit: int, window: int, sign: int) -> None:
        problem, facts = self.problem, self.problem.units[unit]
        self.units_in[window] += sign
        self._first, self._last = min(self._first, window), max(self._last, window)
        if not self.units_in[window]:
            if window == self._first:
                self._first = self._next_used(window, 1)
            if window == self._last:
                self._last = self._next_used(window, -1)
        self.assets_in[window] += sign * facts.size
        for number, amount in facts.rows:
            period = problem.calendars[problem.rows[number].calendar][window]
            self._used[number][period] = self._used[number].get(period, 0) + sign * amount
        for number, amount in facts.stocks:
            self._drawn[number][problem.stocks[number].stretch[window]] += sign * amount
        for rule, side in facts.sides:
            self._sides[rule].setdefault(window, [0, 0])[side] += sign

    def blocks(self, unit: int, windows: range) -> Iterator[Block]:
        """What keeps the unit out of each of these windows; nothing for those it could go to."""
        found = (self.block(unit, window) for window in windows)
        return (one for one in found if one is not None)


def _in_order(earlier: int, later: int, days: tuple[int, ...], between: int | None) -> bool:
    """Whether one window comes before another, with so many days between; None: no later."""
    if between is None:
        return earlier <= later
    return earlier < later and days[later] >= days[earlier] + between

"""The question without names: units, windows and every hard rule as numbers. Greedy, search and solver read only this.

Amounts are integers in thousandths; days are ordinals; a mask is an integer whose bit w says that window w is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.core.constraints import Level

SCALE = 1000
BY_WINDOW, BY_DAY, BY_WEEK = 0, 1, 2


class Ban(NamedTuple):
    """A rule that forbids some windows to the units that name it."""

    rule: str
    name: str
    allowed: int


class Row(NamedTuple):
    """At most ``limits[p]`` in the period p (or the only limit, in each)."""

    rule: str
    name: str
    calendar: int
    limits: tuple[int, ...]
    taken: tuple[tuple[int, int], ...] = ()
    """(period, what waves that began take of it)"""


class Stock(NamedTuple):
    """Delivered so far in each stretch between two deliveries; ``stretch[w]`` is the stretch of window w."""

    name: str
    delivered: tuple[int, ...]
    stretch: tuple[int, ...]


class Barrier(NamedTuple):
    """Units that come before others: strictly, with days between; or no later, and all of them (``complete``)."""

    rule: str
    name: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    days: int
    complete: bool


class Edge(NamedTuple):
    """What it costs that two units are in different windows: a price, and users for each hour between."""

    one: int
    other: int
    price: float
    users: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One unit as numbers."""

    size: int
    runbook: int
    mask: int
    bans: tuple[int, ...]
    leads: tuple[int, ...]
    """Bans of lead times: they do not count in the window ``old``."""
    start: int
    fixed: int
    """The window it is pinned to, or -1."""
    rows: tuple[tuple[int, int], ...]
    stocks: tuple[tuple[int, int], ...]
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    sides: tuple[tuple[int, int], ...] = ()
    """(apart rule, 0 for its one side or 1 for the other)"""
    not_with: tuple[int, ...] = ()
    old: int = -1
    """Its window in the plan before, or -1."""
    olds: tuple[tuple[int, int], ...] = ()
    """(window of the plan before, or -1 where it is gone; how many of its assets were in it)"""
    planned_before: int = 0
    """How many of its assets were planned before."""
    critical: int = 0
    phase: int = 0
    """How many hard rules in a row put others before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The whole question. ``needs`` and ``users`` are of parts, as is ``unit_of_part``."""

    opens_h: tuple[float, ...]
    """Hours from the beginning of the plan to the opening of each window."""
    calendars: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    """Period of each window: by window, local day, week."""
    units: tuple[Facts, ...]
    bans: tuple[Ban, ...]
    rows: tuple[Row, ...]
    stocks: tuple[Stock, ...]
    barriers: tuple[Barrier, ...]
    aparts: tuple[str, ...]
    edges: tuple[Edge, ...]
    objective: tuple[Level, ...]
    weights: tuple[tuple[Level, float], ...]
    day_zero: int
    """The local day on which the plan may begin."""
    needs_first: bool = True
    needs: tuple[tuple[int, ...], ...] = ()
    """Units that each unit needs, directly or through what does not move; empty when no order is asked for."""
    stay: bool = True
    search: int = 0

    @property
    def width(self) -> int:
        """How many windows there are."""
        return len(self.opens_h)

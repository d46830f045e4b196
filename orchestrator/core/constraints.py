"""What a policy asks of a plan beside windows and budgets: one value for each kind of rule. docs/planning.md says how
each is meant; planner and plan check read the same values and share nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum

from inventory.model import AssetKind, DependencyKind
from orchestrator.core.canonical import LATER


class Weekday(StrEnum):
    """Days by name: numbers count differently everywhere."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class Measure(StrEnum):
    """What a capacity or a stock counts."""

    ASSETS = "assets"
    SHARE = "share"
    """Assets, as a share of all that the same site, department or vendor has; at least one is always allowed."""
    MINUTES = "minutes"
    """Work by ``Effort``."""
    CUTOVERS = "cutovers"
    """Move groups that hold a machine on which a procedure runs."""
    VCPU = "vcpu"
    RAM_GIB = "ram_gib"
    DISK_GIB = "disk_gib"
    RACK_UNITS = "rack_units"
    """Height in racks of what is there afterwards: of the successor, or of the machine itself without one."""


class Per(StrEnum):
    """The time over which a capacity counts: a window, or the local day or week (from Monday) in which it opens."""

    WINDOW = "window"
    DAY = "day"
    WEEK = "week"


class Each(StrEnum):
    """What a capacity is counted apart for."""

    ALL = ""
    SITE = "site"
    DEPARTMENT = "department"
    VENDOR = "vendor"
    PROCEDURE = "procedure"


class Every(StrEnum):
    """How often a freeze comes back."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Level(StrEnum):
    """What a plan is judged by, beside the hard rules. Smaller is better for each."""

    EXPOSURE = "exposure"
    """Users times hours between the two ends of a need that a plan cuts."""
    BRIDGES = "bridges"
    """Prices of the needs that a plan cuts."""
    RISK = "risk"
    """Criticality of what stands in the first or the last wave."""
    FINISH = "finish"
    """Days until the last window opens."""
    EVENNESS = "evenness"
    """Sum of the squared sizes of the waves."""
    CHANGES = "changes"
    """Assets whose window is not that of the plan before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which assets a rule is about: every list that is not empty must hold the asset; without lists, all assets.

    ``names`` are patterns with ``*`` and ``?``. Procedures, vendors and protection of a machine are its own and those
    of the procedures that run on it or are used at it; its model is that of its successor, if it has one.
    """

    names: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    kinds: tuple[AssetKind, ...] = ()
    procedures: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    protection: tuple[str, ...] = ()

    @property
    def is_all(self) -> bool:
        """Whether it leaves nothing out."""
        return self == EVERYWHERE


EVERYWHERE = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """A freeze that comes back: from one day of the period to another, both included.

    Days count from 1; negative ones from the end (-1 is the last). ``last_day`` before ``first_day`` lies in the
    following period: -3 to 2 is the turn of a month. Days that a period does not have are its nearest.
    """

    name: str
    every: Every
    first_day: int
    last_day: int
    scope: Scope = EVERYWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """A freeze around named days: an election with its weeks before and after, a meeting of the council."""

    name: str
    on: tuple[date, ...]
    days_before: int = 0
    days_after: int = 0
    scope: Scope = EVERYWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Local times in which nothing in the scope is touched, such as the hours of a counter; over midnight if closes <=
    opens."""

    name: str
    days: tuple[Weekday, ...]
    opens: time
    closes: time
    scope: Scope = EVERYWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpan:
    """Local days, first and last included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """The scope moves only within these days: schools in the holidays."""

    name: str
    spans: tuple[DaySpan, ...]
    scope: Scope = EVERYWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """At most so much at once."""

    name: str
    of: Measure
    most: float
    per: Per = Per.WINDOW
    each: Each = Each.ALL
    scope: Scope = EVERYWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """So much arrives on that local day and can be used from that day on."""

    on: date
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What is used up for good: new machines, racks, cores, memory. Until a day, no more than was delivered by then."""

    name: str
    of: Measure
    deliveries: tuple[Delivery, ...]
    scope: Scope = EVERYWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody from outside must be there: ordered so many days ahead, and only on these days (empty: any)."""

    name: str
    lead_days: int = 0
    on: tuple[date, ...] = ()
    scope: Scope = EVERYWHERE
    owner: str = field(default="", metadata=LATER)
    """Who orders it, as the house calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What must be begun so many days before the scope moves: a firewall request, a certificate, a notice."""

    name: str
    days_before: int
    scope: Scope = EVERYWHERE
    owner: str = field(default="", metadata=LATER)
    """Who does it, as the house calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Assets of the one scope and of the other are never in one wave (an asset in both is no matter)."""

    name: str
    one: Scope
    other: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """The first scope moves in an earlier window than the rest of the other one, with so many days between.

    With ``same``, only what shares a site, department, vendor or procedure is compared (test before production).
    """

    name: str
    first: Scope
    then: Scope = EVERYWHERE
    same: Each = Each.ALL
    days_between: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Minutes of work on each asset of the scope; the first entry that holds an asset counts."""

    minutes: float
    scope: Scope = EVERYWHERE


def _prices() -> dict[DependencyKind, float]:
    return {DependencyKind.SOFT: 5.0, DependencyKind.INTERFACE: 2.0, DependencyKind.DATA: 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """All that a policy asks of a plan beside windows, batches and budgets. The defaults ask for nothing."""

    recurring: tuple[Recurring, ...] = ()
    occasions: tuple[Occasion, ...] = ()
    hours: tuple[Hours, ...] = ()
    seasons: tuple[Season, ...] = ()
    capacities: tuple[Capacity, ...] = ()
    stocks: tuple[Stock, ...] = ()
    visits: tuple[Visit, ...] = ()
    tasks: tuple[Task, ...] = ()
    apart: tuple[Apart, ...] = ()
    first: tuple[First, ...] = ()
    efforts: tuple[Effort, ...] = ()
    rollback_minutes: int = 0
    """Kept free at the end of each window for taking a wave back."""
    seats_wait: bool = False
    """Whether a seat's machine moves only when each procedure used there works from the new one."""
    works_from_new: tuple[str, ...] = ()
    """Procedures that already do, wherever they run."""
    hub_at: int = 0
    """From so many assets that need it, an asset is a shared service reachable from both sides; 0 for never."""
    hubs: tuple[str, ...] = ()
    """Names of shared services reachable from both sides, however many need them."""
    shared_from: int = 2
    """From so many procedures that run on it, a machine binds none of them."""
    cycles_bind: bool = True
    """Whether a circle of needs moves as one though none of them binds; else they are bridged."""
    needs_first: bool = True
    """Whether what is needed moves no later than what needs it, also where the need is bridged."""
    prices: Mapping[DependencyKind, float] = field(default_factory=_prices)
    """What a cut need of each kind costs."""
    objective: tuple[Level, ...] = tuple(Level)
    """The most important first."""
    weights: Mapping[Level, float] = field(default_factory=dict)
    """Levels that are added up, each times its weight, and stand before all others."""
    stay: bool = True
    """Whether what a plan before had keeps its window wherever the rules allow it."""
    search: int = 0
    """How hard a better plan is looked for; 0 takes the first plan that holds all rules."""

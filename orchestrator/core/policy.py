"""What a tenant allows: windows, capacity, batch sizes, failure budgets. A value; the store keeps it per tenant."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time

from inventory.errors import ExpectedError
from inventory.model import Asset, AssetKind
from inventory.precedence import InventoryRules
from orchestrator.core.canonical import LATER
from orchestrator.core.constraints import EVERYWHERE, Planning, Scope
from orchestrator.core.constraints import Weekday as Weekday
from orchestrator.core.demands import Demand
from orchestrator.core.domain import DomainSettings
from orchestrator.core.likeness import Tolerances
from orchestrator.core.procedures import ProcedureSettings


class WindowInverted(ExpectedError):
    """A window ends before it begins."""

    code, says = "PLAN-011", "The window closes at {closes} but opens at {opens}."
    remedy = "Swap the two times in the policy's window and propose the plan again."


class InvalidPolicy(ExpectedError):
    """A policy value makes no sense."""

    code, says = "PLAN-012", "The policy's {field} is {value}: {why}."
    remedy = "Correct it in the policy file and set the policy again with `kahn tenant policy --file FILE`."


KEEP_DAYS = 90
"""How long an old machine is kept before it may be erased, where nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a wave may touch assets: opens <= t < closes, both with time zone. Raises WindowInverted."""

    opens: datetime
    closes: datetime
    scope: Scope = field(default=EVERYWHERE, metadata=LATER)
    """Which assets it takes."""

    def __post_init__(self) -> None:
        if self.opens.tzinfo is None or self.closes.tzinfo is None:
            raise InvalidPolicy(field="window", value=self.opens, why="times need a time zone")
        if self.closes <= self.opens:
            raise WindowInverted(opens=self.opens, closes=self.closes)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyWindow:
    """A window that comes back on these days, local time; over midnight if closes <= opens."""

    days: tuple[Weekday, ...]
    opens: time
    closes: time
    scope: Scope = field(default=EVERYWHERE, metadata=LATER)
    """Which assets it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A time in which nothing moves, first and last day included, local dates."""

    name: str
    first: date
    last: date
    scope: Scope = field(default=EVERYWHERE, metadata=LATER)
    """Which assets it keeps back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All that a tenant allows. Budgets are shares (0.0 to 1.0) of a batch or wave that may go wrong."""

    zone: str = "Europe/Berlin"
    holidays: str = "BB"
    """German state whose public holidays are kept free, or empty for none (a lab's calendar)."""
    weekly: tuple[WeeklyWindow, ...] = ()
    windows: tuple[Window, ...] = ()
    """Single windows beside the weekly ones."""
    freezes: tuple[Freeze, ...] = ()
    horizon_days: int = 365
    assets_per_window: int = 24
    canary_size: int = 2
    batch_size: int = 10
    batch_budget: float = 0.2
    wave_budget: float = 0.1
    auto_rollback_max: int = 3
    max_tries: int = 2
    probe_tries: int = 5
    probe_gap_s: int = 20
    approval_valid_h: int = 168
    forks: int = 10
    runbooks: dict[AssetKind, str] = field(default_factory=lambda: {AssetKind.WORKSTATION: "replace-workstation"})
    contacts: tuple[str, ...] = ()
    by_hand: dict[AssetKind, str] = field(default_factory=dict, metadata=LATER)
    """Which runbook of manual steps moves a machine that runs Windows: Kahn reaches none of those."""
    by_psrp: dict[AssetKind, str] = field(default_factory=dict, metadata=LATER)
    """Which runbook moves a machine that runs Windows and that Kahn reaches by PSRP."""
    planning: Planning = field(default_factory=Planning, metadata=LATER)
    gates: tuple[Demand, ...] = field(default=(), metadata=LATER)
    """What people must confirm before a wave starts."""
    last_moment_min: int = field(default=30, metadata=LATER)
    """So many minutes before a window's end people are called when something is unfinished."""
    soak_minutes: int = field(default=0, metadata=LATER)
    """How long a wave waits after each batch and asks the moved machines whether they serve; 0 for no soak."""
    same_error_max: int = field(default=3, metadata=LATER)
    """So many assets with the same error hold their wave; 0 for no such limit."""
    unreachable_share: float = field(default=0.5, metadata=LATER)
    """Share of a batch that may fall silent within a minute before its wave holds itself."""
    disk_free_gib: int = field(default=1, metadata=LATER)
    """Where Kahn writes, so many GiB must be free, or no new step begins."""
    max_outage_min: dict[AssetKind, int] = field(default_factory=lambda: {AssetKind.WORKSTATION: 240}, metadata=LATER)
    """How many minutes an asset of that kind may be out of service; a kind without an entry has no limit."""
    inventory: InventoryRules = field(default_factory=InventoryRules, metadata=LATER)
    procedures: tuple[ProcedureSettings, ...] = field(default=(), metadata=LATER)
    """What belongs to each procedure that a runbook moves."""
    retire: dict[AssetKind, str] = field(default_factory=dict, metadata=LATER)
    """Which runbook retires an asset of that kind whose strategy is *retire*; without an entry it stays."""
    keep_days: int = field(default=KEEP_DAYS, metadata=LATER)
    """So many days a machine that was moved off or retired is kept before it may be erased."""
    compare: Tolerances = field(default_factory=Tolerances, metadata=LATER)
    """What may differ between a machine before and its successor afterwards."""
    domain: DomainSettings | None = field(default=None, metadata=LATER)
    """The domain that successors of workplaces join; None: no step of a runbook is about one."""

    def __post_init__(self) -> None:
        for name in ("assets_per_window", "batch_size", "max_tries", "probe_tries", "forks", "horizon_days"):
            if getattr(self, name) < 1:
                raise InvalidPolicy(field=name, value=getattr(self, name), why="it must be at least 1")
        for name in ("batch_budget", "wave_budget", "unreachable_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidPolicy(field=name, value=getattr(self, name), why="it must lie between 0 and 1")
        names = [one.name.casefold() for one in self.procedures]
        if len(names) != len(set(names)):
            raise InvalidPolicy(field="procedure", value=sorted(names), why="two of them have one name")
        if both := sorted(set(self.by_psrp) & set(self.by_hand)):
            why = "machines of one kind that run Windows go either by PSRP or by hand"
            raise InvalidPolicy(field="by_psrp", value=", ".join(both), why=why)
        if overlap := sorted(set(self.by_hand.values()) & {*self.runbooks.values(), *self.by_psrp.values()}):
            why = "a runbook is either for machines that Kahn reaches or for work by hand"
            raise InvalidPolicy(field="by_hand", value=", ".join(overlap), why=why)
        moving = {*self.runbooks.values(), *self.by_hand.values(), *self.by_psrp.values()}
        if overlap := sorted(set(self.retire.values()) & moving):
            why = "a runbook either moves assets or retires them"
            raise InvalidPolicy(field="retire", value=", ".join(overlap), why=why)
        if self.canary_size < 0 or self.auto_rollback_max < 0:
            raise InvalidPolicy(field="canary_size", value=self.canary_size, why="it must not be negative")

    def moves_by_hand(self, asset: Asset) -> bool:
        """Whether people move it: it runs Windows, and the policy names a runbook of manual steps for its kind."""
        return asset.kind in self.by_hand and "windows" in asset.text("os_name").casefold()

    def moves_by_psrp(self, asset: Asset) -> bool:
        """Whether Kahn moves it by PSRP: it runs Windows, and the policy names a runbook for that."""
        return asset.kind in self.by_psrp and "windows" in asset.text("os_name").casefold()

    def retires(self, asset: Asset) -> bool:
        """Whether a wave retires it: that is its strategy, the policy names a runbook for it, and Kahn reaches it."""
        told = asset.text("strategy") == "retire" and asset.kind in self.retire
        return told and "windows" not in asset.text("os_name").casefold()

    def runbook_of(self, asset: Asset) -> str:
        """Name of the runbook that moves or retires it; empty when none does."""
        if self.retires(asset):
            return self.retire[asset.kind]
        if self.moves_by_psrp(asset):
            return self.by_psrp[asset.kind]
        return self.by_hand[asset.kind] if self.moves_by_hand(asset) else self.runbooks.get(asset.kind, "")

"""The plan: an immutable value that leaves no choice for execution time. Has a fingerprint and a parent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType, Protocol

from inventory.model import AssetId, Snapshot, TenantId
from orchestrator.core.asks import Asks
from orchestrator.core.canonical import LATER, fingerprint_of
from orchestrator.core.constraints import Level
from orchestrator.core.policy import Policy

PlanId = NewType("PlanId", str)
WaveKey = NewType("WaveKey", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWindow:
    """One occurrence of a window: UTC instants, and how the clock on the wall reads in ``zone``."""

    opens: datetime
    closes: datetime
    zone: str
    local: str
    """Such as ``Mon 2026-11-30 22:00-04:30``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveGroup:
    """Assets that must move together, and why (one word a reason: hard, licence, procedure, alone)."""

    assets: tuple[AssetId, ...]
    bound_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBatch:
    """Assets of a wave that go at the same time; the first batch of a wave is its canary."""

    name: str
    """``canary``, ``b1``, ``b2`` ..."""
    assets: tuple[AssetId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """How likely a wave is to give trouble, from 0 (none known) to 100, and why, the weightiest reason first."""

    score: int
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWave:
    """One wave: which assets, in which batches, in which window, by which runbook."""

    key: WaveKey
    """``W01``, ``W02`` ... unique within the tenant's plan line."""
    runbook: str
    window: PlannedWindow
    groups: tuple[MoveGroup, ...]
    batches: tuple[PlannedBatch, ...]
    risk: Risk | None = field(default=None, metadata=LATER)
    """None in a plan of a version that did not reckon it."""

    @property
    def assets(self) -> tuple[AssetId, ...]:
        """All assets of the wave in the order of its batches."""
        return tuple(asset for batch in self.batches for asset in batch.assets)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """Why a group is in no wave: the first rule that failed, with the fact behind it and the remedy."""

    assets: tuple[AssetId, ...]
    rule: str
    says: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What a person fixed: this asset in that wave, not before a time, not with those others."""

    asset: AssetId
    wave: WaveKey | None = None
    not_before: datetime | None = None
    not_with: tuple[AssetId, ...] = field(default=(), metadata=LATER)
    """Assets that must be in another wave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a plan comes to on one level of the objective. Smaller is better."""

    level: Level
    value: float
    bound: float | None = None
    """No plan that holds all rules, and is as good on the levels before, can be below it; None where nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole plan of one tenant. ``parent`` is the fingerprint of the plan it replaces; empty for the first."""

    tenant: TenantId
    parent: str
    made_from: str
    """Fingerprint of snapshot, policy and pins it was made from."""
    not_before: datetime
    seed: int
    waves: tuple[PlannedWave, ...]
    why_not: tuple[WhyNot, ...]
    judged: tuple[Judged, ...] = field(default=(), metadata=LATER)
    """The levels of the objective, the most important first."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the plan's canonical bytes."""
        return fingerprint_of(self)

    def wave(self, key: str) -> PlannedWave | None:
        """The wave of that key, if there is one."""
        return next((wave for wave in self.waves if wave.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFinding:
    """What the independent plan check found. ``severity`` is ``error`` (may not be proposed) or ``warning``."""

    severity: str
    rule: str
    says: str
    assets: tuple[AssetId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunWave:
    """A wave that began, with what of its groups is settled: it counts against capacities of its day and week."""

    key: WaveKey
    window: PlannedWindow
    groups: tuple[tuple[AssetId, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """All that a planner may look at. Time and chance are arguments."""

    snapshot: Snapshot
    policy: Policy
    not_before: datetime
    pins: tuple[Pin, ...] = ()
    parent: Plan | None = None
    settled: frozenset[AssetId] = frozenset()
    """Assets that were moved already, or are in a wave that is under way: they are not planned again."""
    occupied: tuple[PlannedWindow, ...] = ()
    """Windows of waves that are under way: no second wave comes into them."""
    begun: tuple[BegunWave, ...] = ()
    """Waves that began, as far back as a capacity of a day or week reaches."""
    approved: frozenset[WaveKey] = frozenset()
    """Waves of the parent that were approved: nothing leaves them and nothing is added, unless people agree."""
    first_number: int = 1
    """Number of the first new wave."""
    seed: int = 0
    asks: tuple[Asks, ...] = ()
    """What the runbooks of the policy ask; of one that is not among them, a vault is asked, unless people do it all."""

    def asked_by(self, runbook: str) -> Asks | None:
        """What the runbook of that name asks; None when nobody said."""
        return next((one for one in self.asks if one.runbook == runbook), None)


class Planner(Protocol):
    """Anything that turns a request into a plan with its why-not list."""

    def propose(self, request: PlanRequest) -> Plan:
        """A plan that holds every rule; what does not fit is in ``why_not``."""
        ...

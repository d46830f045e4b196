"""What is approved and run as one: the frozen content of a wave, its fingerprint, and the acts signed on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NewType

from inventory.model import AssetId, TenantId
from orchestrator.core.access import AccessProfile
from orchestrator.core.canonical import LATER, canonical_bytes, fingerprint_of
from orchestrator.core.domain import DomainSettings
from orchestrator.core.likeness import Tolerances
from orchestrator.core.plan import MoveGroup, PlannedBatch, PlannedWindow, WaveKey
from orchestrator.core.policy import KEEP_DAYS
from orchestrator.core.procedures import ProcedureSettings
from orchestrator.core.reach import Reach
from orchestrator.core.runbook import Runbook

PersonId = NewType("PersonId", str)
RunId = NewType("RunId", str)


PARTNER = "partner_"
"""Roles of machines of other procedures that lead to the one that moves begin so: partner_1, partner_2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveMachine:
    """One machine as it was when the wave was proposed: role, name, address, host key, access profile's name."""

    role: str
    name: str
    address: str
    host_key: str
    access: str
    mac: tuple[str, ...] = ()
    second_address: str = field(default="", metadata=LATER)
    """Where the same machine answers too; the host key is the same."""

    @property
    def ways(self) -> str:
        """Its address, and the second one where there is one."""
        return " / ".join(filter(None, (self.address, self.second_address)))


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveMove:
    """One asset of the wave with its machines and the people behind it."""

    asset: AssetId
    name: str
    department: str
    site: str
    users: int
    machines: tuple[WaveMachine, ...]
    procedure: ProcedureSettings | None = field(default=None, metadata=LATER)
    """What belongs to the procedure that moves with it, where the runbook moves one."""
    reach: tuple[Reach, ...] = field(default=(), metadata=LATER)
    """What is used from a seat and must be reached from its successor too."""

    def machine(self, role: str) -> WaveMachine:
        """The machine in that role. Raises KeyError."""
        for one in self.machines:
            if one.role == role:
                return one
        raise KeyError(role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """How much may go wrong before a person looks; copied from the policy when the wave was proposed."""

    batch_budget: float
    wave_budget: float
    auto_rollback_max: int
    max_tries: int
    probe_tries: int
    probe_gap_s: int
    forks: int
    same_error_max: int = field(default=3, metadata=LATER)
    """So many assets with the same error hold the wave; 0 for no such limit."""
    soak_s: int = field(default=0, metadata=LATER)
    """How long a wave waits after each batch and asks the moved machines; 0 for no soak."""
    unreachable_share: float = field(default=0.5, metadata=LATER)
    """Share of a batch that may fall silent within a minute before the wave holds itself."""
    compare: Tolerances = field(default_factory=Tolerances, metadata=LATER)
    """What may differ between before and after."""
    keep_days: int = field(default=KEEP_DAYS, metadata=LATER)
    """So many days a machine that was moved off or retired is kept before it may be erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveContent:
    """Everything that an approval covers. Any change to it is another fingerprint and voids the approval."""

    tenant: TenantId
    key: WaveKey
    runbook: Runbook
    ansible_core: str
    window: PlannedWindow
    groups: tuple[MoveGroup, ...]
    batches: tuple[PlannedBatch, ...]
    moves: tuple[WaveMove, ...]
    access: tuple[AccessProfile, ...]
    thresholds: Thresholds
    approvers_needed: int
    contacts: tuple[str, ...]
    shown: str
    """SHA-256 of the text that an approver is shown."""
    needs: tuple[tuple[AssetId, AssetId], ...] = field(default=(), metadata=LATER)
    """Pairs within the wave: the first does not work without the second (hard and licence dependencies), sorted."""
    domain: DomainSettings | None = field(default=None, metadata=LATER)
    """The domain that some of the runbook's steps are about."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the canonical bytes."""
        return _fingerprint(self)

    def move(self, asset: AssetId) -> WaveMove:
        """The move of that asset. Raises KeyError."""
        for one in self.moves:
            if one.asset == asset:
                return one
        raise KeyError(asset)

    def group_of(self, asset: AssetId) -> tuple[AssetId, ...]:
        """All assets that move together with this one, itself included."""
        for group in self.groups:
            if asset in group.assets:
                return group.assets
        return (asset,)

    def profile(self, name: str) -> AccessProfile:
        """The access profile of that name. Raises KeyError."""
        for one in self.access:
            if one.name == name:
                return one
        raise KeyError(name)


@lru_cache(maxsize=64)
def _fingerprint(content: WaveContent) -> str:
    """Asked for before every run of a wave; equal contents have equal canonical bytes."""
    return fingerprint_of(content)


class ActKind(StrEnum):
    """What a person can sign on a wave."""

    PROPOSE = "propose"
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    CLOSE = "close"
    HOLD = "hold"
    SKIP = "skip"
    RETRY = "retry"
    PROBE = "probe"
    """Ask the machine again how far its step came."""
    ROLL_BACK = "roll_back"
    LEAD = "lead"
    DECLARE_DONE = "declare_done"
    DECLARE_NOT_DONE = "declare_not_done"
    DECLARE_UNDONE = "declare_undone"
    DID = "did"
    """Done by hand, each point of the checklist looked at."""
    DID_NOT = "did_not"
    ERASED = "erased"
    """Old machines were erased; ``about`` names the day and the certificate."""


class Wish(StrEnum):
    """What a person wished for one asset of a wave; done at its next step border."""

    HOLD = "hold"
    SKIP = "skip"
    RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One signed act of one person on one wave's fingerprint. ``at`` is when it was signed (UTC)."""

    kind: ActKind
    tenant: TenantId
    wave: WaveKey
    fingerprint: str
    by: PersonId
    at: datetime
    reason: str = ""
    conditions: str = ""
    for_person: PersonId | None = None
    """Whom the signer stands in for, when acting as a deputy."""
    assets: tuple[AssetId, ...] = ()
    """Assets the act is limited to; empty for the whole wave."""
    about: str = field(default="", metadata=LATER)
    """What was done by hand, such as ``do:exchange``; empty for other acts."""

    def signed_bytes(self) -> bytes:
        """The bytes that the signature covers."""
        return b"kahn-act-v1\n" + canonical_bytes(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAct:
    """An act with its SSH signature (armoured) and the public key it was checked against when it was taken."""

    act: Act
    signature: str
    public_key: str

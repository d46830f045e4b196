"""What the orchestrator needs from outside, as protocols. Adapters fulfil them; actions use nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from inventory.mapping import MappingProfile
from inventory.model import AssetId, TenantId
from inventory.ports import AssetStore
from orchestrator.core.access import AccessProfile
from orchestrator.core.launches import LaunchBook
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.netbox import Link, NetboxAccess, SyncState
from orchestrator.core.notices import NoticeBook
from orchestrator.core.occurrence import OccurrenceBook
from orchestrator.core.people import PeopleBook
from orchestrator.core.plan import Plan
from orchestrator.core.policy import Policy
from orchestrator.core.wave import SignedAct, WaveContent
from orchestrator.run_ports import RunBook

# --------------------------------------------------------------------------- journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One fact or decision to be written down. ``texts`` are free texts, kept apart so that they can be redacted:
    the chained bytes hold only their SHA-256."""

    kind: str
    """Such as ``run.intended``; the kinds are listed in core/progress.py and docs/journal.md."""
    subject: str
    """Such as ``wave:W01``, ``person:p-3f2a``, ``inventory``."""
    body: Mapping[str, Any]
    by: str = "kahn"
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEntry:
    """An entry with its place in the tenant's chain."""

    tenant: TenantId
    seq: int
    at: datetime
    entry: Entry
    previous: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainVerdict:
    """Whether a tenant's chain is whole: entries read, and the first place where it breaks (0 when whole)."""

    entries: int
    broken_at: int
    why: str = ""
    head: str = ""


class Journal(Protocol):
    """The append-only truth about decisions and facts, one hash chain per tenant."""

    def append(self, tenant: TenantId, entries: Sequence[Entry], *, at: datetime) -> tuple[SealedEntry, ...]:
        """Write the entries in order, in the open transaction."""
        ...

    def read(self, tenant: TenantId, *, subject: str = "", after: int = 0) -> tuple[SealedEntry, ...]:
        """Entries with seq > after, oldest first, of one subject or of all."""
        ...

    def redact(self, tenant: TenantId, *, seq: int, name: str) -> None:
        """Erase one free text; its hash stays and the chain stays whole."""
        ...

    def verify(self, tenant: TenantId) -> ChainVerdict:
        """Recompute the whole chain."""
        ...


# --------------------------------------------------------------------------- people, tenants, access


class TenantBook(Protocol):
    """Tenants, their policy and their access profiles."""

    def add(self, tenant: TenantId, *, policy: Policy) -> None:
        """A new tenant. Raises TenantExists."""
        ...

    def all(self) -> tuple[TenantId, ...]:
        """All tenants."""
        ...

    def policy(self, tenant: TenantId) -> Policy:
        """Raises UnknownTenant."""
        ...

    def set_policy(self, tenant: TenantId, policy: Policy) -> None:
        """Replace the policy."""
        ...

    def put_access(self, tenant: TenantId, profile: AccessProfile) -> None:
        """Add or replace a profile."""
        ...

    def access(self, tenant: TenantId) -> tuple[AccessProfile, ...]:
        """All profiles by name."""
        ...

    def put_mapping(self, tenant: TenantId, profile: MappingProfile) -> None:
        """Add or replace a mapping profile."""
        ...

    def mappings(self, tenant: TenantId) -> tuple[MappingProfile, ...]:
        """All mapping profiles by name."""
        ...

    def drop_mapping(self, tenant: TenantId, name: str) -> bool:
        """Forget a mapping profile; whether there was one."""
        ...


# --------------------------------------------------------------------------- plans and waves


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveRow:
    """A wave as stored. ``version`` rises with every change; changes are compare-and-set on it."""

    tenant: TenantId
    key: str
    revision: int
    state: WaveState
    version: int
    fingerprint: str
    content: WaveContent
    plan: str
    """Fingerprint of the plan it comes from."""
    cause: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRow:
    """An asset move as stored."""

    tenant: TenantId
    wave: str
    asset: AssetId
    name: str
    batch: str
    state: MoveState
    version: int
    step: str
    """Step it is at, or that failed."""
    cause: str
    since: datetime


class PlanBook(Protocol):
    """Plans of one tenant; only a child of the current plan may become current."""

    def current(self, tenant: TenantId) -> Plan | None:
        """The plan in force."""
        ...

    def get(self, tenant: TenantId, fingerprint: str) -> Plan | None:
        """Any stored plan."""
        ...

    def put(self, tenant: TenantId, plan: Plan, *, at: datetime) -> None:
        """Store the plan and make it current. Raises PlanOvertaken when its parent is not the current one."""
        ...


class WaveBook(Protocol):
    """Waves and asset moves: current states, kept by the same transaction as the journal entry behind them."""

    def put(self, content: WaveContent, *, plan: str, at: datetime) -> WaveRow:
        """A new wave (draft), or the next revision of a known one: its state becomes draft, its old acts are void."""
        ...

    def get(self, tenant: TenantId, key: str) -> WaveRow:
        """Raises UnknownWave."""
        ...

    def all(self, tenant: TenantId) -> tuple[WaveRow, ...]:
        """All waves by key."""
        ...

    def set_state(self, wave: WaveRow, *, to: WaveState, cause: str, at: datetime) -> WaveRow:
        """Compare-and-set on (state, version). Raises Overtaken. The caller has asked core/lifecycle first."""
        ...

    def add_act(self, wave: WaveRow, act: SignedAct) -> None:
        """Keep a signed act for this revision."""
        ...

    def acts(self, tenant: TenantId, key: str) -> tuple[SignedAct, ...]:
        """Signed acts on the present revision, oldest first."""
        ...

    def moves(self, tenant: TenantId, key: str) -> tuple[MoveRow, ...]:
        """The wave's asset moves in the order of its batches."""
        ...

    def set_move(self, move: MoveRow, *, to: MoveState, step: str, cause: str, at: datetime) -> MoveRow:
        """Compare-and-set on (state, version). Raises Overtaken."""
        ...


class NetboxBook(Protocol):
    """Each tenant's NetBox: how it is reached, how far the sync is, what is linked with what."""

    def access(self, tenant: TenantId) -> NetboxAccess | None:
        """None when the tenant has no NetBox."""
        ...

    def put_access(self, tenant: TenantId, access: NetboxAccess) -> None:
        """Add or replace; another server or scope begins anew."""
        ...

    def state(self, tenant: TenantId) -> SyncState:
        """How far the sync is."""
        ...

    def set_state(self, tenant: TenantId, state: SyncState) -> None:
        """How far it is now."""
        ...

    def links(self, tenant: TenantId) -> tuple[Link, ...]:
        """All links, by type and id."""
        ...

    def put_links(self, tenant: TenantId, links: Sequence[Link]) -> None:
        """Add or replace links, each known by type and id."""
        ...


# --------------------------------------------------------------------------- the store as a whole


class Books(Protocol):
    """Everything that is stored, within one open transaction."""

    assets: AssetStore
    journal: Journal
    people: PeopleBook
    tenants: TenantBook
    plans: PlanBook
    waves: WaveBook
    runs: RunBook
    netbox: NetboxBook
    notices: NoticeBook
    launches: LaunchBook
    occurrences: OccurrenceBook

    def epoch(self) -> int:
        """The present driver epoch; 0 before anyone drove."""
        ...

    def raise_epoch(self, *, above: int = 0) -> int:
        """One more, and more than ``above``; only the holder of the seat calls this."""
        ...

    def driven(self) -> bool | None:
        """Whether somebody holds the driver's seat now; None when that cannot be told."""
        ...


class Store(Protocol):
    """A database with Kahn's tables."""

    def transaction(self) -> AbstractContextManager[Books]:
        """Read and write; commits when left normally, leaves nothing behind when left by an exception."""
        ...

    def reading(self) -> AbstractContextManager[Books]:
        """One consistent view that holds nobody up; writing in it fails."""
        ...

    def seat(self) -> AbstractContextManager[bool]:
        """The driver's seat, while the context is open; False when somebody else has it."""
        ...


class SignatureCheck(Protocol):
    """Signs and checks with SSH keys (``ssh-keygen -Y``)."""

    def sign(self, message: bytes, *, key_file: Path) -> str:
        """Armoured signature. Raises CannotSign."""
        ...

    def holds(self, message: bytes, *, signature: str, public_key: str) -> bool:
        """Whether the signature over the message was made by that key."""
        ...


class Clock(Protocol):
    """The time and chance of the outer world."""

    def now(self) -> datetime:
        """UTC."""
        ...

    def new_id(self) -> str:
        """A fresh UUIDv7."""
        ...

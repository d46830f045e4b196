"""What runs need: who takes part in one, what it left behind, how it is stored, and who plays it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from inventory.model import AssetId, TenantId
from orchestrator.core.estimates import RunTime
from orchestrator.core.fleet import HostAnswer
from orchestrator.core.runbook import Direction
from orchestrator.core.wave import RunId, WaveContent


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSpec:
    """One asset move's part in a run: attempt id, and the machines it uses alone."""

    id: str
    asset: AssetId
    machines: tuple[str, ...]
    """Names of machines nobody else may use meanwhile (source and target; a vault is shared)."""
    settled: tuple[str, ...] = ()
    """Ids of this asset's earlier attempts: known to have ended, so their receipts do not stand in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One supervisor for (wave, batch, step, direction). ``state``: intended, running, ended."""

    id: RunId
    tenant: TenantId
    wave: str
    revision: int
    batch: str
    step: str
    direction: Direction
    epoch: int
    attempts: tuple[AttemptSpec, ...]
    intended_at: datetime
    deadline: datetime
    state: str = "intended"
    ingested_seq: int = 0
    ingested_offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolLine:
    """One checked line of a run's spool. ``fields`` are those of the allow-list."""

    seq: int
    wall_us: int
    kind: str
    host: str
    fields: Mapping[str, Any]


class RunBook(Protocol):
    """Runs, attempts and run events."""

    def intend(self, run: RunRow, *, at: datetime) -> None:
        """Commit the intent. Raises AssetBusy when an asset or machine has a live attempt elsewhere."""
        ...

    def unknown(self, runs: Collection[RunId]) -> frozenset[RunId]:
        """Those of the runs that the store never intended."""
        ...

    def set_run_state(self, run: RunId, *, to: str, at: datetime) -> None:
        """intended -> running -> ended."""
        ...

    def live(self) -> tuple[RunRow, ...]:
        """Runs that have not ended, of all tenants, oldest first."""
        ...

    def of_wave(self, tenant: TenantId, key: str) -> tuple[RunRow, ...]:
        """All runs of the wave's present revision, oldest first."""
        ...

    def holder(self, tenant: TenantId, attempt: AttemptSpec, *, wave: str) -> str:
        """Which other wave holds the asset or one of the machines; empty when they are free for this wave."""
        ...

    def earlier_attempts(self, tenant: TenantId, asset: AssetId) -> tuple[str, ...]:
        """Ids of the asset's ended attempts in any wave, oldest first."""
        ...

    def ingest(self, run: RunId, lines: Sequence[SpoolLine], *, offset: int) -> int:
        """Store the lines (a line known already is passed over) and move the mark; returns how many were new."""
        ...

    def events(self, run: RunId) -> tuple[SpoolLine, ...]:
        """All stored lines of the run by seq."""
        ...

    def end_attempt(self, run: RunId, asset: AssetId, *, outcome: str, cause: str, at: datetime) -> None:
        """Close the attempt. An attempt that ends as ``unknown`` keeps its asset and machines locked."""
        ...

    def times(self, tenant: TenantId, *, waves: Collection[str]) -> tuple[RunTime, ...]:
        """How long the newest runs of these waves took in which everything went well."""
        ...

    def release(self, tenant: TenantId, asset: AssetId, *, wave: str) -> None:
        """Free an asset locked by an unknown outcome of this wave (never of another)."""
        ...


class HostLook(Protocol):
    """A look at machines that is under way beside the driver; one that is given up leaves nothing behind."""

    def answers(self) -> Sequence[HostAnswer] | None:
        """One answer for each door, in their order; None while it is under way. Asked again, it says the same."""
        ...

    def wait(self) -> Sequence[HostAnswer]:
        """The answers, once they are there."""
        ...

    def drop(self) -> None:
        """Nobody wants the answers any more."""
        ...


# --------------------------------------------------------------------------- on this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """All that a run needs: which playbooks, on which moves, with which machines. Built into a run directory."""

    run: RunRow
    content: WaveContent
    playbooks: tuple[str, ...]
    """Paths inside the runbook's folder, played in this order between claim and done."""
    on: str
    """Role whose machines the plays connect to."""
    once: bool
    """Whether claim and receipts are written on the target (effect ``once``)."""
    second_way: frozenset[AssetId] = frozenset()
    """Assets whose machine the plays reach at its second address, with the same host key."""
    known: Mapping[str, str] = field(default_factory=dict)
    """Names of the inventory's machines by their address, for a service check of procedures; else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolRead:
    """What was new in a run's spool, and what is known of its end."""

    lines: tuple[SpoolLine, ...]
    offset: int
    started: bool
    exited: bool
    exit_code: int | None
    last_seq: int | None
    """From the EXIT record."""
    alive: bool
    """Whether any process of the run still lives (alive.lock is held)."""
    damaged: str = ""
    """Why the spool cannot be trusted (gap, checksum), empty when it can."""


class PlaybookRunner(Protocol):
    """Starts runs that outlive their starter, and reads what they leave behind. Real ansible, or simulated hosts."""

    def start(self, order: RunOrder) -> None:
        """Build the directory and start the supervisor detached. Raises RunRefused."""
        ...

    def read(self, run: RunId, *, offset: int) -> SpoolRead:
        """New complete lines since offset; never blocks."""
        ...

    def close(self, run: RunId) -> bool:
        """Forbid a late start for ever. True when no process of the run lives and none can start any more.

        Raises RunStuck.
        """
        ...

    def kill(self, run: RunId) -> None:
        """Kill every process of the run; ``read`` tells when they are gone."""
        ...

    def epoch(self) -> int:
        """The highest driver epoch that started a run here; a store that was restored may know a lower one."""
        ...

    def runs_here(self) -> frozenset[RunId]:
        """Every run that left something here."""
        ...

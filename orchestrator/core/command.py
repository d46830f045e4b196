"""What the rules may answer, and what a rule may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory.model import AssetId
from orchestrator.core.lifecycle import MoveEvent, WaveEvent, WaveState
from orchestrator.core.progress import GateRecord, WaveProgress
from orchestrator.core.runbook import Direction
from orchestrator.core.surroundings import CALM, Surroundings
from orchestrator.core.wave import WaveContent


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWave:
    """Let an event happen to the wave."""

    event: WaveEvent
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginBatch:
    """Freeze the batch's size and let its planned moves begin."""

    batch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtHosts:
    """Look whether the machines of these assets can work, before the batch begins; then ask again."""

    batch: str
    assets: tuple[AssetId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordGate:
    """Write down a gate's verdict with its inputs."""

    gate: GateRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordComparison:
    """Write down how an asset's successor compares with its portrait from before."""

    asset: AssetId
    body: Mapping[str, Any]
    """counts (by verdict), serious, differences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMove:
    """Let an event happen to one asset move."""

    asset: AssetId
    event: MoveEvent
    cause: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRun:
    """Start one supervisor for these moves of a batch."""

    batch: str
    step: str
    direction: Direction
    assets: tuple[AssetId, ...]
    second_way: tuple[AssetId, ...] = ()
    """Those of the assets whose machine is asked at its second address."""
    last: bool = False
    """Of a service check: whether the last soak of these moves is over with it."""


Command = ChangeWave | LookAtHosts | BeginBatch | RecordGate | RecordComparison | ChangeMove | StartRun


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a rule may look at."""

    content: WaveContent
    progress: WaveProgress
    now: datetime
    around: Surroundings = CALM

    @property
    def dispatching(self) -> bool:
        """Whether new steps may begin."""
        return self.progress.state is WaveState.RUNNING

"""What surrounds a wave at a moment: facts of the outer world that the rules ask for, read anew before each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inventory.model import AssetId


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much is free where Kahn writes: ``where`` is ``state`` (its directory) or ``database``."""

    where: str
    free_gib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What the fleet preflight found: assets that stay behind with the cause, or why the whole wave must be held."""

    held: Mapping[AssetId, str] = field(default_factory=dict)
    closed: str = ""
    under_way: bool = False
    """Whether the machines are still being asked."""


ALL_WELL = Looked()
LOOKING = Looked(under_way=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Facts given to the rules with the time. The defaults say that nothing is the matter."""

    stopped: bool = False
    """Whether a person stopped all dispatch (`kahn stop --all`): nothing new is started anywhere."""
    frozen: str = ""
    """Name of the freeze in force for this tenant now; empty when there is none."""
    full: str = ""
    """Where less is free than the tenant's policy demands; empty when there is room."""
    clock_jump_s: int = 0
    """By how many seconds the wall clock jumped against the steady one since the driver last looked; 0 within 60 s."""
    driven: bool | None = None
    """Whether somebody drives: `kahn serve` or `kahn wave run`; None when nobody could tell."""
    outage_allowed_s: int = 0
    """How long an asset of the wave may be out of service; 0 when nothing was agreed."""
    took: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Seconds that earlier runs of the same runbook took for one round of forks, by ``direction:step``."""

    hosts: Looked | None = ALL_WELL
    """What the fleet preflight found just now; None when nobody has looked and somebody can."""


CALM = Surroundings()

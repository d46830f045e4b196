"""How an attempt at one asset move ended, as the fold of the journal keeps it, and what counts as a fault of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.core.runbook import Direction

STARTED = "started"
"""Outcome of an external step's first run: the other tool has it in hand, and the step is not done."""
SERVICE_BAD = "service_bad"
"""Cause of a wave in which something that moved does not serve."""
OPENING_BAD = "opening_bad"
"""Cause of a wave whose procedure did not serve at the hour at which its counter opens."""
WAITS = "waits"
"""Outcome of a step that met what its runbook waits for, such as somebody at work: it looks again, nothing failed."""
UNREACHABLE = ("unreachable", "source_unreachable", "target_unreachable")
"""Causes that say: nobody answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an asset move's latest attempt ended. ``outcome``: done failed unreachable not_started unknown started
    waits."""

    step: str
    direction: Direction
    outcome: str
    cause: str
    evidence: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AtWork:
    """What a live run is for, since when and until when at the latest."""

    step: str
    direction: Direction
    since: datetime
    until: datetime | None = None


def fault_of(result: Result, before: tuple[str, str] | None) -> tuple[str, str] | None:
    """What went wrong, as a signature (step, cause) that others can share; only ways forward count.

    ``before``: what had gone wrong until then, which a success alone wipes out.
    """
    if result.direction not in (Direction.DO, Direction.BASELINE):
        return before
    if result.outcome in ("failed", "unreachable") or result.cause in UNREACHABLE:
        return result.step, result.cause or result.outcome
    return None if result.outcome == "done" else before

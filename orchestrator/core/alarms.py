"""Alarms that the clock raises, not a change of state: an hour passed, a window that ends, an outage that lasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory.model import AssetId
from orchestrator.core.lifecycle import ARRIVED, WAVE_GROUPS, MoveState, WaveState
from orchestrator.core.notices import NoticeKind
from orchestrator.core.policy import Policy
from orchestrator.core.progress import MoveProgress, WaveProgress
from orchestrator.core.wave import WaveContent

NEAR = 0.75
"""Share of the allowed outage after which people are called: early enough to decide."""
PATIENCE = timedelta(minutes=5)
"""How long a wave may stand before its open window without a start."""
SOON = timedelta(hours=1)
"""How long before a wave's hour people are called when nobody drives: early enough to start the service."""
_NOT_UNDER_WAY = WAVE_GROUPS["at rest"] | {WaveState.MISSED, WaveState.CHECKING}
_SETTLED = (*ARRIVED, MoveState.ROLLED_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm: at most one of its kind for each asset in a revision of a wave."""

    kind: NoticeKind
    asset: AssetId | None = None
    cause: str = ""


def alarms_due(content: WaveContent, progress: WaveProgress, policy: Policy, now: datetime) -> tuple[Alarm, ...]:
    """Alarms that the moment demands, whether or not they were raised before."""
    if progress.state in _NOT_UNDER_WAY:
        return ()
    return (*_last_moment(content, progress, policy, now), *_outages(content, progress, policy, now))


def _last_moment(content: WaveContent, progress: WaveProgress, policy: Policy, now: datetime) -> Iterator[Alarm]:
    """The window's end is near and there are assets that are neither moved nor as before."""
    near = content.window.closes - timedelta(minutes=policy.last_moment_min)
    unfinished = any(move.state not in _SETTLED and _is_touched(move) for move in progress.moves.values())
    if near <= now < content.window.closes and unfinished:
        yield Alarm(kind=NoticeKind.LAST_MOMENT)


def _is_touched(move: MoveProgress) -> bool:
    return bool(move.begun) or move.state not in (MoveState.PLANNED, MoveState.HELD)


def _outages(content: WaveContent, progress: WaveProgress, policy: Policy, now: datetime) -> Iterator[Alarm]:
    allowed = allowed_outage(content, policy)
    if allowed is None:
        return
    for move in progress.moves.values():
        if move.out_since is not None and move.state not in _SETTLED and now - move.out_since >= allowed * NEAR:
            yield Alarm(kind=NoticeKind.OUTAGE, asset=move.asset)


def allowed_outage(content: WaveContent, policy: Policy) -> timedelta | None:
    """How long an asset of this wave may be out of service: the least of its kinds; None when nothing was agreed."""
    pairs = (*policy.runbooks.items(), *policy.by_hand.items(), *policy.by_psrp.items())
    kinds = [kind for kind, runbook in pairs if runbook == content.runbook.name]
    limits = [policy.max_outage_min[kind] for kind in kinds if kind in policy.max_outage_min]
    return timedelta(minutes=min(limits)) if limits else None


def overdue(content: WaveContent, state: WaveState, now: datetime) -> bool:
    """Whether the wave's hour came a while ago and it has not started."""
    waits = state in (WaveState.APPROVED, WaveState.SCHEDULED)
    return waits and content.window.opens + PATIENCE <= now < content.window.closes


def lacks_a_driver(content: WaveContent, state: WaveState, now: datetime) -> bool:
    """Whether somebody must drive this wave: it is in motion, or its hour is near or has come."""
    waits = state in (WaveState.APPROVED, WaveState.SCHEDULED)
    due = content.window.opens - SOON <= now < content.window.closes
    return state in WAVE_GROUPS["in motion"] or (waits and due)

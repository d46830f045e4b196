"""The opening check: a procedure that moved is asked once more at the hour at which its counter opens."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from inventory.model import AssetId
from orchestrator.core.calendar import resolved, zone_of
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.progress import MoveProgress, WaveProgress
from orchestrator.core.wave import WaveContent


class Opening(StrEnum):
    """How an opening check stands."""

    TO_COME = "to_come"
    DUE = "due"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningLine:
    """One procedure's opening check, in the zone of the wave's window."""

    name: str
    at: datetime
    stands: Opening


def opening_of(content: WaveContent, asset: AssetId, *, since: datetime) -> datetime | None:
    """The first time after ``since`` at which that asset's procedure opens; None where nobody said when."""
    procedure = content.move(asset).procedure
    if procedure is None or not procedure.opens_at or content.runbook.service is None:
        return None
    zone = zone_of(content.window.zone)
    today = datetime.combine(since.astimezone(zone).date(), time.fromisoformat(procedure.opens_at))
    found = (resolved(today + timedelta(days=number), zone) for number in range(3))
    return next(one for one in found if one > since)


def wants_opening(content: WaveContent, progress: WaveProgress, *, open_now: Collection[str] = ()) -> bool:
    """Whether the last batch is through and something that moved has an hour to open. ``open_now``: gates that open."""
    return _all_through(content, progress, open_now) and any(_has_hour(content, move) for move in _moved(progress))


def wants_end(content: WaveContent, progress: WaveProgress, *, open_now: Collection[str] = ()) -> bool:
    """Whether the last batch is through and something that moved has names that live shortly until its soak is over."""
    ends = content.runbook.service is not None and bool(content.runbook.service.at_end)
    named = any((found := content.move(move.asset).procedure) and found.dns_key_file for move in _moved(progress))
    return ends and named and _all_through(content, progress, open_now)


def wants_last_soak(content: WaveContent, progress: WaveProgress, *, open_now: Collection[str] = ()) -> bool:
    """Whether the wave soaks after its last batch also without ``soak_minutes``, and past the end of its window."""
    wants = (wants_opening, wants_end)
    return any(one(content, progress, open_now=open_now) for one in wants)


def _moved(progress: WaveProgress) -> list[MoveProgress]:
    return [move for move in progress.moves.values() if move.state is MoveState.MOVED]


def _all_through(content: WaveContent, progress: WaveProgress, open_now: Collection[str] = ()) -> bool:
    gates = ((batch.name, progress.gate(batch.name)) for batch in content.batches)
    return all(name in open_now or (gate is not None and gate.open) for name, gate in gates)


def _has_hour(content: WaveContent, move: MoveProgress) -> bool:
    procedure = content.move(move.asset).procedure
    return content.runbook.service is not None and procedure is not None and bool(procedure.opens_at)


def opening_for(content: WaveContent, progress: WaveProgress, move: MoveProgress) -> datetime | None:
    """When that move is asked during the soak that is going on; None when it is not, or not yet the last one."""
    if progress.since is None or not wants_opening(content, progress):
        return None
    # Since the last gate, not since the soak began: one that was interrupted asks at once, not on the next day.
    began = max((gate.at for gate in progress.gates if gate.at is not None), default=progress.since)
    return opening_of(content, move.asset, since=began)


def soak_ends(content: WaveContent, progress: WaveProgress) -> datetime | None:
    """When a soak that is going on ends by itself: its time is over, and the last counter has opened."""
    if progress.since is None:
        return None
    over = progress.since + timedelta(seconds=content.thresholds.soak_s)
    ends = (soak_ends_for(content, progress, move) for move in _moved(progress))
    return max((over, *(one for one in ends if one is not None)))


def soak_ends_for(content: WaveContent, progress: WaveProgress, move: MoveProgress) -> datetime | None:
    """When the soak is over as far as that move goes: a later counter of another one is not waited for."""
    if progress.since is None:
        return None
    over = progress.since + timedelta(seconds=content.thresholds.soak_s)
    return max(over, opening_for(content, progress, move) or over)


def is_last_look(content: WaveContent, progress: WaveProgress, move: MoveProgress, *, due: datetime) -> bool:
    """Whether a check that is due then is the last one of that move in this wave."""
    ends = soak_ends_for(content, progress, move)
    return _all_through(content, progress) and ends is not None and due >= ends


def openings_of(content: WaveContent, progress: WaveProgress, *, now: datetime) -> tuple[OpeningLine, ...]:
    """Every opening check of a wave that soaks for it, the next one first."""
    if progress.state is not WaveState.SOAKING:
        return ()
    found = ((move, opening_for(content, progress, move)) for move in progress.moves.values())
    zone = zone_of(content.window.zone)
    lines = (
        OpeningLine(name=content.move(move.asset).name, at=at.astimezone(zone), stands=_stands(move, at, now))
        for move, at in found
        if at is not None and move.state is MoveState.MOVED
    )
    return tuple(sorted(lines, key=lambda one: (one.at, one.name)))


def _stands(move: MoveProgress, at: datetime, now: datetime) -> Opening:
    if move.service_at is not None and move.service_at >= at:
        return Opening.GOOD if move.service_ok else Opening.BAD
    return Opening.DUE if now >= at else Opening.TO_COME

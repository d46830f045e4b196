"""Soaking: after a batch the wave waits and asks all that moved in it so far whether their service really works."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from inventory.model import AssetId
from orchestrator.core.command import ChangeWave, Command, StartRun, View
from orchestrator.core.lifecycle import MoveState, WaveEvent, WaveState
from orchestrator.core.opening_check import is_last_look, opening_for, soak_ends
from orchestrator.core.progress import MoveProgress
from orchestrator.core.results import OPENING_BAD, SERVICE_BAD
from orchestrator.core.runbook import Direction


def soak_commands(view: View) -> tuple[Command, ...]:
    """Service checks at the soak's beginning and after its end; a bad one holds the wave, good ones end the soak.

    What moved with an earlier batch is asked again: a later batch may have taken something away from it. After the last
    batch each procedure is asked once more at the hour at which its counter opens, where one was described.
    """
    since = view.progress.since
    if view.progress.state is not WaveState.SOAKING or since is None or not view.progress.gates:
        return ()
    moved = [move for move in view.progress.moves.values() if move.state is MoveState.MOVED]
    if any(move.run is not None for move in moved):
        return ()
    bad = [move for move in moved if move.service_ok is False and _asked_since(move, since)]
    if bad:
        opened = any(_asked_since(move, opening_for(view.content, view.progress, move)) for move in bad)
        return (ChangeWave(event=WaveEvent.HOLD, cause=OPENING_BAD if opened else SERVICE_BAD),)
    checks = _checks(view, moved, since=since)
    ends = soak_ends(view.content, view.progress)
    if checks or ends is None or view.now < ends:
        return checks
    return (ChangeWave(event=WaveEvent.SOAKED),)


def _asked_since(move: MoveProgress, at: datetime | None) -> bool:
    return at is not None and move.service_at is not None and move.service_at >= at


def _due(view: View, move: MoveProgress, since: datetime) -> datetime:
    """The latest time that has come at which that move is to be asked."""
    over = since + timedelta(seconds=view.content.thresholds.soak_s)
    opening = opening_for(view.content, view.progress, move)
    return max(one for one in (since, over, opening) if one is not None and (one == since or one <= view.now))


def _checks(view: View, moved: Sequence[MoveProgress], *, since: datetime) -> tuple[Command, ...]:
    """A run a batch over those that were not asked since they were due; none where the runbook knows no check."""
    if view.content.runbook.service is None:
        return ()
    runs: dict[tuple[str, bool], list[AssetId]] = {}
    for move in moved:
        due = _due(view, move, since)
        if not _asked_since(move, due):
            last = is_last_look(view.content, view.progress, move, due=due)
            runs.setdefault((move.batch, last), []).append(move.asset)
    return tuple(
        StartRun(batch=batch, step="", direction=Direction.SERVICE, assets=tuple(assets), last=last)
        for (batch, last), assets in runs.items()
    )

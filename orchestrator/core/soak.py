"""Soaking: after a batch the wave waits and asks all that moved in it so far whether their service really works."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from orchestrator.core.command import ChangeWave, Command, StartRun, View
from orchestrator.core.lifecycle import MoveState, WaveEvent, WaveState
from orchestrator.core.progress import MoveProgress
from orchestrator.core.runbook import Direction

SERVICE_BAD = "service_bad"


def soak_commands(view: View) -> tuple[Command, ...]:
    """Service checks at the soak's beginning and after its end; a bad one holds the wave, good ones end the soak.

    What moved with an earlier batch is asked again: a later batch may have taken something away from it.
    """
    since = view.progress.since
    if view.progress.state is not WaveState.SOAKING or since is None or not view.progress.gates:
        return ()
    moved = [move for move in view.progress.moves.values() if move.state is MoveState.MOVED]
    if any(move.run is not None for move in moved):
        return ()
    if any(move.service_ok is False and move.service_at is not None and move.service_at >= since for move in moved):
        return (ChangeWave(event=WaveEvent.HOLD, cause=SERVICE_BAD),)
    ends = since + timedelta(seconds=view.content.thresholds.soak_s)
    checks = _checks(view, moved, after=ends if view.now >= ends else since)
    if checks or view.now < ends:
        return checks
    return (ChangeWave(event=WaveEvent.SOAKED),)


def _checks(view: View, moved: Sequence[MoveProgress], *, after: datetime) -> tuple[Command, ...]:
    """A run a batch over those that were not asked since then; none where the runbook knows no service check."""
    if view.content.runbook.service is None:
        return ()
    asked = [move for move in moved if move.service_at is None or move.service_at < after]
    batches = dict.fromkeys(move.batch for move in asked)
    return tuple(
        StartRun(
            batch=batch,
            step="",
            direction=Direction.SERVICE,
            assets=tuple(move.asset for move in asked if move.batch == batch),
        )
        for batch in batches
    )

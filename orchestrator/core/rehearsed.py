"""What a wave would do, in order and with times, without doing any of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.core.estimates import Estimates
from orchestrator.core.runbook import Direction, Effect
from orchestrator.core.surroundings import Surroundings
from orchestrator.core.wave import WaveContent


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldRun:
    """One run that would be started: seconds are P80 for all assets of the batch."""

    step: str
    """Empty for the fingerprint from before, and for the comparison of before and after."""
    on: str
    effect: Effect
    no_return: bool
    seconds: float
    undo_seconds: float
    direction: Direction = Direction.DO


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldBatch:
    """One batch as it would be carried out."""

    batch: str
    names: tuple[str, ...]
    runs: tuple[WouldRun, ...]
    begins_by: datetime
    """When it must begin at the latest, so that it could still go back inside the window."""


def would_do(content: WaveContent, around: Surroundings) -> tuple[WouldBatch, ...]:
    """Every batch in order."""
    times = Estimates(content=content, around=around)
    found = []
    for batch in content.batches:
        size = len(batch.assets)
        baseline = WouldRun(
            step="",
            on=content.runbook.baseline.on,
            effect=Effect.NONE,
            no_return=False,
            seconds=times.run_s(Direction.BASELINE, "", assets=size),
            undo_seconds=0.0,
            direction=Direction.BASELINE,
        )
        steps = tuple(
            WouldRun(
                step=step.name,
                on=step.on,
                effect=step.effect,
                no_return=step.no_return,
                seconds=times.run_s(Direction.DO, step.name, assets=size),
                undo_seconds=times.run_s(Direction.UNDO, step.name, assets=size) if step.has_undo else 0.0,
            )
            for step in content.runbook.steps
        )
        if content.runbook.after is not None:
            after = replace(baseline, on=content.runbook.after.on, direction=Direction.AFTER)
            steps = (*steps, replace(after, seconds=times.run_s(Direction.AFTER, "", assets=size)))
        names = tuple(content.move(asset).name for asset in batch.assets)
        found.append(
            WouldBatch(
                batch=batch.name, names=names, runs=(baseline, *steps), begins_by=times.batch_fits_until(batch.name)
            )
        )
    return tuple(found)

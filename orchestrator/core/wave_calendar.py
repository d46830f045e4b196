"""The waves of a plan, and what is due ahead of them, as calendar entries that keep their identity."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from inventory.dependencies import departments_of
from inventory.model import AssetId, Snapshot, TenantId, name_key
from orchestrator.core.due_tasks import Due, DueTask
from orchestrator.core.plan import Plan, PlannedWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveFacts:
    """What the books say of a wave: its state, its revision (from 1) and since when it is so (UTC)."""

    state: str
    revision: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """One wave. ``uid`` never changes for a tenant's wave; ``revision`` rises when its content does."""

    uid: str
    wave: str
    window: PlannedWindow
    state: str
    revision: int
    since: datetime | None
    runbook: str
    assets: int
    departments: tuple[tuple[str, int], ...]
    """With their assets, most first; empty names last."""
    sites: tuple[tuple[str, int], ...]


def calendar_entries(plan: Plan, snapshot: Snapshot, *, facts: Mapping[str, WaveFacts]) -> tuple[CalendarEntry, ...]:
    """One entry a wave, in the order of their windows."""
    known, departments = snapshot.by_id(), departments_of(snapshot)

    def site_of(asset: AssetId) -> str:
        return known[asset].text("site") if asset in known else ""

    return tuple(
        CalendarEntry(
            uid=f"wave-{wave.key}.{plan.tenant}@kahn".lower(),
            wave=str(wave.key),
            window=wave.window,
            state=facts[wave.key].state if wave.key in facts else "",
            revision=facts[wave.key].revision if wave.key in facts else 1,
            since=facts[wave.key].since if wave.key in facts else None,
            runbook=wave.runbook,
            assets=len(wave.assets),
            departments=_counted(wave.assets, lambda asset: departments.get(asset, "")),
            sites=_counted(wave.assets, site_of),
        )
        for wave in sorted(plan.waves, key=lambda wave: (wave.window.opens, wave.key))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEntry:
    """One task ahead of a wave: on the last day to begin it. ``uid`` never changes for a tenant's task of a wave."""

    uid: str
    task: DueTask
    revision: int
    since: datetime | None


def task_entries(
    tasks: Iterable[DueTask], *, tenant: TenantId, facts: Mapping[str, WaveFacts]
) -> tuple[TaskEntry, ...]:
    """One entry for each task that is not begun, in their order. Their revision is that of the wave."""
    return tuple(
        TaskEntry(
            uid=f"task-{hashlib.sha256(one.name.encode()).hexdigest()[:16]}-{one.wave}.{tenant}@kahn".lower(),
            task=one,
            revision=facts[one.wave].revision if one.wave in facts else 1,
            since=facts[one.wave].since if one.wave in facts else None,
        )
        for one in tasks
        if one.state is not Due.DONE
    )


def _counted(assets: Sequence[AssetId], place_of: Callable[[AssetId], str]) -> tuple[tuple[str, int], ...]:
    count = Counter(place_of(asset) for asset in assets)
    return tuple(sorted(count.items(), key=lambda pair: (not pair[0], -pair[1], name_key(pair[0]))))

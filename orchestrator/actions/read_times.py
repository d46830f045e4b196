"""Reading the stopwatch: how long runs of a runbook took in the tenant's latest waves."""

from __future__ import annotations

from inventory.model import TenantId
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.progress import Fact
from orchestrator.core.step_times import RunTime, run_times
from orchestrator.ports import Books

LATEST = 5
"""Waves that count: older ones say little about today's machines and lines."""
_NOT_STARTED = (WaveState.DRAFT, WaveState.PROPOSED, WaveState.APPROVED, WaveState.SCHEDULED, WaveState.MISSED)


def times_of(books: Books, tenant: TenantId, runbook: str) -> tuple[RunTime, ...]:
    """Durations of all runs in the latest waves of that runbook."""
    waves = [one for one in books.waves.all(tenant) if one.content.runbook.name == runbook]
    begun = sorted((one for one in waves if one.state not in _NOT_STARTED), key=lambda one: one.since)
    found: list[RunTime] = []
    for wave in begun[-LATEST:]:
        entries = books.journal.read(tenant, subject=f"wave:{wave.key}")
        found += run_times(Fact(at=one.at, kind=one.entry.kind, body=one.entry.body) for one in entries)
    return tuple(found)

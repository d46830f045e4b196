"""Reading the stopwatch: how long runs of a runbook took in the tenant's latest waves and rehearsals."""

from __future__ import annotations

from pydantic import ValidationError

from inventory.model import TenantId
from orchestrator.core.canonical import restore
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.progress import Fact
from orchestrator.core.rehearsal import Rehearsal
from orchestrator.core.step_times import RunTime, run_times
from orchestrator.ports import Books

REHEARSALS, REHEARSED = "rehearsals", "rehearsal.ended"
"""Journal subject and kind of what rehearsals left."""
LATEST = 5
"""Waves and rehearsals that count: older ones say little about today's machines and lines."""
_NOT_STARTED = (WaveState.DRAFT, WaveState.PROPOSED, WaveState.APPROVED, WaveState.SCHEDULED, WaveState.MISSED)


def times_of(books: Books, tenant: TenantId, runbook: str) -> tuple[RunTime, ...]:
    """Durations of all runs in the latest waves and rehearsals of that runbook."""
    waves = [one for one in books.waves.all(tenant) if one.content.runbook.name == runbook]
    begun = sorted((one for one in waves if one.state not in _NOT_STARTED), key=lambda one: one.since)
    found: list[RunTime] = []
    for wave in begun[-LATEST:]:
        entries = books.journal.read(tenant, subject=f"wave:{wave.key}")
        found += run_times(Fact(at=one.at, kind=one.entry.kind, body=one.entry.body) for one in entries)
    return (*rehearsed_times(books, tenant, runbook), *found)


def rehearsals_in(books: Books, tenant: TenantId) -> tuple[Rehearsal, ...]:
    """What was rehearsed, oldest first. Entries that cannot be read count for nothing."""
    found = []
    for sealed in books.journal.read(tenant, subject=REHEARSALS):
        try:
            found.append(restore(Rehearsal, sealed.entry.body))
        except ValidationError:
            continue
    return tuple(found)


def rehearsed_times(books: Books, tenant: TenantId, runbook: str) -> tuple[RunTime, ...]:
    """Durations of all runs in the latest rehearsals of that runbook."""
    measured = [one for one in rehearsals_in(books, tenant) if one.runbook == runbook and one.times]
    return tuple(time for one in measured[-LATEST:] for time in one.times)

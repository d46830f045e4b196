"""Reading the stopwatch: how long runs of a runbook took in the tenant's waves and rehearsals."""

from __future__ import annotations

from pydantic import ValidationError

from inventory.model import TenantId
from orchestrator.core.canonical import restore
from orchestrator.core.estimates import RunTime
from orchestrator.core.rehearsal import Rehearsal
from orchestrator.ports import Books

REHEARSALS, REHEARSED = "rehearsals", "rehearsal.ended"
"""Journal subject and kind of what rehearsals left."""
LATEST = 5
"""Rehearsals that count: older ones say little about today's machines and lines."""


def times_of(books: Books, tenant: TenantId, runbook: str) -> tuple[RunTime, ...]:
    """Durations of the newest runs in which all went well, in waves of that runbook and its latest rehearsals."""
    waves = [one.key for one in books.waves.all(tenant) if one.content.runbook.name == runbook]
    return (*rehearsed_times(books, tenant, runbook), *books.runs.times(tenant, waves=waves))


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

"""Occurrences, in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from inventory.model import TenantId
from orchestrator.core.occurrence import Occurrence, OccurrenceState
from orchestrator.core.refusals import Overtaken

if TYPE_CHECKING:
    from tests.simulation.memory_store import Rows

OPEN = (OccurrenceState.DUE, OccurrenceState.CLAIMED, OccurrenceState.MISSED)


class MemoryOccurrences:
    """Starts of waves."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def get(self, tenant: TenantId, wave: str, *, revision: int) -> Occurrence | None:
        """The start of that revision."""
        return self._rows.occurrences.get((tenant, wave, revision))

    def put(self, occurrence: Occurrence, *, at: datetime) -> Occurrence:
        """A new one."""
        place = (occurrence.tenant, occurrence.wave, occurrence.revision)
        others = [one for key, one in self._rows.occurrences.items() if key[:2] == place[:2] and one.state in OPEN]
        if place in self._rows.occurrences or others:
            raise Overtaken(subject=f"the start of wave {occurrence.wave}")
        self._rows.occurrences[place] = replace(occurrence, since=at)
        return self._rows.occurrences[place]

    def change(self, found: Occurrence, *, to: OccurrenceState, epoch: int, at: datetime) -> Occurrence:
        """Compare-and-set on its state."""
        place = (found.tenant, found.wave, found.revision)
        present = self._rows.occurrences.get(place)
        if present is None or present.state is not found.state:
            raise Overtaken(subject=f"the start of wave {found.wave}")
        self._rows.occurrences[place] = replace(found, state=to, epoch=epoch, since=at)
        return self._rows.occurrences[place]

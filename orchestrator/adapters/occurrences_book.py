"""Occurrences in the database: one start for a revision, claimed by compare-and-set."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from inventory.model import TenantId
from inventory.tables import table_of
from orchestrator.adapters.occurrence_tables import OccurrenceRow
from orchestrator.adapters.rows import unless_taken
from orchestrator.core.occurrence import Occurrence, OccurrenceState
from orchestrator.core.refusals import Overtaken

_TABLE = table_of(OccurrenceRow)


class OccurrencesBook:
    """Occurrences of every tenant. Works inside the caller's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, tenant: TenantId, wave: str, *, revision: int) -> Occurrence | None:
        """The start of that revision; None when nobody planned it."""
        mine = (_TABLE.c.tenant == tenant, _TABLE.c.wave == wave, _TABLE.c.revision == revision)
        row = self._connection.execute(select(_TABLE).where(*mine)).one_or_none()
        if row is None:
            return None
        return Occurrence(
            tenant=tenant,
            wave=wave,
            revision=revision,
            starts=row.starts_us,
            local=row.local,
            zone=row.zone,
            state=OccurrenceState(row.state),
            epoch=row.epoch,
            since=row.since_us,
        )

    def put(self, occurrence: Occurrence, *, at: datetime) -> Occurrence:
        """A new one, due. Raises Overtaken when that revision has one, or the wave another that is open."""
        with unless_taken(self._connection, Overtaken(subject=f"the start of wave {occurrence.wave}")):
            self._connection.execute(
                insert(_TABLE).values(
                    tenant=occurrence.tenant,
                    wave=occurrence.wave,
                    revision=occurrence.revision,
                    starts_us=occurrence.starts,
                    local=occurrence.local,
                    zone=occurrence.zone,
                    state=occurrence.state.value,
                    epoch=occurrence.epoch,
                    since_us=at,
                )
            )
        return replace(occurrence, since=at)

    def change(self, found: Occurrence, *, to: OccurrenceState, epoch: int, at: datetime) -> Occurrence:
        """Compare-and-set on its state. Raises Overtaken."""
        changed = self._connection.execute(
            update(_TABLE)
            .where(_TABLE.c.tenant == found.tenant, _TABLE.c.wave == found.wave)
            .where(_TABLE.c.revision == found.revision, _TABLE.c.state == found.state.value)
            .values(state=to.value, epoch=epoch, since_us=at)
        )
        if changed.rowcount != 1:
            raise Overtaken(subject=f"the start of wave {found.wave}")
        return replace(found, state=to, epoch=epoch, since=at)

"""What may be launched in the database: the stop of all dispatch, and launches by their idempotency key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from inventory.model import TenantId
from inventory.tables import table_of
from orchestrator.adapters.rows import unless_taken
from orchestrator.adapters.tables import DispatchStopRow, LaunchRow
from orchestrator.core.launches import DispatchStop
from orchestrator.core.refusals import Overtaken

_STOP, _LAUNCH = table_of(DispatchStopRow), table_of(LaunchRow)


class LaunchesBook:
    """Stops and launches. Works inside the caller's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def stopped(self) -> DispatchStop | None:
        """The stop in force; None when dispatch is free."""
        row = self._connection.execute(select(_STOP)).one_or_none()
        return None if row is None else DispatchStop(by=row.by, reason=row.reason, at=row.at_us)

    def stop(self, stop: DispatchStop) -> None:
        """Stop all dispatch. Raises Overtaken when it is stopped already."""
        with unless_taken(self._connection, Overtaken(subject="the dispatch")):
            self._connection.execute(insert(_STOP).values(id=1, by=stop.by, reason=stop.reason, at_us=stop.at))

    def lift(self) -> None:
        """Free the dispatch. Raises Overtaken when it was not stopped."""
        if self._connection.execute(delete(_STOP)).rowcount != 1:
            raise Overtaken(subject="the dispatch")

    def claim(self, tenant: TenantId, key: str, *, wave: str, at: datetime) -> str:
        """Which wave used this key before; empty when nobody did, and from now on it is this wave's."""
        known = self._connection.scalars(
            select(_LAUNCH.c.wave).where(_LAUNCH.c.tenant == tenant, _LAUNCH.c.key == key)
        ).one_or_none()
        if known is not None:
            return str(known)
        with unless_taken(self._connection, Overtaken(subject=f"the launch {key}")):
            self._connection.execute(insert(_LAUNCH).values(tenant=tenant, key=key, wave=wave, at_us=at))
        return ""

"""What may be launched, in memory."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from inventory.model import TenantId
from orchestrator.core.launches import DispatchStop
from orchestrator.core.refusals import Overtaken

if TYPE_CHECKING:
    from tests.simulation.memory_store import Rows


class MemoryLaunches:
    """The stop of all dispatch, and launches by their key."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def stopped(self) -> DispatchStop | None:
        """The stop in force."""
        return self._rows.stops.get("all")

    def stop(self, stop: DispatchStop) -> None:
        """Stop all dispatch."""
        if self._rows.stops:
            raise Overtaken(subject="the dispatch")
        self._rows.stops["all"] = stop

    def lift(self) -> None:
        """Free the dispatch."""
        if not self._rows.stops:
            raise Overtaken(subject="the dispatch")
        self._rows.stops.clear()

    def claim(self, tenant: TenantId, key: str, *, wave: str, at: datetime) -> str:
        """Which wave used the key before."""
        before = self._rows.launches.get((tenant, key), "")
        self._rows.launches.setdefault((tenant, key), wave)
        return before

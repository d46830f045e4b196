"""The outbox in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from inventory.model import TenantId
from orchestrator.core.notices import Call, Notice, says_the_same

if TYPE_CHECKING:
    from tests.simulation.memory_store import Rows


class MemoryNotices:
    """Notices of every tenant."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def put(self, notice: Notice) -> None:
        """Keep a new notice, unless an open one says the same already."""
        opened = [one for one in self.open() if (one.tenant, one.wave) == (notice.tenant, notice.wave)]
        if not any(says_the_same(notice, one) for one in opened):
            self._rows.notices[notice.tenant, notice.number] = notice

    def open(self) -> tuple[Notice, ...]:
        """Those that nobody closed, oldest first."""
        found = (one for one in self._rows.notices.values() if one.closed_at is None)
        return tuple(sorted(found, key=lambda one: (one.at, one.tenant, one.number)))

    def all(self, tenant: TenantId, *, last: int = 100) -> tuple[Notice, ...]:
        """The tenant's latest, newest first."""
        found = sorted(
            (one for one in self._rows.notices.values() if one.tenant == tenant), key=lambda one: -one.number
        )
        return tuple(found[:last])

    def of_wave(self, tenant: TenantId, wave: str, revision: int) -> tuple[Notice, ...]:
        """All notices of one revision of a wave, oldest first."""
        of = (tenant, wave, revision)
        found = (one for one in self._rows.notices.values() if (one.tenant, one.wave, one.revision) == of)
        return tuple(sorted(found, key=lambda one: (one.at, one.number)))

    def close(self, notice: Notice, *, by: str, at: datetime) -> bool:
        """False when it was closed already."""
        known = self._rows.notices[notice.tenant, notice.number]
        if known.closed_at is not None:
            return False
        self._rows.notices[notice.tenant, notice.number] = replace(known, closed_at=at, closed_by=by)
        return True

    def calls(self, tenant: TenantId, number: int) -> tuple[Call, ...]:
        """What became of its calls so far, by contact."""
        found = (one for (of, at, _contact), one in self._rows.calls.items() if (of, at) == (tenant, number))
        return tuple(sorted(found, key=lambda one: one.contact))

    def note(self, call: Call) -> None:
        """Keep how a call stands."""
        place = (call.tenant, call.number, call.contact)
        known = self._rows.calls.get(place)
        if known is None or known.delivered_at is None:
            self._rows.calls[place] = call

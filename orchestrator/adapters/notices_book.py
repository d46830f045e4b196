"""Notices and calls in the database: the outbox, written by the same transaction as what it tells of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from inventory.model import TenantId
from inventory.tables import table_of
from orchestrator.adapters.notice_tables import NoticeCallRow, NoticeRow
from orchestrator.core.notices import Call, Notice, NoticeKind, says_the_same

_NOTICE, _CALL = table_of(NoticeRow), table_of(NoticeCallRow)


class NoticesBook:
    """Notices of every tenant. Works inside the caller's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, notice: Notice) -> None:
        """Keep a new notice, unless an open one says the same already."""
        opened = self._select(_NOTICE.c.tenant == notice.tenant, _NOTICE.c.wave == notice.wave)
        if any(says_the_same(notice, one) for one in opened if one.closed_at is None):
            return
        self._connection.execute(
            insert(_NOTICE).values(
                tenant=notice.tenant,
                number=notice.number,
                at_us=notice.at,
                kind=notice.kind.value,
                wave=notice.wave,
                revision=notice.revision,
                cause=notice.cause,
                asset=notice.asset,
                closed_us=None,
                closed_by="",
            )
        )

    def open(self) -> tuple[Notice, ...]:
        """Those of all tenants that nobody acknowledged and that are not over, oldest first."""
        return self._select(_NOTICE.c.closed_us.is_(None))

    def all(self, tenant: TenantId, *, last: int = 100) -> tuple[Notice, ...]:
        """The tenant's latest notices, newest first."""
        rows = select(_NOTICE).where(_NOTICE.c.tenant == tenant).order_by(_NOTICE.c.number.desc()).limit(last)
        return tuple(map(_notice, self._connection.execute(rows)))

    def of_wave(self, tenant: TenantId, wave: str, revision: int) -> tuple[Notice, ...]:
        """All notices of one revision of a wave, oldest first."""
        return self._select(_NOTICE.c.tenant == tenant, _NOTICE.c.wave == wave, _NOTICE.c.revision == revision)

    def close(self, notice: Notice, *, by: str, at: datetime) -> bool:
        """Nobody is called for it any more. False when it was closed already."""
        closed = self._connection.execute(
            update(_NOTICE)
            .where(_NOTICE.c.tenant == notice.tenant, _NOTICE.c.number == notice.number, _NOTICE.c.closed_us.is_(None))
            .values(closed_us=at, closed_by=by)
        )
        return closed.rowcount == 1

    def calls(self, tenant: TenantId, number: int) -> tuple[Call, ...]:
        """What became of its calls so far, by contact."""
        rows = select(_CALL).where(_CALL.c.tenant == tenant, _CALL.c.number == number).order_by(_CALL.c.contact)
        return tuple(map(_call, self._connection.execute(rows)))

    def note(self, call: Call) -> None:
        """Keep how a call stands. One that was delivered stays delivered."""
        values = {
            "tries": call.tries,
            "next_us": call.next_at,
            "delivered_us": call.delivered_at,
            "trouble": call.trouble,
        }
        key = {"tenant": call.tenant, "number": call.number, "contact": call.contact}
        where = [_CALL.c[name] == value for name, value in key.items()]
        known = self._connection.execute(select(_CALL.c.delivered_us).where(*where)).one_or_none()
        if known is None:
            self._connection.execute(insert(_CALL).values(**key, **values))
        elif known.delivered_us is None:
            self._connection.execute(update(_CALL).where(*where).values(**values))

    def _select(self, *where: Any) -> tuple[Notice, ...]:
        rows = select(_NOTICE).where(*where).order_by(_NOTICE.c.at_us, _NOTICE.c.tenant, _NOTICE.c.number)
        return tuple(map(_notice, self._connection.execute(rows)))


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        tenant=TenantId(row.tenant),
        number=row.number,
        at=row.at_us,
        kind=NoticeKind(row.kind),
        wave=row.wave,
        revision=row.revision,
        cause=row.cause,
        asset=row.asset,
        closed_at=row.closed_us,
        closed_by=row.closed_by,
    )


def _call(row: Row[Any]) -> Call:
    return Call(
        tenant=TenantId(row.tenant),
        number=row.number,
        contact=row.contact,
        tries=row.tries,
        next_at=row.next_us,
        delivered_at=row.delivered_us,
        trouble=row.trouble,
    )

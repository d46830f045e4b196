"""Each tenant's NetBox in the database: how it is reached, how far the sync is, and what is linked with what."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from inventory.model import AssetId, TenantId
from inventory.tables import table_of
from orchestrator.adapters.netbox_tables import NetboxLinkRow, NetboxRow
from orchestrator.adapters.rows import value_of
from orchestrator.core.canonical import canonical_bytes
from orchestrator.core.netbox import Link, NetboxAccess, SyncState, Writes

_NETBOX, _LINK = table_of(NetboxRow), table_of(NetboxLinkRow)


class NetboxBook:
    """Works inside the caller's transaction, at the time ``at``."""

    def __init__(self, connection: Connection, *, at: datetime) -> None:
        self._connection = connection
        self._at = at

    def access(self, tenant: TenantId) -> NetboxAccess | None:
        """How the tenant's NetBox is reached; None when it has none."""
        record = self._connection.scalars(select(_NETBOX.c.record).where(_NETBOX.c.tenant == tenant)).one_or_none()
        return None if record is None else value_of(NetboxAccess, record, subject=f"the NetBox of {tenant}")

    def put_access(self, tenant: TenantId, access: NetboxAccess) -> None:
        """Add or replace it. A server not known before begins anew: nothing read, nothing written."""
        before = self.access(tenant)
        if before is None:
            self._connection.execute(
                insert(_NETBOX).values(
                    tenant=tenant, record=canonical_bytes(access), at_us=self._at, **_columns(SyncState())
                )
            )
            return
        same = before.server == access.server and before.tenant == access.tenant and before.roles == access.roles
        state = {} if same else _columns(SyncState())
        self._set(tenant, record=canonical_bytes(access), **state)
        if before.server != access.server:
            self._connection.execute(delete(_LINK).where(_LINK.c.tenant == tenant))

    def state(self, tenant: TenantId) -> SyncState:
        """How far the sync is; the state of a beginner when there is no NetBox."""
        row = self._connection.execute(select(_NETBOX).where(_NETBOX.c.tenant == tenant)).one_or_none()
        if row is None:
            return SyncState()
        return SyncState(
            read_at=row.read_at,
            change=row.change,
            writes=Writes(row.writes),
            complete=row.complete == 1,
            told=row.told,
        )

    def set_state(self, tenant: TenantId, state: SyncState) -> None:
        """How far the sync is now."""
        self._set(tenant, at_us=self._at, **_columns(state))

    def links(self, tenant: TenantId) -> tuple[Link, ...]:
        """All links, by type and id."""
        rows = self._connection.execute(
            select(_LINK).where(_LINK.c.tenant == tenant).order_by(_LINK.c.type, _LINK.c.remote)
        )
        return tuple(
            Link(
                type=row.type,
                id=row.remote,
                asset=AssetId(row.asset),
                own=json.loads(row.own),
                noted=row.noted,
                missing_since=row.missing_since,
            )
            for row in rows
        )

    def put_links(self, tenant: TenantId, links: Iterable[Link]) -> None:
        """Add or replace the links, each known by type and id."""
        rows = [_link_row(tenant, one) for one in links]
        if not rows:
            return
        key = (
            (_LINK.c.tenant == tenant)
            & (_LINK.c.type == bindparam("of_type"))
            & (_LINK.c.remote == bindparam("of_remote"))
        )
        known = {(one.type, one.id) for one in self.links(tenant)}
        old = [row for row in rows if (row["type"], row["remote"]) in known]
        if old:
            self._connection.execute(
                delete(_LINK).where(key), [{"of_type": row["type"], "of_remote": row["remote"]} for row in old]
            )
        self._connection.execute(insert(_LINK), rows)

    def _set(self, tenant: TenantId, **values: object) -> None:
        self._connection.execute(update(_NETBOX).where(_NETBOX.c.tenant == tenant).values(**values))


def _columns(state: SyncState) -> dict[str, object]:
    return {
        "read_at": state.read_at,
        "change": state.change,
        "writes": state.writes.value,
        "complete": int(state.complete),
        "told": state.told,
    }


def _link_row(tenant: TenantId, one: Link) -> dict[str, object]:
    return {
        "tenant": tenant,
        "type": one.type,
        "remote": one.id,
        "asset": one.asset,
        "own": json.dumps(dict(one.own), sort_keys=True),
        "noted": one.noted,
        "missing_since": one.missing_since,
    }

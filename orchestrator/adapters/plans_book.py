"""Plans in the database: stored once, never changed; only a child of the current plan becomes current."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from inventory.model import TenantId
from inventory.store import UnknownTenant
from inventory.tables import TenantRow, table_of
from orchestrator.adapters.rows import unless_taken, value_of
from orchestrator.adapters.tables import PlanCurrentRow, PlanRow
from orchestrator.core.canonical import canonical_bytes
from orchestrator.core.plan import Plan
from orchestrator.core.refusals import PlanOvertaken

_TENANT, _PLAN, _CURRENT = table_of(TenantRow), table_of(PlanRow), table_of(PlanCurrentRow)


class PlansBook:
    """Plans of each tenant. Works inside the caller's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def current(self, tenant: TenantId) -> Plan | None:
        """The plan in force."""
        fingerprint = self._current(tenant)
        return self.get(tenant, fingerprint) if fingerprint else None

    def get(self, tenant: TenantId, fingerprint: str) -> Plan | None:
        """Any stored plan. Raises StoreDamaged."""
        canonical = self._connection.scalars(
            select(_PLAN.c.canonical).where(_PLAN.c.tenant == tenant, _PLAN.c.fingerprint == fingerprint)
        ).one_or_none()
        if canonical is None:
            return None
        return value_of(Plan, canonical, subject=f"plan {fingerprint[:12]}", fingerprint=fingerprint)

    def put(self, tenant: TenantId, plan: Plan, *, at: datetime) -> None:
        """Store the plan and make it current. Raises PlanOvertaken, UnknownTenant."""
        self._lock(tenant)
        current = self._current(tenant)
        overtaken = PlanOvertaken(parent=plan.parent[:12] or "no plan", current=current[:12] or "none")
        if plan.parent != current or plan.tenant != tenant:
            raise overtaken
        fingerprint = plan.fingerprint
        with unless_taken(self._connection, overtaken):
            self._connection.execute(
                insert(_PLAN).values(
                    tenant=tenant,
                    fingerprint=fingerprint,
                    parent=plan.parent,
                    at_us=at,
                    canonical=canonical_bytes(plan),
                )
            )
            self._make_current(tenant, fingerprint, instead_of=current)

    def _make_current(self, tenant: TenantId, fingerprint: str, *, instead_of: str) -> None:
        if not instead_of:
            self._connection.execute(insert(_CURRENT).values(tenant=tenant, fingerprint=fingerprint))
            return
        moved = self._connection.execute(
            update(_CURRENT)
            .where(_CURRENT.c.tenant == tenant, _CURRENT.c.fingerprint == instead_of)
            .values(fingerprint=fingerprint)
        )
        if moved.rowcount != 1:
            raise PlanOvertaken(parent=instead_of[:12], current="another")

    def _current(self, tenant: TenantId) -> str:
        found = self._connection.scalars(select(_CURRENT.c.fingerprint).where(_CURRENT.c.tenant == tenant))
        return found.one_or_none() or ""

    def _lock(self, tenant: TenantId) -> None:
        row = select(_TENANT.c.id).where(_TENANT.c.id == tenant).with_for_update(key_share=True)
        if self._connection.scalars(row).one_or_none() is None:
            raise UnknownTenant(tenant=tenant)

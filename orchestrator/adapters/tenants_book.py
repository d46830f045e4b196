"""Tenants, their policies and access profiles in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Table, delete, insert, select

from inventory.mapping import MappingProfile
from inventory.model import TENANT_PATTERN, TenantId
from inventory.store import UnknownTenant
from inventory.tables import TenantRow, table_of
from orchestrator.adapters.journal_book import GENESIS
from orchestrator.adapters.rows import unless_taken, value_of
from orchestrator.adapters.tables import AccessProfileRow, JournalHeadRow, MappingProfileRow, PolicyRow
from orchestrator.core.access import AccessProfile
from orchestrator.core.canonical import canonical_bytes
from orchestrator.core.policy import Policy
from orchestrator.core.refusals import TenantExists, TenantNameRefused

_TENANT, _HEAD = table_of(TenantRow), table_of(JournalHeadRow)
_POLICY, _ACCESS, _MAPPING = table_of(PolicyRow), table_of(AccessProfileRow), table_of(MappingProfileRow)


class TenantsBook:
    """Tenants by name. Works inside the caller's transaction, at the time ``at``."""

    def __init__(self, connection: Connection, *, at: datetime) -> None:
        self._connection = connection
        self._at = at

    def add(self, tenant: TenantId, *, policy: Policy) -> None:
        """A new tenant with an empty journal. Raises TenantExists, TenantNameRefused."""
        if not TENANT_PATTERN.fullmatch(tenant):
            raise TenantNameRefused(tenant=tenant[:40])
        with unless_taken(self._connection, TenantExists(tenant=tenant)):
            self._connection.execute(insert(_TENANT).values(id=tenant, at_us=self._at, history_seq=0))
        self._connection.execute(insert(_HEAD).values(tenant=tenant, seq=0, hash=GENESIS))
        self._connection.execute(insert(_POLICY).values(tenant=tenant, record=canonical_bytes(policy)))

    def all(self) -> tuple[TenantId, ...]:
        """All tenants by name."""
        return tuple(sorted(TenantId(one) for one in self._connection.scalars(select(_TENANT.c.id))))

    def policy(self, tenant: TenantId) -> Policy:
        """Raises UnknownTenant."""
        record = self._connection.scalars(select(_POLICY.c.record).where(_POLICY.c.tenant == tenant)).one_or_none()
        if record is None:
            raise UnknownTenant(tenant=tenant)
        return value_of(Policy, record, subject=f"the policy of {tenant}")

    def set_policy(self, tenant: TenantId, policy: Policy) -> None:
        """Replace the policy. Raises UnknownTenant."""
        self.policy(tenant)
        self._replace(_POLICY, tenant, {"record": canonical_bytes(policy)})

    def put_access(self, tenant: TenantId, profile: AccessProfile) -> None:
        """Add or replace a profile. Raises UnknownTenant."""
        self.policy(tenant)
        self._replace(_ACCESS, tenant, {"name": profile.name, "record": canonical_bytes(profile)})

    def access(self, tenant: TenantId) -> tuple[AccessProfile, ...]:
        """All profiles by name."""
        found = self._connection.execute(select(_ACCESS).where(_ACCESS.c.tenant == tenant))
        profiles = (value_of(AccessProfile, row.record, subject=f"access profile {row.name}") for row in found)
        return tuple(sorted(profiles, key=lambda profile: profile.name))

    def put_mapping(self, tenant: TenantId, profile: MappingProfile) -> None:
        """Add or replace a mapping profile. Raises UnknownTenant."""
        self.policy(tenant)
        self._replace(_MAPPING, tenant, {"name": profile.name, "record": canonical_bytes(profile)})

    def mappings(self, tenant: TenantId) -> tuple[MappingProfile, ...]:
        """All mapping profiles by name."""
        found = self._connection.execute(select(_MAPPING).where(_MAPPING.c.tenant == tenant))
        profiles = (value_of(MappingProfile, row.record, subject=f"mapping profile {row.name}") for row in found)
        return tuple(sorted(profiles, key=lambda profile: profile.name))

    def drop_mapping(self, tenant: TenantId, name: str) -> bool:
        """Forget a mapping profile; whether there was one."""
        same = (_MAPPING.c.tenant == tenant) & (_MAPPING.c.name == name)
        return bool(self._connection.execute(delete(_MAPPING).where(same)).rowcount)

    def _replace(self, table: Table, tenant: TenantId, values: dict[str, object]) -> None:
        same = table.c.tenant == tenant
        if "name" in values:
            same &= table.c.name == values["name"]
        self._connection.execute(delete(table).where(same))
        self._connection.execute(insert(table).values(tenant=tenant, **values))

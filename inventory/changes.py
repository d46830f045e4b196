"""What a merge would change: appeared, changed, dependencies; a value that can be shown before it is written."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.model import Asset, Dependency, Snapshot, TenantId, Value
from inventory.observation import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field of one asset that would get another value; None means it was not known."""

    field: str
    before: Value | None
    after: Value | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeared:
    """An asset not known before."""

    asset: Asset
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A known asset (its record after the change) and the fields that differ."""

    asset: Asset
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """All that an import would do to one tenant's inventory. Nothing vanishes because a source was silent."""

    tenant: TenantId
    appeared: tuple[Appeared, ...] = ()
    changed: tuple[Changed, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    """Dependencies not known before."""
    refusals: tuple[Refusal, ...] = ()
    unchanged: int = 0
    """Assets mentioned again with nothing new."""

    @property
    def is_empty(self) -> bool:
        """Whether writing it would change nothing."""
        return not (self.appeared or self.changed or self.dependencies)


def applied(snapshot: Snapshot, changes: ChangeSet) -> Snapshot:
    """The inventory as it would be once the changes are written."""
    assets = snapshot.by_id()
    assets.update((one.asset.id, one.asset) for one in changes.changed)
    assets.update((one.asset.id, one.asset) for one in changes.appeared)
    return Snapshot(
        tenant=snapshot.tenant,
        assets=tuple(assets.values()),
        dependencies=snapshot.dependencies + changes.dependencies,
    )

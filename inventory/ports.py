"""What the inventory needs from outside: sources of observations and a store of assets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from inventory.changes import ChangeSet, Holdings
from inventory.model import Snapshot, TenantId
from inventory.observation import Reading


class Source(Protocol):
    """One file format. Reads, never decides."""

    name: str

    def recognises(self, path: Path) -> bool:
        """Whether the file's content (not its name) is of this format."""
        ...

    def read(self, path: Path) -> Reading:
        """Observations and refusals of the file. Raises ExpectedError when nothing of it can be read."""
        ...


class AssetStore(Protocol):
    """One tenant-aware store of assets, dependencies and the claims they come from."""

    def snapshot(self, tenant: TenantId) -> Snapshot:
        """All assets and dependencies of the tenant."""
        ...

    def holdings(self, tenant: TenantId) -> Holdings:
        """The inventory with every claim it comes from; decisions and precedence are the caller's to add."""
        ...

    def version(self, tenant: TenantId) -> int:
        """A number that rises with whatever is written."""
        ...

    def apply(self, changes: ChangeSet) -> int:
        """Write all changes in the caller's transaction; returns how many there were."""
        ...

    def history(self, tenant: TenantId, names: Iterable[str]) -> tuple[dict[str, object], ...]:
        """What became of the named assets, oldest first: at_us, asset, field, before, after, source."""
        ...

"""What may be launched at all: the stop of all dispatch, and launches that are known by a key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from inventory.model import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchStop:
    """That all dispatch is stopped: by whom (a name, not a signature), why, and since when."""

    by: str
    reason: str
    at: datetime


class LaunchBook(Protocol):
    """What may be launched: the stop of all dispatch in this store, and launches by their idempotency key."""

    def stopped(self) -> DispatchStop | None:
        """The stop in force; None when dispatch is free."""
        ...

    def stop(self, stop: DispatchStop) -> None:
        """Stop all dispatch. Raises Overtaken when it is stopped already."""
        ...

    def lift(self) -> None:
        """Free the dispatch. Raises Overtaken when it was not stopped."""
        ...

    def claim(self, tenant: TenantId, key: str, *, wave: str, at: datetime) -> str:
        """Which wave used this key before; empty when nobody did, and from now on it is this wave's."""
        ...

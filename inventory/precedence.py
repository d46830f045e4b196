"""Whose word counts when sources disagree: by field and source as the tenant says, else the newest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ANY_FIELD = "*"
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedence:
    """Order of sources per field, the most trusted first; ``*`` stands for every field without an order of its own.

    Sources that are not named come after all that are, equal among themselves: of these the newest word counts.
    """

    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stale_days: int = 0
    """A word so many days older than the newest on the field loses its rank; 0 for never."""

    def rank(self, name: str, source: str) -> int:
        """The higher the more trusted; 0 for sources that are not named."""
        order = self.order.get(name, self.order.get(ANY_FIELD, ()))
        return len(order) - order.index(source) if source in order else 0

    def is_stale(self, observed_us: int, *, newest_us: int) -> bool:
        """Whether a word is too old for its rank."""
        return bool(self.stale_days) and newest_us - observed_us > self.stale_days * _DAY_US


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryRules:
    """What a tenant says of its inventory: whose word counts, and how much one import may change unasked."""

    precedence: Precedence = field(default_factory=Precedence)
    most_gone: float = 0.05
    """Share of the assets that one import may take out of the inventory."""
    most_changed: float = 0.5
    """Share of the assets whose record one import may change."""

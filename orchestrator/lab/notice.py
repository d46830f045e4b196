"""What the lab tells its user while it works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One sentence of progress: an English template (translated when shown) and its facts."""

    says: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.says.format(**self.facts)


Tell = Callable[[Notice], None]


def silent(_notice: Notice) -> None:
    """Tells nobody."""

"""Things by a key that nearly always belongs to one of them only: a list is made where several have it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Several(Generic[K, V]):
    """Values by key. A hundred thousand keys with one value each cost no hundred thousand lists."""

    __slots__ = ("_first", "shared")

    def __init__(self) -> None:
        self._first: dict[K, V] = {}
        self.shared: dict[K, list[V]] = {}
        """Keys that several values have, each with its values in the order in which they came."""

    def add(self, key: K, value: V) -> None:
        """Put one more value under the key."""
        if key not in self._first:
            self._first[key] = value
        elif key in self.shared:
            self.shared[key].append(value)
        else:
            self.shared[key] = [self._first[key], value]

    def alone(self) -> dict[K, V]:
        """Keys that one value alone has. Empties this: what it held is let go."""
        found, self._first = self._first, {}
        for key in self.shared:
            del found[key]
        return found

    def of(self, key: K) -> Sequence[V]:
        """The values of the key; none when it has none."""
        if key in self.shared:
            return self.shared[key]
        return (self._first[key],) if key in self._first else ()

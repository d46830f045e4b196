"""How much room each window still has, and where something fits first. In logarithmic time, for large estates."""

from __future__ import annotations

from collections.abc import Iterable


class Room:
    """Free places per window. A window belongs to the first runbook that takes places in it."""

    def __init__(self, *, windows: int, capacity: int, runbooks: Iterable[str]) -> None:
        self._leaves = 1 << max(0, windows - 1).bit_length()
        self._windows = windows
        self._best = {runbook: self._full_tree(capacity) for runbook in sorted(set(runbooks))}

    def _full_tree(self, capacity: int) -> list[int]:
        """A heap-shaped tree: each node holds the most room that any window below it has."""
        tree = [0] * (2 * self._leaves)
        tree[self._leaves : self._leaves + self._windows] = [capacity] * self._windows
        for node in range(self._leaves - 1, 0, -1):
            tree[node] = max(tree[2 * node], tree[2 * node + 1])
        return tree

    def first(self, *, runbook: str, size: int, start: int) -> int | None:
        """The first window from ``start`` on with room for ``size``, or None."""
        if start >= self._windows:
            return None
        tree, node = self._best[runbook], start + self._leaves
        while tree[node] < size:
            while node & 1:
                node >>= 1
            if node == 0:
                return None
            node += 1
        while node < self._leaves:
            node *= 2
            if tree[node] < size:
                node += 1
        return node - self._leaves

    def has(self, *, runbook: str, size: int, window: int) -> bool:
        """Whether that very window has room."""
        return self._best[runbook][window + self._leaves] >= size

    def take(self, *, runbook: str, size: int, window: int) -> None:
        """Use up places in a window; from now on no other runbook may."""
        for name, tree in self._best.items():
            node = window + self._leaves
            tree[node] = tree[node] - size if name == runbook else 0
            while node > 1:
                node >>= 1
                tree[node] = max(tree[2 * node], tree[2 * node + 1])

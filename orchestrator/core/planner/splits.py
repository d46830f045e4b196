"""Where a group that is too large could be parted most cheaply: the fewest binding needs to loosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import rustworkx as rx

from inventory.dependencies import Binding, Need, needs_of
from inventory.model import AssetId, Snapshot

LARGEST = 400
"""Assets up to which a group is looked at: the time goes with the cube of their number."""
MOST_CUTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Binding needs that would have to be loosened, and the sizes of what is left then, the largest first."""

    needs: tuple[Need, ...]
    sizes: tuple[int, ...]


class Splits:
    """Answers for one snapshot. Its needs are read once, and only when somebody asks."""

    def __init__(self, snapshot: Snapshot, binding: Binding) -> None:
        self._snapshot, self._binding = snapshot, binding

    @cached_property
    def _needs(self) -> Mapping[AssetId, tuple[Need, ...]]:
        found: dict[AssetId, list[Need]] = {}
        for need in needs_of(self._snapshot, self._binding):
            if need.binds:
                found.setdefault(need.asset, []).append(need)
        return {asset: tuple(needs) for asset, needs in found.items()}

    def cheapest(self, group: Sequence[AssetId], *, limit: int) -> Split | None:
        """The cheapest cuts found one after the other until no piece is above the limit; None when none was found."""
        if len(group) > LARGEST:
            return None
        inside = set(group)
        needs = [need for asset in group for need in self._needs.get(asset, ()) if need.needs in inside]
        pieces, cut = [sorted(group)], set[Need]()
        for _ in range(MOST_CUTS):
            pieces.sort(key=lambda piece: (-len(piece), piece))
            if len(pieces[0]) <= limit:
                break
            parted = _parted(pieces[0], [need for need in needs if need not in cut])
            if parted is None:
                return None
            pieces[0:1] = parted
            place = {asset: number for number, piece in enumerate(pieces) for asset in piece}
            cut |= {need for need in needs if place[need.asset] != place[need.needs]}
        ordered = sorted(cut, key=lambda need: (need.asset, need.needs))
        return Split(needs=tuple(ordered), sizes=tuple(sorted((len(piece) for piece in pieces), reverse=True)))


def _parted(piece: Sequence[AssetId], needs: Iterable[Need]) -> list[list[AssetId]] | None:
    """Two pieces with as few needs between them as there can be, or those that hang together already."""
    number = {asset: n for n, asset in enumerate(piece)}
    graph: rx.PyGraph[None, float] = rx.PyGraph(multigraph=False)
    graph.add_nodes_from([None] * len(piece))
    for need in needs:
        if need.asset in number and need.needs in number and need.asset != need.needs:
            ends = number[need.asset], number[need.needs]
            weight = graph.get_edge_data(*ends) if graph.has_edge(*ends) else 0.0
            graph.add_edge(*ends, weight + 1.0)
    loose = rx.connected_components(graph)
    if len(loose) > 1:
        return sorted(sorted(piece[n] for n in part) for part in loose)
    found = rx.stoer_wagner_min_cut(graph, lambda weight: weight)
    if found is None:
        return None
    one = {piece[n] for n in found[1]}
    return [sorted(one), sorted(set(piece) - one)]

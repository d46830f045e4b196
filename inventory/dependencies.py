"""What moves together and in which order: the inventory's dependencies as a typed graph. Knows nothing of waves.

Hard and licence dependencies bind, and so does a procedure the servers it has for itself. A binding edge points both
ways, so the strongly connected parts of that graph are exactly what must stay together, and there is an order of parts.
Shared services (hubs) can be reached from both sides while others move: what points to them binds and orders nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import rustworkx as rx

from inventory.model import Asset, AssetId, AssetKind, Dependency, DependencyKind, Snapshot, name_group, name_key

BINDING = frozenset({DependencyKind.HARD, DependencyKind.LICENCE})
NEVER_MOVED = frozenset({AssetKind.SITE, AssetKind.DEPARTMENT, AssetKind.SEAT, AssetKind.TEMPLATE})
"""Kinds that bind nothing: places, seats (a seat uses, it does not tie) and templates."""
SEAT_MACHINES = frozenset({AssetKind.WORKSTATION, AssetKind.NOTEBOOK, AssetKind.THIN_CLIENT})
HUB_AT = 10
"""From this number of assets that need it, an asset is called a hub."""
HUBS_SHOWN = 20

CYCLE = "cycle"
PROCEDURE = "procedure"
ALONE = "alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """A shortest way round through one knot of dependencies: each needs the next, the last needs the first."""

    path: tuple[AssetId, ...]
    knot: int
    """How many assets are knotted together; the path may visit fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """An asset that many others need."""

    asset: AssetId
    needed_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Assets that stay together (sorted by id), why, and which other parts (by index, all smaller) they need."""

    assets: tuple[AssetId, ...]
    bound_by: tuple[str, ...]
    """Words: hard, licence, procedure, cycle; or alone."""
    needs: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """Which machine replaces which. ``replaces`` has only pure successors: named by others, naming none themselves."""

    successor: Mapping[AssetId, AssetId | None]
    """Machine that names a successor -> that machine, or None when there is no such name."""
    replaces: Mapping[AssetId, tuple[AssetId, ...]]
    """Pure successor -> the machines that name it, by id. It is never moved itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """The whole graph, worked out. ``parts`` stand in order: what is needed comes before what needs it."""

    parts: tuple[Part, ...]
    cycles: tuple[Cycle, ...]
    hubs: tuple[Hub, ...]
    self_edges: tuple[AssetId, ...]
    """Assets that are said to need themselves; it binds nothing."""
    dangling: tuple[Dependency, ...]
    """Dependencies on or of something that is not in this tenant's inventory; they count for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What ties assets together and what does not."""

    hub_at: int = 0
    """From so many assets that need it, an asset is a shared service; 0 for never."""
    hubs: tuple[str, ...] = ()
    """Names of shared services, however many need them."""
    shared_from: int = 2
    """From so many procedures that run on it, a machine binds none of them."""
    cycles_bind: bool = True
    """Whether a circle of needs ties, though none of them binds by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """``asset`` needs ``needs`` (ids, a successor counted as the machine it replaces), and whether that binds."""

    asset: AssetId
    needs: AssetId
    binds: bool
    kind: DependencyKind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edge:
    """``source`` needs ``target`` (node numbers); ``word`` is empty for what does not bind."""

    source: int
    target: int
    word: str
    kind: DependencyKind = DependencyKind.SOFT


def succession_of(snapshot: Snapshot) -> Succession:
    """Who replaces whom, by the names in the field ``successor``."""
    named = [asset for asset in snapshot.assets if asset.is_machine and asset.text("successor")]
    machines = {name_key(a.name): a.id for a in snapshot.assets if a.is_machine} if named else {}
    successor = {asset.id: machines.get(name_key(asset.text("successor"))) for asset in named}
    replaces: dict[AssetId, list[AssetId]] = {}
    for old, new in successor.items():
        if new is not None and new not in successor:
            replaces.setdefault(new, []).append(old)
    return Succession(
        successor=MappingProxyType(successor),
        replaces=MappingProxyType({new: tuple(olds) for new, olds in replaces.items()}),
    )


def departments_of(snapshot: Snapshot) -> dict[AssetId, str]:
    """Department of every machine: its own, else that of the seat where it stands; empty when neither is known."""
    seats = [a for a in snapshot.assets if a.kind is AssetKind.SEAT and a.text("machine") and a.text("department")]
    of_seat = {name_key(seat.text("machine")): seat.text("department") for seat in seats}
    return {
        asset.id: asset.text("department") or of_seat.get(name_key(asset.name), "")
        for asset in snapshot.assets
        if asset.is_machine
    }


def structure_of(snapshot: Snapshot, binding: Binding | None = None) -> Structure:
    """Parts, their order, cycles, hubs and what makes no sense. Linear in assets and dependencies."""
    binding = binding or Binding()
    ids, edges = _graph(snapshot, binding)
    known = frozenset(asset.id for asset in snapshot.assets)
    dangling = tuple(d for d in snapshot.dependencies if not _is_known(d, snapshot, known))
    selves = tuple(sorted({d.asset for d in snapshot.dependencies if d.asset == d.needs and d.asset in known}))
    kept = _without_hubs(snapshot, ids, edges, binding)
    return Structure(
        parts=_parts(ids, kept, cycles_bind=binding.cycles_bind),
        cycles=_cycles(ids, kept),
        hubs=_hubs(ids, edges),
        self_edges=selves,
        dangling=dangling,
    )


def needs_of(snapshot: Snapshot, binding: Binding | None = None) -> tuple[Need, ...]:
    """Every need between assets that can be bound, without those of shared services."""
    binding = binding or Binding()
    ids, edges = _graph(snapshot, binding)
    return tuple(
        Need(asset=ids[edge.source], needs=ids[edge.target], binds=bool(edge.word), kind=edge.kind)
        for edge in _without_hubs(snapshot, ids, edges, binding)
    )


def _graph(snapshot: Snapshot, binding: Binding) -> tuple[list[AssetId], list[_Edge]]:
    nodes = _nodes(snapshot)
    ids = [asset.id for asset in snapshot.assets if nodes.get(asset.id) is not None and _stands_alone(asset, nodes)]
    number = {asset: index for index, asset in enumerate(ids)}
    place = {asset: number[node] for asset, node in nodes.items()}
    edges = [edge for edge in _edges(snapshot, place, binding) if edge.source != edge.target]
    return ids, edges


def _without_hubs(
    snapshot: Snapshot, ids: Sequence[AssetId], edges: Sequence[_Edge], binding: Binding
) -> Sequence[_Edge]:
    names = {name_key(name) for name in binding.hubs}
    named = {asset.id for asset in snapshot.assets if names and name_key(asset.name) in names}
    count = _needed_by(edges) if binding.hub_at else {}
    hubs = {n for n, asset in enumerate(ids) if asset in named or 0 < binding.hub_at <= count.get(n, 0)}
    return [edge for edge in edges if edge.source not in hubs and edge.target not in hubs] if hubs else edges


def _is_known(dependency: Dependency, snapshot: Snapshot, known: frozenset[AssetId]) -> bool:
    return dependency.tenant == snapshot.tenant and dependency.asset in known and dependency.needs in known


def _stands_alone(asset: Asset, nodes: Mapping[AssetId, AssetId]) -> bool:
    return nodes[asset.id] == asset.id


def _nodes(snapshot: Snapshot) -> dict[AssetId, AssetId]:
    """Asset -> the asset it counts as: a successor counts as the machine it replaces; what binds nothing is absent."""
    nodes = {a.id: a.id for a in snapshot.assets if a.kind not in NEVER_MOVED and not a.text("role")}
    for new, olds in succession_of(snapshot).replaces.items():
        if len(olds) == 1 and new in nodes and olds[0] in nodes:
            nodes[new] = olds[0]
    return nodes


def _edges(snapshot: Snapshot, place: Mapping[AssetId, int], binding: Binding) -> Iterator[_Edge]:
    """Declared dependencies, then those that follow from the fields ``procedures`` and ``machines``."""
    for one in snapshot.dependencies:
        if one.tenant == snapshot.tenant and one.asset in place and one.needs in place:
            word = str(one.kind) if one.kind in BINDING else ""
            yield _Edge(source=place[one.asset], target=place[one.needs], word=word, kind=one.kind)
    speaking = [a for a in snapshot.assets if a.id in place and (a.texts("procedures") or a.texts("machines"))]
    names = snapshot.by_name() if speaking else {}
    serves = Counter(host for asset in speaking for host in {name_key(name) for name in asset.texts("machines")})
    shared = frozenset(host for host, count in serves.items() if count >= binding.shared_from)
    for asset in speaking:
        yield from _used(asset, names, place)
        yield from _hosts(asset, names, place, shared=shared)


_Names = Mapping[tuple[str, str], Asset]


def _used(asset: Asset, names: _Names, place: Mapping[AssetId, int]) -> Iterator[_Edge]:
    for name in asset.texts("procedures"):
        used = names.get((name_group(AssetKind.PROCEDURE), name_key(name)))
        if used is not None and used.id in place:
            yield _Edge(source=place[asset.id], target=place[used.id], word="")


def _hosts(asset: Asset, names: _Names, place: Mapping[AssetId, int], *, shared: frozenset[str]) -> Iterator[_Edge]:
    """A procedure binds the machines it has for itself. One that serves several is a shared service, reachable from
    both sides during the move: binding it too would tie most of a town into one group."""
    for key in (name_key(name) for name in asset.texts("machines")):
        host = names.get((name_group(AssetKind.SERVER), key))
        if host is not None and host.id in place:
            word = "" if host.kind in SEAT_MACHINES or key in shared else PROCEDURE
            yield _Edge(source=place[asset.id], target=place[host.id], word=word)


# --------------------------------------------------------------------------- parts and their order


def _parts(ids: Sequence[AssetId], edges: Sequence[_Edge], *, cycles_bind: bool) -> tuple[Part, ...]:
    knots = _knots(len(ids), _both_ways(edges))
    if not cycles_bind:
        knots, edges = _loosened(knots, edges)
    knot_of = {node: index for index, knot in enumerate(knots) for node in knot}
    needs: list[set[int]] = [set() for _ in knots]
    words: list[set[str]] = [set() for _ in knots]
    for edge in edges:
        if knot_of[edge.source] != knot_of[edge.target]:
            needs[knot_of[edge.source]].add(knot_of[edge.target])
        elif edge.word:
            words[knot_of[edge.source]].add(edge.word)
    _mark_cycles(knots, words, edges)
    order = _in_order([ids[min(knot)] for knot in knots], needs)
    rank = {knot: position for position, knot in enumerate(order)}
    return tuple(
        Part(
            assets=tuple(ids[node] for node in sorted(knots[knot])),
            bound_by=tuple(sorted(words[knot])) or (ALONE,),
            needs=tuple(sorted(rank[need] for need in needs[knot])),
        )
        for knot in order
    )


def _loosened(knots: list[list[int]], edges: Sequence[_Edge]) -> tuple[list[list[int]], Sequence[_Edge]]:
    """Only what binds stays together; within a knot the needs that do not bind give no order either."""
    knot_of = {node: index for index, knot in enumerate(knots) for node in knot}
    bound: rx.PyGraph[None, None] = rx.PyGraph(multigraph=True)
    bound.add_nodes_from([None] * len(knot_of))
    bound.add_edges_from_no_data([(edge.source, edge.target) for edge in edges if edge.word])
    pieces = sorted(sorted(piece) for piece in rx.connected_components(bound))
    return pieces, [edge for edge in edges if edge.word or knot_of[edge.source] != knot_of[edge.target]]


def _both_ways(edges: Iterable[_Edge]) -> Iterator[tuple[int, int]]:
    for edge in edges:
        yield edge.source, edge.target
        if edge.word:
            yield edge.target, edge.source


def _knots(size: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    graph: rx.PyDiGraph[None, None] = rx.PyDiGraph(multigraph=True)
    graph.add_nodes_from([None] * size)
    graph.add_edges_from_no_data(list(pairs))
    return [list(knot) for knot in rx.strongly_connected_components(graph)]


def _mark_cycles(knots: Sequence[Sequence[int]], words: Sequence[set[str]], edges: Sequence[_Edge]) -> None:
    """Add the word *cycle* where binding edges alone would not hold the part together."""
    bound: rx.PyGraph[None, None] = rx.PyGraph(multigraph=True)
    bound.add_nodes_from([None] * sum(len(knot) for knot in knots))
    bound.add_edges_from_no_data([(edge.source, edge.target) for edge in edges if edge.word])
    piece = {node: index for index, nodes in enumerate(rx.connected_components(bound)) for node in nodes}
    for knot, reasons in zip(knots, words, strict=True):
        if any(piece[node] != piece[knot[0]] for node in knot):
            reasons.add(CYCLE)


def _in_order(firsts: Sequence[AssetId], needs: Sequence[set[int]]) -> list[int]:
    """Kahn's algorithm: layer by layer, what needs nothing first; within a layer by the smallest asset id."""
    missing = [len(need) for need in needs]
    wanted: list[list[int]] = [[] for _ in needs]
    for knot, need in enumerate(needs):
        for one in need:
            wanted[one].append(knot)
    layer = sorted((knot for knot, count in enumerate(missing) if count == 0), key=lambda knot: firsts[knot])
    order: list[int] = []
    while layer:
        order.extend(layer)
        freed: list[int] = []
        for knot in layer:
            for user in wanted[knot]:
                missing[user] -= 1
                if missing[user] == 0:
                    freed.append(user)
        layer = sorted(freed, key=lambda knot: firsts[knot])
    return order


# --------------------------------------------------------------------------- cycles and hubs


def _cycles(ids: Sequence[AssetId], edges: Sequence[_Edge]) -> tuple[Cycle, ...]:
    """One shortest witness per knot of declared needs, smallest asset id first."""
    knots = [sorted(knot) for knot in _knots(len(ids), ((e.source, e.target) for e in edges)) if len(knot) > 1]
    member = {node: index for index, knot in enumerate(knots) for node in knot}
    inside: dict[int, list[int]] = {}
    for edge in edges:
        if edge.source in member and member[edge.source] == member.get(edge.target):
            inside.setdefault(edge.source, []).append(edge.target)
    found = [Cycle(path=tuple(ids[n] for n in _way_round(knot[0], inside)), knot=len(knot)) for knot in knots]
    return tuple(sorted(found, key=lambda cycle: cycle.path))


def _way_round(start: int, inside: Mapping[int, Sequence[int]]) -> list[int]:
    """Breadth first from ``start`` back to it; there is a way, because the nodes are strongly connected."""
    came_from: dict[int, int] = {}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for needed in sorted(set(inside[node])):
            if needed == start:
                return _trace(node, start, came_from)
            if needed not in came_from:
                came_from[needed] = node
                waiting.append(needed)
    raise AssertionError("a strongly connected part has a way round")


def _trace(last: int, start: int, came_from: Mapping[int, int]) -> list[int]:
    path = [last]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return path[::-1]


def _hubs(ids: Sequence[AssetId], edges: Iterable[_Edge]) -> tuple[Hub, ...]:
    """Most needed first; each needing asset counts once."""
    count = _needed_by(edges)
    hubs = [Hub(asset=ids[node], needed_by=number) for node, number in count.items() if number >= HUB_AT]
    return tuple(sorted(hubs, key=lambda hub: (-hub.needed_by, hub.asset))[:HUBS_SHOWN])


def _needed_by(edges: Iterable[_Edge]) -> dict[int, int]:
    count: dict[int, int] = {}
    for _, target in {(edge.source, edge.target) for edge in edges}:
        count[target] = count.get(target, 0) + 1
    return count

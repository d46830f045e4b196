"""The plan check's own idea of what moves together: a union-find for what binds, then knots among what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inventory.model import Asset, AssetId, AssetKind, Snapshot, name_key

UNMOVED = ("site", "department", "seat", "template")
SEATED = ("workstation", "notebook", "thin_client")

Need = tuple[AssetId, AssetId, bool]
"""(who, needs whom, whether it binds)"""


def answered_for(snapshot: Snapshot) -> frozenset[AssetId]:
    """Every asset that must be in a wave or among the leftovers."""
    machines = [a for a in snapshot.assets if a.is_machine]
    ids = {name_key(a.name): a.id for a in machines}
    replacing = {ids.get(name_key(a.text("successor"))) for a in machines if a.text("successor")}
    return frozenset(
        a.id
        for a in machines
        if a.kind not in UNMOVED and not a.text("role") and (a.text("successor") or a.id not in replacing)
    )


def successor_of(snapshot: Snapshot) -> dict[AssetId, AssetId]:
    """Old machine -> the machine it names, where there is one."""
    ids = {name_key(a.name): a.id for a in snapshot.assets if a.is_machine}
    named = ((a.id, ids.get(name_key(a.text("successor")))) for a in snapshot.assets if a.text("successor"))
    return {old: new for old, new in named if new is not None}


def together(snapshot: Snapshot) -> dict[AssetId, AssetId]:
    """Asset -> one asset that stands for all that move together with it."""
    chosen = Union(snapshot)
    needs = list(_needs(snapshot, chosen))
    for who, whom, binds in needs:
        if binds:
            chosen.join(who, whom)
    pairs = {(chosen.find(who), chosen.find(whom)) for who, whom, _ in needs}
    for knot in _knots([pair for pair in sorted(pairs) if pair[0] != pair[1]]):
        for other in knot[1:]:
            chosen.join(knot[0], other)
    return {asset: chosen.find(asset) for asset in chosen.parent}


def direct_needs(snapshot: Snapshot) -> tuple[tuple[AssetId, AssetId], ...]:
    """(who, needs whom) between assets that could be in waves, successors counted as the old machine."""
    chosen = Union(snapshot)
    return tuple((who, whom) for who, whom, _ in _needs(snapshot, chosen) if who != whom)


class Union:
    """Union-find over assets that can be bound; a successor is another name for its old machine."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.parent = {a.id: a.id for a in snapshot.assets if a.kind not in UNMOVED and not a.text("role")}
        self.alias = dict(self._aliases(snapshot))

    def _aliases(self, snapshot: Snapshot) -> Iterator[tuple[AssetId, AssetId]]:
        named = successor_of(snapshot)
        speaking = {a.id for a in snapshot.assets if a.text("successor")}
        count: dict[AssetId, int] = {}
        for new in named.values():
            count[new] = count.get(new, 0) + 1
        for old, new in named.items():
            if count[new] == 1 and new not in speaking and old in self.parent and new in self.parent:
                yield new, old

    def node(self, asset: AssetId) -> AssetId | None:
        """The asset itself, its old machine, or None for what is never bound."""
        asset = self.alias.get(asset, asset)
        return asset if asset in self.parent else None

    def find(self, asset: AssetId) -> AssetId:
        """The one that stands for the set, halving paths on the way."""
        while self.parent[asset] != asset:
            self.parent[asset] = self.parent[self.parent[asset]]
            asset = self.parent[asset]
        return asset

    def join(self, one: AssetId, other: AssetId) -> None:
        """Make two sets one; the smaller id stands for it."""
        low, high = sorted((self.find(one), self.find(other)))
        self.parent[high] = low


def _needs(snapshot: Snapshot, chosen: Union) -> Iterator[Need]:
    for who, whom, binds in _spoken(snapshot):
        one, other = chosen.node(who), chosen.node(whom)
        if one is not None and other is not None:
            yield one, other, binds


def _spoken(snapshot: Snapshot) -> Iterator[Need]:
    known = {a.id for a in snapshot.assets}
    for one in snapshot.dependencies:
        if one.tenant == snapshot.tenant and one.asset in known and one.needs in known:
            yield one.asset, one.needs, one.kind in ("hard", "licence")
    procedures = {name_key(a.name): a for a in snapshot.assets if a.kind is AssetKind.PROCEDURE}
    machines = {name_key(a.name): a for a in snapshot.assets if a.is_machine}
    users: dict[AssetId, set[AssetId]] = {}
    for asset in snapshot.assets:
        for host in _found(asset.texts("machines"), machines):
            users.setdefault(host.id, set()).add(asset.id)
    for asset in snapshot.assets:
        for used in _found(asset.texts("procedures"), procedures):
            yield asset.id, used.id, False
        for host in _found(asset.texts("machines"), machines):
            yield asset.id, host.id, host.kind not in SEATED and len(users[host.id]) == 1


def _found(names: Sequence[str], known: dict[str, Asset]) -> Iterator[Asset]:
    return (known[key] for name in names if (key := name_key(name)) in known)


def _knots(pairs: Sequence[tuple[AssetId, AssetId]]) -> Iterator[list[AssetId]]:
    """Strongly connected sets of two or more, by two sweeps (Kosaraju), without recursion."""
    ahead: dict[AssetId, list[AssetId]] = {}
    back: dict[AssetId, list[AssetId]] = {}
    for who, whom in pairs:
        ahead.setdefault(who, []).append(whom)
        back.setdefault(whom, []).append(who)
    seen: set[AssetId] = set()
    for start in reversed(_finished(ahead)):
        if start not in seen:
            knot = _reached(start, back, seen)
            if len(knot) > 1:
                yield knot


def _finished(ahead: dict[AssetId, list[AssetId]]) -> list[AssetId]:
    """Nodes in the order in which a depth-first walk leaves them."""
    seen: set[AssetId] = set()
    left: list[AssetId] = []
    for start in ahead:
        if start in seen:
            continue
        seen.add(start)
        path = [(start, iter(ahead[start]))]
        while path:
            node, following = path[-1]
            found = next((one for one in following if one not in seen), None)
            if found is None:
                left.append(node)
                path.pop()
            else:
                seen.add(found)
                path.append((found, iter(ahead.get(found, ()))))
    return left


def _reached(start: AssetId, back: dict[AssetId, list[AssetId]], seen: set[AssetId]) -> list[AssetId]:
    seen.add(start)
    reached, waiting = [start], [start]
    while waiting:
        for one in back.get(waiting.pop(), ()):
            if one not in seen:
                seen.add(one)
                reached.append(one)
                waiting.append(one)
    return reached

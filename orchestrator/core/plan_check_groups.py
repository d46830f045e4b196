"""The plan check's own idea of what moves together: a union-find for what binds, then knots among what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inventory.model import Asset, AssetId, AssetKind, Snapshot, name_key
from orchestrator.core.constraints import Planning

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


def together(snapshot: Snapshot, asked: Planning | None = None) -> dict[AssetId, AssetId]:
    """Asset -> one asset that stands for all that move together with it."""
    asked = asked or Planning()
    chosen = Union(snapshot)
    needs = list(_needs(snapshot, chosen, asked))
    for who, whom, binds in needs:
        if binds:
            chosen.join(who, whom)
    if not asked.cycles_bind:
        return {asset: chosen.find(asset) for asset in chosen.parent}
    pairs = {(chosen.find(who), chosen.find(whom)) for who, whom, _ in needs}
    for knot in _knots([pair for pair in sorted(pairs) if pair[0] != pair[1]]):
        for other in knot[1:]:
            chosen.join(knot[0], other)
    return {asset: chosen.find(asset) for asset in chosen.parent}


def direct_needs(snapshot: Snapshot, asked: Planning | None = None) -> tuple[tuple[AssetId, AssetId], ...]:
    """(who, needs whom) between assets that could be in waves, successors counted as the old machine."""
    chosen = Union(snapshot)
    return tuple((who, whom) for who, whom, _ in _needs(snapshot, chosen, asked or Planning()) if who != whom)


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


def _needs(snapshot: Snapshot, chosen: Union, asked: Planning) -> Iterator[Need]:
    found = []
    for who, whom, binds in _spoken(snapshot, asked.shared_from):
        one, other = chosen.node(who), chosen.node(whom)
        if one is not None and other is not None:
            found.append((one, other, binds))
    shared = _shared_services(snapshot, found, asked)
    return (one for one in found if one[0] not in shared and one[1] not in shared)


def _shared_services(snapshot: Snapshot, needs: Sequence[Need], asked: Planning) -> frozenset[AssetId]:
    """Assets that are reached from both sides: by name, or because so many others need them."""
    names = {name_key(name) for name in asked.hubs}
    found = {a.id for a in snapshot.assets if names and name_key(a.name) in names}
    if asked.hub_at:
        users: dict[AssetId, set[AssetId]] = {}
        for who, whom, _ in needs:
            if who != whom:
                users.setdefault(whom, set()).add(who)
        found |= {whom for whom, whos in users.items() if len(whos) >= asked.hub_at}
    return frozenset(found)


def _spoken(snapshot: Snapshot, shared_from: int) -> Iterator[Need]:
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
            yield asset.id, host.id, host.kind not in SEATED and len(users[host.id]) < shared_from


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

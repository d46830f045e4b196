"""What others do, as planners of ours: the ordered conditions that Azure Migrate publishes for its automatic waves.

Written from the public description (Microsoft Learn, "Automatic wave planning architecture" of Azure Migrate, preview,
2026): deterministic; strong two-way dependencies stay together; an application stays together; what is needed comes in
the same wave or earlier; development and test before production; no mixing of the two; high criticality not early; high
complexity not early; a wave has a size within a range. It knows no calendar: wave after wave takes the next weekly
window, holidays or not. What the description leaves open is done in the way that serves the baseline best.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

import rustworkx as rx

from inventory.model import Asset, AssetId, AssetKind, DependencyKind, Snapshot, name_key
from orchestrator.core.openings import windows_of
from orchestrator.core.plan import MoveGroup, Plan, PlannedBatch, PlannedWave, PlanRequest, WaveKey, WhyNot

STRONG = (DependencyKind.HARD, DependencyKind.LICENCE, DependencyKind.SOFT)
TEST_WORDS = ("test", "dev", "schulung", "entwicklung")
SEATED = (AssetKind.WORKSTATION, AssetKind.NOTEBOOK, AssetKind.THIN_CLIENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """What stays together: two-way dependencies and applications."""

    assets: tuple[AssetId, ...]
    layer: int
    is_production: bool
    criticality: int
    complexity: int


class OrderedConditions:
    """The baseline as a Planner. It takes machines that could move and leaves out the others without asking why."""

    def propose(self, request: PlanRequest) -> Plan:
        """Waves filled in the order of the conditions."""
        moving = _moving(request.snapshot)
        units = _units(request.snapshot, moving)
        blind = replace(request.policy, holidays="", freezes=())
        windows = windows_of(blind, not_before=request.not_before)
        filled = _filled(units, room=request.policy.assets_per_window, windows=len(windows))
        placed = {asset for wave in filled for unit in wave for asset in unit.assets}
        left = tuple(sorted(asset.id for asset in moving if asset.id not in placed))
        why_not = (WhyNot(assets=left, rule="no_room", says="No window was left.", remedy=""),) if left else ()
        return Plan(
            tenant=request.snapshot.tenant,
            parent=request.parent.fingerprint if request.parent else "",
            made_from="",
            not_before=request.not_before.astimezone(UTC),
            seed=0,
            waves=tuple(
                PlannedWave(
                    key=WaveKey(f"W{number:02d}"),
                    runbook=next(iter(request.policy.runbooks.values())),
                    window=windows[number - 1],
                    groups=tuple(MoveGroup(assets=unit.assets) for unit in units_of_wave),
                    batches=(PlannedBatch(name="b1", assets=tuple(a for u in units_of_wave for a in u.assets)),),
                )
                for number, units_of_wave in enumerate(filled, start=1)
            ),
            why_not=why_not,
        )


def _moving(snapshot: Snapshot) -> list[Asset]:
    new = {name_key(one.text("successor")) for one in snapshot.assets if one.text("successor")}
    return [
        one
        for one in snapshot.assets
        if one.is_machine
        and one.kind is not AssetKind.TEMPLATE
        and not one.text("role")
        and name_key(one.name) not in new
        and one.text("strategy") not in ("retain", "retire")
        and (one.text("successor") or one.kind not in SEATED)
    ]


def _units(snapshot: Snapshot, moving: Sequence[Asset]) -> list[_Unit]:
    ids = [asset.id for asset in moving]
    place = {asset: number for number, asset in enumerate(ids)}
    hosts = _hosts(snapshot, place)
    together = _together(snapshot, place, hosts)
    parts = [sorted(part) for part in rx.connected_components(_graph(len(ids), together))]
    part_of = {node: number for number, part in enumerate(parts) for node in part}
    edges = {(part_of[a], part_of[b]) for a, b in _edges(snapshot, place, hosts) if part_of[a] != part_of[b]}
    layers = _layers(len(parts), edges)
    known = snapshot.by_id()
    degree: dict[int, int] = defaultdict(int)
    for one, other in edges:
        degree[one] += 1
        degree[other] += 1
    critical = _criticality(snapshot, hosts)
    return [
        _Unit(
            assets=tuple(ids[node] for node in part),
            layer=layers[number],
            is_production=not any(word in name_key(known[ids[node]].name) for node in part for word in TEST_WORDS),
            criticality=max(critical.get(node, 0) for node in part),
            complexity=min(3, degree[number] // 5 + len(part) // 10),
        )
        for number, part in enumerate(parts)
    ]


def _hosts(snapshot: Snapshot, place: Mapping[AssetId, int]) -> dict[AssetId, list[int]]:
    """Procedure or machine -> the machines that move for it."""
    machines = {name_key(a.name): a.id for a in snapshot.assets if a.is_machine}
    found = {asset: [node] for asset, node in place.items()}
    for one in snapshot.assets:
        if one.kind is AssetKind.PROCEDURE:
            named = (machines.get(name_key(name)) for name in one.texts("machines"))
            found[one.id] = [place[asset] for asset in named if asset is not None and asset in place]
    return found


def _together(
    snapshot: Snapshot, place: Mapping[AssetId, int], hosts: Mapping[AssetId, Sequence[int]]
) -> list[tuple[int, int]]:
    """Pairs that stay in one wave: strong needs both ways, and the machines of one application."""
    strong = {(d.asset, d.needs) for d in snapshot.dependencies if d.kind in STRONG}
    hard = {(d.asset, d.needs) for d in snapshot.dependencies if d.kind is DependencyKind.HARD}
    users: dict[int, int] = defaultdict(int)
    for one in snapshot.assets:
        if one.kind is AssetKind.PROCEDURE:
            for node in hosts.get(one.id, ()):
                users[node] += 1
    pairs: list[tuple[int, int]] = []
    for edge in strong:
        if edge[::-1] in strong or edge in hard:
            pairs += [(a, b) for a in hosts.get(edge[0], ())[:1] for b in hosts.get(edge[1], ())[:1]]
    for asset, nodes in hosts.items():
        own = [node for node in nodes if users[node] < 2] if asset not in place else []
        pairs += [(own[0], node) for node in own[1:]]
    return pairs


def _edges(
    snapshot: Snapshot, place: Mapping[AssetId, int], hosts: Mapping[AssetId, Sequence[int]]
) -> Iterable[tuple[int, int]]:
    for need in snapshot.dependencies:
        for one in hosts.get(need.asset, ())[:1]:
            for other in hosts.get(need.needs, ())[:1]:
                yield one, other


def _graph(size: int, pairs: Iterable[tuple[int, int]]) -> rx.PyGraph[int, None]:
    graph: rx.PyGraph[int, None] = rx.PyGraph()
    graph.add_nodes_from(range(size))
    graph.add_edges_from_no_data(list(pairs))
    return graph


def _layers(size: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """How many things stand below; what goes round in a circle shares a layer."""
    graph: rx.PyDiGraph[int, None] = rx.PyDiGraph()
    graph.add_nodes_from(range(size))
    graph.add_edges_from_no_data(list(edges))
    knots = rx.strongly_connected_components(graph)
    knot_of = {node: number for number, knot in enumerate(knots) for node in knot}
    below: dict[int, set[int]] = defaultdict(set)
    for one, other in graph.edge_list():
        if knot_of[one] != knot_of[other]:
            below[knot_of[one]].add(knot_of[other])
    layers = [0] * len(knots)
    order: rx.PyDiGraph[int, None] = rx.PyDiGraph()
    order.add_nodes_from(range(len(knots)))
    order.add_edges_from_no_data([(other, one) for one, others in below.items() for other in others])
    for knot in rx.topological_sort(order):
        layers[knot] = max((layers[other] + 1 for other in below[knot]), default=0)
    return [layers[knot_of[node]] for node in range(size)]


def _criticality(snapshot: Snapshot, hosts: Mapping[AssetId, Sequence[int]]) -> dict[int, int]:
    """Machine -> 0 to 2 by the protection class of what runs on it."""
    word = {"normal": 0, "hoch": 1, "sehr hoch": 2}
    found: dict[int, int] = {}
    for one in snapshot.assets:
        if one.kind is AssetKind.PROCEDURE:
            for node in hosts.get(one.id, ()):
                found[node] = max(found.get(node, 0), word.get(one.text("protection"), 0))
    return found


def _rank(unit: _Unit) -> tuple[object, ...]:
    return unit.is_production, unit.layer, unit.criticality, unit.complexity, -len(unit.assets), unit.assets


def _filled(units: Sequence[_Unit], *, room: int, windows: int) -> list[list[_Unit]]:
    """Waves in order: test first and apart, then by layer, with the critical and the complex late within a layer."""
    ordered = sorted(units, key=_rank)
    waves: list[list[_Unit]] = []
    free = 0
    for unit in ordered:
        size = len(unit.assets)
        mixes = bool(waves) and waves[-1][0].is_production != unit.is_production
        if not waves or mixes or size > free:
            if len(waves) == windows:
                break
            waves.append([])
            free = max(room, size)
        waves[-1].append(unit)
        free -= size
    return waves

"""What a plan comes to, reckoned from inventory and plan alone, the same for every planner.

A need is *cut* when its two ends stand in different windows. A procedure stands where the machines stand that it alone
runs on (the last of them, should they be apart); one that runs on shared machines only stands nowhere, as in
docs/planning.md. Needs of what is in no wave count for nothing, so the number of assets left over belongs beside every
figure.

- bridges: sum of the prices of cut needs (policy.planning.prices)
- exposure: users of the needing end times hours between the two windows, summed over cut needs; an asset that says
  nothing of users counts as one
- finish: days from the beginning of planning to the opening of the last window
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pymetis

from inventory.model import AssetId, AssetKind, DependencyKind, Snapshot, name_key
from orchestrator.core.plan import Plan, PlannedWave, PlanRequest

BINDING = (DependencyKind.HARD, DependencyKind.LICENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one plan."""

    planned: int
    left: int
    waves: int
    bridges: float
    exposure: float
    """Users times hours."""
    finish_days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A need that may be cut: its ends, its price and how many people use the needing end."""

    one: AssetId
    other: AssetId
    price: float
    users: float


def figures(plan: Plan, request: PlanRequest) -> Figures:
    """The figures of a plan for that request."""
    where = {asset: wave for wave in plan.waves for asset in wave.assets}
    stands = standing(request.snapshot, where)
    bridges = exposure = 0.0
    for need in needs_of(request):
        one, other = stands.get(need.one), stands.get(need.other)
        if one is None or other is None or one.window.opens == other.window.opens:
            continue
        bridges += need.price
        exposure += need.users * abs((one.window.opens - other.window.opens).total_seconds()) / 3_600
    last = max((wave.window.opens for wave in plan.waves), default=request.not_before)
    return Figures(
        planned=len(where),
        left=sum(len(one.assets) for one in plan.why_not),
        waves=len(plan.waves),
        bridges=bridges,
        exposure=exposure,
        finish_days=(last - request.not_before).total_seconds() / 86_400,
    )


def needs_of(request: PlanRequest) -> Iterator[Need]:
    """Every need that does not bind: declared ones, and those of procedures for the machines that they share."""
    yield from _declared(request)
    yield from _shared(request)


def _shared(request: PlanRequest) -> Iterator[Need]:
    machines = {name_key(a.name): a.id for a in request.snapshot.assets if a.is_machine}
    procedures = [one for one in request.snapshot.assets if one.kind is AssetKind.PROCEDURE]
    running = Counter(name_key(name) for one in procedures for name in set(one.texts("machines")))
    price = request.policy.planning.prices.get(DependencyKind.SOFT, 0.0)
    for one in procedures:
        for host in sorted({name_key(name) for name in one.texts("machines")}):
            if host in machines and running[host] > 1:
                yield Need(one=one.id, other=machines[host], price=price, users=max(1.0, one.number("users")))


def _declared(request: PlanRequest) -> Iterator[Need]:
    known, prices = request.snapshot.by_id(), request.policy.planning.prices
    for one in request.snapshot.dependencies:
        if one.kind not in BINDING and one.asset in known and one.needs in known and one.asset != one.needs:
            users = max(1.0, known[one.asset].number("users"))
            yield Need(one=one.asset, other=one.needs, price=prices.get(one.kind, 0.0), users=users)


def standing(snapshot: Snapshot, where: Mapping[AssetId, PlannedWave]) -> dict[AssetId, PlannedWave]:
    """The wave of every machine and procedure that has one."""
    machines = {name_key(a.name): a.id for a in snapshot.assets if a.is_machine}
    found = dict(where)
    procedures = [one for one in snapshot.assets if one.kind is AssetKind.PROCEDURE]
    users = Counter(name_key(name) for one in procedures for name in set(one.texts("machines")))
    for one in procedures:
        hosts = [name_key(name) for name in one.texts("machines")]
        own = [host for host in hosts if users[host] == 1]
        waves = [where[machines[host]] for host in own if host in machines and machines[host] in where]
        if waves:
            found[one.id] = max(waves, key=lambda wave: wave.window.opens)
    return found


def kept_share(before: Plan, after: Plan) -> float:
    """Share of the assets that are in both plans and keep their window."""
    old = {asset: wave.window.opens for wave in before.waves for asset in wave.assets}
    new = {asset: wave.window.opens for wave in after.waves for asset in wave.assets}
    both = old.keys() & new.keys()
    return sum(old[asset] == new[asset] for asset in both) / len(both) if both else 1.0


def free_cut(plan: Plan, request: PlanRequest) -> float:
    """Weight of the needs that a graph partitioner without any constraint (METIS) cuts, with as many parts as the plan
    has waves, on the groups of that plan. The best of three seeds."""
    groups = [group for wave in plan.waves for group in wave.groups]
    node_of = {asset: number for number, group in enumerate(groups) for asset in group.assets}
    stands = _nodes(request.snapshot, node_of)
    weights: dict[tuple[int, int], float] = {}
    for need in needs_of(request):
        one, other = stands.get(need.one, -1), stands.get(need.other, -1)
        if one >= 0 and other >= 0 and one != other:
            pair = (min(one, other), max(one, other))
            weights[pair] = weights.get(pair, 0.0) + need.price
    if len(plan.waves) < 2 or not weights:
        return 0.0
    return min(_cut(weights, [len(group.assets) for group in groups], len(plan.waves), seed) for seed in (1, 2, 3))


def _nodes(snapshot: Snapshot, node_of: Mapping[AssetId, int]) -> dict[AssetId, int]:
    machines = {name_key(a.name): a.id for a in snapshot.assets if a.is_machine}
    found = dict(node_of)
    procedures = [one for one in snapshot.assets if one.kind is AssetKind.PROCEDURE]
    users = Counter(name_key(name) for one in procedures for name in set(one.texts("machines")))
    for one in procedures:
        hosts = [machines.get(key) for key in map(name_key, one.texts("machines")) if users[key] == 1]
        nodes = [node_of[host] for host in hosts if host is not None and host in node_of]
        if nodes:
            found[one.id] = nodes[0]
    return found


def _cut(weights: Mapping[tuple[int, int], float], sizes: list[int], parts: int, seed: int) -> float:
    near: list[list[tuple[int, float]]] = [[] for _ in sizes]
    for (one, other), weight in weights.items():
        near[one].append((other, weight))
        near[other].append((one, weight))
    starts, targets, prices = [0], [], []
    for row in near:
        targets += [other for other, _ in row]
        prices += [max(1, round(10 * weight)) for _, weight in row]
        starts.append(len(targets))
    _, part = pymetis.part_graph(
        parts,
        pymetis.CSRAdjacency(starts, targets),
        eweights=prices,
        vweights=sizes,
        options=pymetis.Options(seed=seed),
    )
    return sum(weight for (one, other), weight in weights.items() if part[one] != part[other])

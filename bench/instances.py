"""Requests to plan, made up from a short name: the same name and seed give the same request, in any process.

``town:SEATS``            a municipality as ``kahn town`` makes it, with servers and their procedures
``graph:ASSETS:EDGES``    servers in communities, most needs within one, a few popular ones needed by many
``known:ASSETS``          a graph whose best plan is known because it was built from that plan
``exact:GROUPS``          a graph so small that ``bench.exact`` can prove its best plan
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import count
from pathlib import Path
from random import Random

from inventory.changes import Holdings, applied
from inventory.merge import When, merge
from inventory.model import Asset, AssetId, AssetKind, Dependency, DependencyKind, Snapshot, TenantId, Value
from inventory.sources import read_file
from inventory.sources.town import TownWish, make_town, town_json
from orchestrator.core.constraints import Level, Planning
from orchestrator.core.plan import PlanRequest
from orchestrator.core.policy import Policy, Weekday, WeeklyWindow, Window

TENANT = TenantId("bench")
BEGIN = datetime(2026, 9, 7, 6, tzinfo=UTC)
"""A Monday: the turn of the year and both clock changes lie within reach."""
RUNBOOK = "replace-workstation"
KINDS = ("workstation", "notebook", "thin_client", "server", "vm")
NIGHTS = WeeklyWindow(days=(Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU), opens=time(20), closes=time(2))
REACHED: dict[str, Value] = {"access": "bench", "host_key": "ssh-ed25519 AAAA"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The best plan of an instance: what stands in each of its waves. It cuts no need, and no wave has room left."""

    waves: tuple[tuple[AssetId, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A request with its name, and its best plan's figures where they are known by construction."""

    name: str
    request: PlanRequest
    known: Known | None = None


def instance(name: str, *, seed: int) -> Instance:
    """The instance of that name. Raises ValueError for a name that is none."""
    sort, *numbers = name.split(":")
    sizes = [int(number) for number in numbers]
    if sort == "town" and len(sizes) == 1:
        return Instance(name=name, request=_request(_town(sizes[0], seed), seats_a_window=_town_capacity(sizes[0])))
    if sort == "graph" and len(sizes) == 2:
        capacity = max(10, sizes[0] // 100)
        return Instance(name=name, request=_request(_graph(sizes[0], sizes[1], seed), seats_a_window=capacity))
    if sort == "known" and len(sizes) == 1:
        return _known(name, sizes[0], seed)
    if sort == "exact" and len(sizes) == 1:
        return Instance(name=name, request=_exact(sizes[0], seed))
    raise ValueError(f"no such instance: {name}")


def policy_of(seats_a_window: int, **changes: object) -> Policy:
    """Four nights a week, the holidays of Brandenburg, groups of any size up to a window's room."""
    values: dict[str, object] = {
        "weekly": (NIGHTS,),
        "assets_per_window": seats_a_window,
        "horizon_days": 730,
        "batch_size": 10,
        "runbooks": {AssetKind(kind): RUNBOOK for kind in KINDS},
        **changes,
    }
    return Policy(**values)  # type: ignore[arg-type]


def _request(snapshot: Snapshot, *, seats_a_window: int) -> PlanRequest:
    return PlanRequest(snapshot=snapshot, policy=policy_of(seats_a_window), not_before=BEGIN)


def _town_capacity(seats: int) -> int:
    """Six technicians with eight seats a day for a town of 1,400; larger towns have more of them."""
    return max(12, round(48 * seats / 1_400))


# --------------------------------------------------------------------------- towns


def _town(seats: int, seed: int) -> Snapshot:
    """The generator's town, read as any inventory is; each machine gets what it needs to be reached."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "town.json"
        file.write_text(town_json(make_town(TownWish(seats=seats, seed=seed))), encoding="utf-8")
        reading = read_file(file)
    numbers = count(1)
    empty = Holdings(snapshot=Snapshot(tenant=TENANT, assets=(), dependencies=()))
    changes = merge(empty, reading, new_id=lambda: AssetId(f"a{next(numbers):07d}"), when=When(imported_us=1))
    found = applied(empty, changes).snapshot
    return replace(found, assets=tuple(_reachable(one) for one in found.assets))


def _reachable(asset: Asset) -> Asset:
    return replace(asset, values={**asset.values, **REACHED}) if asset.is_machine else asset


# --------------------------------------------------------------------------- graphs


def _server(number: int, department: int, **values: Value) -> Asset:
    name = f"srv-{number:06d}"
    common: dict[str, Value] = {
        "address": f"{name}.example",
        "department": f"Amt {department:03d}",
        "users": 1 + number % 7,
        **REACHED,
    }
    return Asset(id=AssetId(name), tenant=TENANT, kind=AssetKind.SERVER, name=name, values={**common, **values})


def _vault() -> Asset:
    values: dict[str, Value] = {"role": "vault", "address": "vault.example", **REACHED}
    return Asset(id=AssetId("vault"), tenant=TENANT, kind=AssetKind.SERVER, name="vault", values=values)


def _need(one: int, other: int, kind: DependencyKind) -> Dependency:
    return Dependency(tenant=TENANT, asset=AssetId(f"srv-{one:06d}"), needs=AssetId(f"srv-{other:06d}"), kind=kind)


def _graph(assets: int, edges: int, seed: int) -> Snapshot:
    """Communities of about forty; nine needs in ten stay within one, the others go to popular servers anywhere.

    Needs point to lower numbers, so that there are no circles. Each fiftieth server is the private database of the one
    after it, bound to it and needed by nobody else.
    """
    chance = Random(f"graph {assets} {edges} {seed}")
    communities = max(1, assets // 40)
    needs = [_need(number + 1, number, DependencyKind.HARD) for number in range(0, assets - 1, 50)]
    found: set[tuple[int, int]] = set()
    while len(needs) < edges:
        user = chance.randrange(1, assets)
        if chance.random() < 0.9:
            used = user - communities * chance.randrange(1, 40)
        else:
            used = int(user * chance.random() ** 2)
        if used < 0 or used == user or (user, used) in found or not user % 50 or not used % 50:
            continue
        found.add((user, used))
        needs.append(_need(user, used, DependencyKind.SOFT if chance.random() < 0.45 else DependencyKind.DATA))
    servers = [_server(number, number % communities) for number in range(assets)]
    return Snapshot(tenant=TENANT, assets=(*servers, _vault()), dependencies=tuple(needs))


def _known(name: str, assets: int, seed: int) -> Instance:
    """Waves filled to the brim with clusters; every need lies within a cluster.

    So the best plan has as many windows as the number of assets asks for, and cuts nothing: no plan can have fewer of
    either, and the plan it was built from has both at once.
    """
    chance = Random(f"known {assets} {seed}")
    room = min(assets, chance.choice((12, 24, 48, 96)))
    waves = math.ceil(assets / room)
    numbers = list(range(waves * room))
    chance.shuffle(numbers)
    needs: list[Dependency] = []
    for wave in range(waves):
        members = numbers[wave * room : (wave + 1) * room]
        for cluster in _clusters(chance, members):
            needs += _within(chance, sorted(cluster))
    servers = [_server(number, chance.randrange(12)) for number in numbers]
    snapshot = Snapshot(tenant=TENANT, assets=(*servers, _vault()), dependencies=tuple(needs))
    filled = tuple(
        tuple(AssetId(f"srv-{number:06d}") for number in sorted(numbers[at * room : (at + 1) * room]))
        for at in range(waves)
    )
    return Instance(name=name, request=_request(snapshot, seats_a_window=room), known=Known(waves=filled))


def _exact(groups: int, seed: int) -> PlanRequest:
    """Single servers with random needs and three nights that are just long enough; only bridges count, in any order."""
    chance = Random(f"exact {groups} {seed}")
    kinds = (DependencyKind.SOFT, DependencyKind.DATA, DependencyKind.INTERFACE)
    pairs = {(high, low) for high in range(1, groups) for low in range(high) if chance.random() < 2.5 / groups}
    needs = tuple(_need(high, low, chance.choice(kinds)) for high, low in sorted(pairs))
    servers = [_server(number, number % 3) for number in range(groups)]
    nights = tuple(
        Window(opens=BEGIN + timedelta(days=day, hours=14), closes=BEGIN + timedelta(days=day, hours=20))
        for day in range(3)
    )
    room = math.ceil(groups / 3) + 1
    policy = policy_of(
        room, weekly=(), windows=nights, planning=Planning(objective=(Level.BRIDGES,), needs_first=False)
    )
    snapshot = Snapshot(tenant=TENANT, assets=(*servers, _vault()), dependencies=needs)
    return PlanRequest(snapshot=snapshot, policy=policy, not_before=BEGIN)


def _clusters(chance: Random, members: list[int]) -> Iterator[list[int]]:
    at = 0
    while at < len(members):
        size = chance.randrange(2, max(3, len(members) // 2))
        yield members[at : at + size]
        at += size


def _within(chance: Random, cluster: list[int]) -> Iterator[Dependency]:
    """A tree, so that the cluster hangs together, and a few more; some bind. Needs point to lower numbers."""
    for at in range(1, len(cluster)):
        binds = chance.random() < 0.05
        kind = DependencyKind.HARD if binds else chance.choice((DependencyKind.SOFT, DependencyKind.DATA))
        yield _need(cluster[at], cluster[chance.randrange(at)], kind)
    for _more in range(len(cluster) // 2):
        low, high = sorted(chance.sample(cluster, 2)) if len(cluster) > 1 else (cluster[0], cluster[0])
        if low != high:
            yield _need(high, low, DependencyKind.SOFT)


# --------------------------------------------------------------------------- a month later


def changed(start: Instance, *, share: float, seed: int) -> PlanRequest:
    """The request after that share of the assets changed: half of them went away, as many new ones came."""
    chance = Random(f"changed {start.name} {seed}")
    snapshot = start.request.snapshot
    moving = [one for one in snapshot.assets if one.kind.value in KINDS and not one.text("role")]
    gone = {one.id for one in chance.sample(moving, k=max(1, round(len(moving) * share / 2)))}
    fresh = [_server(900_000 + number, chance.randrange(12)) for number in range(len(gone))]
    return replace(
        start.request,
        snapshot=Snapshot(
            tenant=TENANT,
            assets=(*(one for one in snapshot.assets if one.id not in gone), *fresh),
            dependencies=tuple(d for d in snapshot.dependencies if not {d.asset, d.needs} & gone),
        ),
    )

"""Small made-up estates for planning: machines with successors, a vault, and whatever a test needs beside them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time
from typing import Any

from inventory.model import Asset, AssetId, AssetKind, Dependency, DependencyKind, Snapshot, TenantId, Value
from orchestrator.core.plan import PlanRequest
from orchestrator.core.policy import Policy, Weekday, WeeklyWindow

TENANT = TenantId("stadt")
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
REACHED: dict[str, Value] = {"access": "lab", "host_key": "ssh-ed25519 AAAA"}
NIGHTS = WeeklyWindow(days=(Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU), opens=time(22, 0), closes=time(4, 30))


def an_asset(name: str, *, kind: AssetKind = AssetKind.WORKSTATION, **values: Value) -> Asset:
    """An asset whose id is its name."""
    return Asset(id=AssetId(name), tenant=TENANT, kind=kind, name=name, values=values)


def a_vault(**values: Value) -> Asset:
    """A good vault, unless the values say otherwise."""
    good = {"role": "vault", "address": "192.0.2.1", **REACHED}
    return Asset(id=AssetId("vault-1"), tenant=TENANT, kind=AssetKind.SERVER, name="vault-1", values={**good, **values})


def a_pair(number: int, **values: Value) -> tuple[Asset, Asset]:
    """An old workstation ``old-N`` and its successor ``new-N``, both complete; ``values`` are for the old one."""
    near: dict[str, Value] = {"address": f"old-{number}.stadt.example", "department": f"Amt {number % 3}", **REACHED}
    far: dict[str, Value] = {"address": f"new-{number}.stadt.example", **REACHED}
    return (
        _workstation(f"old-{number:04}", {**near, "successor": f"new-{number:04}", **values}),
        _workstation(f"new-{number:04}", far),
    )


def _workstation(name: str, values: dict[str, Value]) -> Asset:
    return Asset(id=AssetId(name), tenant=TENANT, kind=AssetKind.WORKSTATION, name=name, values=values)


def old(number: int) -> AssetId:
    """Id of the old workstation of a pair."""
    return AssetId(f"old-{number:04}")


def needs(one: str, other: str, kind: DependencyKind = DependencyKind.SOFT) -> Dependency:
    """``one`` needs ``other``."""
    return Dependency(tenant=TENANT, asset=AssetId(one), needs=AssetId(other), kind=kind)


def an_estate(pairs: int = 0, *, also: tuple[Asset, ...] = (), edges: tuple[Dependency, ...] = ()) -> Snapshot:
    """So many pairs and a vault (unless another one is given), with further assets and dependencies."""
    assets = [asset for number in range(pairs) for asset in a_pair(number)]
    vaults = () if any(one.name == "vault-1" for one in also) else (a_vault(),)
    replaced = {one.id for one in also}
    kept = [asset for asset in assets if asset.id not in replaced]
    return Snapshot(tenant=TENANT, assets=(*kept, *vaults, *also), dependencies=edges)


def a_policy(**changes: Any) -> Policy:
    """Four nights a week, ten assets a night, unless changed."""
    return Policy(**{"weekly": (NIGHTS,), "assets_per_window": 10, "batch_size": 4, **changes})


def a_request(snapshot: Snapshot, **changes: Any) -> PlanRequest:
    """A request for that estate on a Monday morning."""
    return PlanRequest(**{"snapshot": snapshot, "policy": a_policy(), "not_before": MONDAY, **changes})


def a_tangled_estate(pairs: int, *, edges: int, seed: int, binding: float = 0.02) -> Snapshot:
    """Pairs with random dependencies: most on a few popular ones, a few of them binding, a few in circles."""
    chance = random.Random(seed)
    found = []
    for _number in range(edges):
        low, high = sorted((int(pairs * chance.random() ** 3), chance.randrange(pairs)))
        user, used = (low, high) if chance.random() < 0.01 else (high, low)
        kind = DependencyKind.HARD if chance.random() < binding else DependencyKind.SOFT
        found.append(needs(old(user), old(used), kind))
    return an_estate(pairs, edges=tuple(found))

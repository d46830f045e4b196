"""The verifier's rule for what runbooks ask: machines in roles, facts, one described procedure. Written to be read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inventory.model import Asset, name_key
from orchestrator.core.asks import Asks
from orchestrator.core.plan import Plan, PlanRequest


def asked(plan: Plan, request: PlanRequest) -> Iterator[str]:
    """What a wave's runbook asks for and does not find."""
    known = request.snapshot.by_id()
    roles = {role for one in known.values() if (role := _served(one))}
    present = {one.text("role") for one in known.values() if one.is_machine}
    for wave in plan.waves:
        asks = next((one for one in request.asks if one.runbook == wave.runbook), None)
        if asks is None:
            continue
        if asks.fault:
            yield f"{wave.key} has a runbook that cannot be used"
        for role in {"vault", "gateway", "database", "tool", "jump"} & set(asks.machines):
            there = roles if asks.reached else present
            if role not in there and not (role == "jump" and "jump" not in present):
                yield f"{wave.key} finds no {role}"
        for asset in (known[one] for one in wave.assets if one in known):
            yield from _of_asset(asset, asks, request)


def _of_asset(asset: Asset, asks: Asks, request: PlanRequest) -> Iterator[str]:
    if asks.procedure and len(_described(asset, request)) != 1:
        yield f"{asset.name} does not run exactly one described procedure"
    if "successor" in asks.machines and not asset.text("successor"):
        yield f"{asset.name} has no successor"
    if asks.boots and not _boots_alone(asset, request):
        yield f"{asset.name} would boot by an address that is not its successor's alone"
    for need in asks.needs:
        if not any(_like(asset.text(need.fact), value) for value in need.values):
            yield f"{asset.name} is not what its runbook needs"


def _boots_alone(asset: Asset, request: PlanRequest) -> bool:
    machines = [one for one in request.snapshot.assets if one.is_machine]
    new = [one for one in machines if name_key(one.name) == name_key(asset.text("successor"))]
    macs = [mac for one in new for mac in one.texts("mac")]
    return len(macs) == 1 and sum(macs[0] in one.texts("mac") for one in machines) == 1


def _served(one: Asset) -> str:
    complete = one.is_machine and one.text("address") and one.text("access") and one.text("host_key")
    return one.text("role") if complete else ""


def _described(asset: Asset, request: PlanRequest) -> set[str]:
    found = set()
    for procedure in request.snapshot.assets:
        if procedure.kind == "procedure":
            hosts = {name_key(name) for name in procedure.texts("machines")}
            own = {name_key(name) for name in asset.texts("procedures")}
            if name_key(asset.name) in hosts or name_key(procedure.name) in own:
                found.add(name_key(procedure.name))
    return found & {name_key(one.name) for one in request.policy.procedures}


def _like(found: str, value: str) -> bool:
    stem = re.escape(value[:-1]) + ".*" if value.endswith("*") else re.escape(value)
    return re.fullmatch(stem, found, re.IGNORECASE | re.DOTALL) is not None

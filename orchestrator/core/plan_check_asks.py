"""The plan check's own look at what each wave's runbook asks of the inventory, from docs/planning.md alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby

from inventory.model import Asset, AssetId, AssetKind, Snapshot, name_key
from orchestrator.core.asks import Asks
from orchestrator.core.plan import Plan, PlannedWave, PlanRequest
from orchestrator.core.plan_check_groups import SEATED, successor_of
from orchestrator.core.policy import Policy

NEEDED = ("address", "access", "host_key")
SERVED_BY = ("vault", "gateway", "jump", "database", "tool")

Lack = tuple[str, str, list[AssetId]]
"""(rule, what is said of the assets, the assets); no assets where the whole tenant is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One wave with what its runbook asks, and what of it is in the inventory."""

    wave: PlannedWave
    known: dict[AssetId, Asset]
    asks: Asks | None
    """None when nobody said."""

    @property
    def assets(self) -> list[Asset]:
        """Those of its assets that exist."""
        return [self.known[one] for one in self.wave.assets if one in self.known]


def people_move(asset: Asset, policy: Policy) -> bool:
    """A Windows machine of a kind that the policy has moved by hand."""
    return asset.kind in policy.by_hand and "windows" in asset.text("os_name").casefold()


def is_let_go(asset: Asset, policy: Policy) -> bool:
    """A machine to retire of a kind that the policy retires by a wave; none that runs Windows."""
    return (
        asset.text("strategy") == "retire"
        and policy.retire.get(asset.kind, "") != ""
        and "windows" not in asset.text("os_name").casefold()
    )


def wanted_by_others(snapshot: Snapshot) -> frozenset[AssetId]:
    """What something needs that does not retire itself."""
    lasting = [asset for asset in snapshot.assets if asset.text("strategy") != "retire"]
    ids = {asset.id for asset in lasting}
    served = {name_key(m) for a in lasting if a.kind is AssetKind.PROCEDURE for m in a.texts("machines")}
    lasting_procedures = {name_key(asset.name) for asset in lasting if asset.kind is AssetKind.PROCEDURE}
    runs = [
        asset.id
        for asset in snapshot.assets
        if asset.is_machine
        and asset.kind not in SEATED
        and (
            name_key(asset.name) in served or lasting_procedures & {name_key(one) for one in asset.texts("procedures")}
        )
    ]
    seats = [asset.id for asset in snapshot.assets if asset.kind in SEATED and name_key(asset.name) in served]
    return frozenset([*runs, *seats, *(edge.needs for edge in snapshot.dependencies if edge.asset in ids)])


def asks_unmet(plan: Plan, snapshot: Snapshot, policy: Policy, *, request: PlanRequest | None) -> Iterator[Lack]:
    """All that a runbook asks and does not find."""
    known, heirs = snapshot.by_id(), successor_of(snapshot)
    told = {one.runbook: one for one in request.asks} if request else {}
    waves = [_Asked(wave=wave, known=known, asks=told.get(wave.runbook)) for wave in plan.waves]
    reached = [one for wave in waves for one in wave.assets if _is_reached(wave, one, policy)]
    for field in NEEDED:
        lacking = [one.id for one in reached if not _has(one, known.get(heirs.get(one.id, one.id), one), field)]
        yield f"no_{field}", f"Assets, or their successors, have no {field.replace('_', ' ')}", lacking
    yield from _unserved(waves, snapshot, policy)
    runs = _runs(snapshot, policy)
    for wave in waves:
        if wave.asks is not None:
            yield from _unmet(wave, wave.asks, heirs=heirs, runs=runs)
            yield from _booted(wave, wave.asks, heirs=heirs, snapshot=snapshot)


def _is_reached(wave: _Asked, asset: Asset, policy: Policy) -> bool:
    return wave.asks.reached if wave.asks else not people_move(asset, policy)


def _has(asset: Asset, heir: Asset, field: str) -> bool:
    return bool(asset.text(field)) and bool(heir.text(field))


def _unserved(waves: list[_Asked], snapshot: Snapshot, policy: Policy) -> Iterator[Lack]:
    """Machines that serve all moves: those whose role a runbook names must be there and be reached."""
    for role in SERVED_BY:
        there = [one for one in snapshot.assets if one.is_machine and one.text("role") == role]
        good = any(all(one.text(field) for field in NEEDED) for one in there)
        for wave in waves:
            asked = role in wave.asks.machines if wave.asks else role == "vault"
            if not asked or good or (role == "jump" and not there):
                continue
            if any(_is_reached(wave, one, policy) for one in wave.assets) or not there:
                rule = "no_vault" if role == "vault" else "no_service"
                reached = [one.id for one in wave.assets]
                yield rule, f"The tenant has no {role} that can be reached, which {wave.wave.key} needs", reached


def _unmet(wave: _Asked, asks: Asks, *, heirs: dict[AssetId, AssetId], runs: dict[str, set[str]]) -> Iterator[Lack]:
    if asks.fault:
        yield "no_runbook", f"The runbook of {wave.wave.key} cannot be used", [one.id for one in wave.assets]
    if "successor" in asks.machines:
        lone = [one.id for one in wave.assets if one.id not in heirs]
        yield "no_successor", "Assets have no successor, which their runbook needs", lone
    if asks.procedure:
        odd = [one.id for one in wave.assets if len(runs.get(name_key(one.name), ())) != 1]
        yield "no_procedure", "Not exactly one described procedure runs on", odd
    for need in asks.needs:
        patterns = [_pattern(value) for value in need.values]
        other = [
            one.id
            for one in wave.assets
            if not any(fnmatchcase(one.text(need.fact).casefold(), pattern) for pattern in patterns)
        ]
        yield "need_unmet", f"Their runbook needs another {need.fact} of", other


def _booted(wave: _Asked, asks: Asks, *, heirs: dict[AssetId, AssetId], snapshot: Snapshot) -> Iterator[Lack]:
    """Successors that are installed by their hardware address have one, and no other machine has the same."""
    if not asks.boots:
        return
    taken = Counter(mac for one in snapshot.assets if one.is_machine for mac in set(one.texts("mac")))
    for asset in wave.assets:
        new = wave.known.get(heirs[asset.id]) if asset.id in heirs else None
        macs = new.texts("mac") if new is not None else ()
        if len(macs) != 1 or taken[macs[0]] > 1:
            same = [one.name for one in snapshot.assets if one.is_machine and set(macs) & set(one.texts("mac"))]
            names = ", ".join(sorted(same)[:3]) if len(macs) == 1 else "none or several"
            yield "boot_mac", f"Successors need a hardware address of their own to boot by ({names})", [asset.id]


def _pattern(value: str) -> str:
    """A value as a shell pattern in which only a star at the end means anything."""
    stem = value.casefold().removesuffix("*")
    plain = "".join(f"[{sign}]" if sign in "*?[" else sign for sign in stem)
    return plain + "*" * value.endswith("*")


def _runs(snapshot: Snapshot, policy: Policy) -> dict[str, set[str]]:
    """Name of a machine -> described procedures of the inventory that run there, all as name keys."""
    wanted = {name_key(one.name) for one in policy.procedures}
    kept = {
        name_key(a.name): a for a in snapshot.assets if a.kind is AssetKind.PROCEDURE and name_key(a.name) in wanted
    }
    pairs = [(name_key(machine), key) for key, one in kept.items() for machine in one.texts("machines")]
    for asset in snapshot.assets if kept else ():
        if asset.is_machine:
            pairs.extend((name_key(asset.name), name_key(one)) for one in asset.texts("procedures"))
    return {
        machine: {key for _, key in of_machine} & kept.keys()
        for machine, of_machine in groupby(sorted(pairs), key=lambda pair: pair[0])
    }

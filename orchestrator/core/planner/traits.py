"""What the rules of a policy look at in a machine, and whether a scope holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from inventory.dependencies import departments_of
from inventory.model import Asset, AssetId, AssetKind, Snapshot, name_key
from orchestrator.core.constraints import Each, Measure, Scope

CLASSES = ("normal", "hoch", "sehr hoch")
CRITICALITY = {"normal": 0, "hoch": 1, "sehr hoch": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """One machine as the rules see it. Names are name keys."""

    name: str
    kind: AssetKind
    site: str
    department: str
    procedures: frozenset[str]
    used: frozenset[str]
    """Procedures that it or its seat names."""
    vendors: tuple[str, ...]
    model: str
    protection: str
    runs_one: bool
    """Whether a procedure runs on it."""
    users: int
    vcpu: float
    ram_gib: float
    disk_gib: float
    rack_units: float

    def parts(self, each: Each) -> tuple[str, ...]:
        """What it belongs to when a rule counts apart for each."""
        if each is Each.ALL:
            return ("",)
        if each is Each.SITE:
            return (self.site,)
        if each is Each.DEPARTMENT:
            return (self.department,)
        return (self.vendors or ("",)) if each is Each.VENDOR else tuple(sorted(self.procedures))

    def counts(self, measure: Measure) -> float:
        """How much it adds to a measure; minutes and cutovers are not its own."""
        if measure is Measure.VCPU:
            return self.vcpu
        if measure is Measure.RAM_GIB:
            return self.ram_gib
        if measure is Measure.RACK_UNITS:
            return self.rack_units
        return self.disk_gib if measure is Measure.DISK_GIB else 1.0


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    return name_key(name)


@lru_cache(maxsize=1024)
def _keys(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name_key(name) for name in names)


def holds(scope: Scope, one: Traits) -> bool:
    """Whether the rule is about that machine."""
    return (
        (not scope.kinds or one.kind in scope.kinds)
        and (not scope.sites or one.site in _keys(scope.sites))
        and (not scope.departments or one.department in _keys(scope.departments))
        and (not scope.procedures or not one.procedures.isdisjoint(_keys(scope.procedures)))
        and (not scope.vendors or any(vendor in _keys(scope.vendors) for vendor in one.vendors))
        and (not scope.models or one.model in _keys(scope.models))
        and (not scope.protection or one.protection in scope.protection)
        and (not scope.names or any(fnmatchcase(one.name, pattern) for pattern in _keys(scope.names)))
    )


def traits_of(snapshot: Snapshot, wanted: Iterable[AssetId]) -> dict[AssetId, Traits]:
    """The traits of these machines."""
    finder = _Finder(snapshot)
    known = snapshot.by_id()
    return {asset: finder.traits(known[asset]) for asset in wanted}


class _Finder:
    def __init__(self, snapshot: Snapshot) -> None:
        self._departments = departments_of(snapshot)
        self._machines = {_key(a.name): a for a in snapshot.assets if a.is_machine}
        self._seats: dict[str, list[Asset]] = {}
        for seat in snapshot.assets:
            if seat.kind is AssetKind.SEAT and seat.text("machine"):
                self._seats.setdefault(_key(seat.text("machine")), []).append(seat)
        self._procedures = {_key(a.name): a for a in snapshot.assets if a.kind is AssetKind.PROCEDURE}
        self._runs: dict[str, set[str]] = {}
        for name, procedure in self._procedures.items():
            for machine in procedure.texts("machines"):
                self._runs.setdefault(_key(machine), set()).add(name)

    def traits(self, asset: Asset) -> Traits:
        """One machine's."""
        name = _key(asset.name)
        seats = self._seats.get(name, [])
        used = {_key(one) for place in (asset, *seats) for one in place.texts("procedures")}
        runs = self._runs.get(name, set())
        procedures = [self._procedures[one] for one in sorted(used | runs) if one in self._procedures]
        heir = self._machines.get(_key(asset.text("successor"))) if asset.text("successor") else None
        makers = {_key(one.text("vendor")) for one in (asset, *procedures) if one.text("vendor")}
        return Traits(
            name=name,
            kind=asset.kind,
            site=_key(next((one.text("site") for one in (asset, *reversed(seats)) if one.text("site")), "")),
            department=_key(self._departments.get(asset.id, "")),
            procedures=frozenset(used | runs),
            used=frozenset(used),
            vendors=tuple(sorted(makers)),
            model=_key((heir or asset).text("model")),
            protection=max(
                (one.text("protection") or "normal" for one in procedures), key=CLASSES.index, default="normal"
            ),
            runs_one=bool(runs),
            users=max(1, int(asset.number("users"))),
            vcpu=asset.number("cpu_cores"),
            ram_gib=asset.number("ram_mib") / 1024,
            disk_gib=asset.number("disk_used_gib") or asset.number("disk_gib"),
            rack_units=(heir or asset).number("rack_units"),
        )


def runs_on(snapshot: Snapshot) -> Mapping[str, frozenset[str]]:
    """Procedure -> names of the machines on which it runs, all as name keys."""
    return {
        _key(a.name): frozenset(_key(one) for one in a.texts("machines"))
        for a in snapshot.assets
        if a.kind is AssetKind.PROCEDURE
    }

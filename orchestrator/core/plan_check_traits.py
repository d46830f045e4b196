"""The plan check's own view of a machine: what scopes look at and capacities count, from docs/planning.md alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import translate
from functools import cached_property, lru_cache

from inventory.model import Asset, AssetId, AssetKind, Snapshot, name_key
from orchestrator.core.constraints import Effort, Scope
from orchestrator.core.plan_check_groups import answered_for, successor_of

HEIGHT = {"": 0, "normal": 0, "hoch": 1, "sehr hoch": 2}
NAME_OF_HEIGHT = ("normal", "hoch", "sehr hoch")


@lru_cache(maxsize=65_536)
def _key(name: str) -> str:
    return name_key(name)


@lru_cache(maxsize=1_024)
def _pattern(text: str) -> re.Pattern[str]:
    """A name pattern with ``*`` and ``?`` as a regular expression; brackets are shell classes."""
    return re.compile(translate(_key(text)))


class Viewed:
    """All machines of a snapshot that can ever be planned, and what is asked about them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.machines = {a.id: a for a in snapshot.assets if a.is_machine}
        self.movers = answered_for(snapshot)
        self._heirs = successor_of(snapshot)

    @cached_property
    def _seats(self) -> dict[str, list[Asset]]:
        found: dict[str, list[Asset]] = {}
        for asset in self.snapshot.assets:
            if asset.kind is AssetKind.SEAT and asset.text("machine"):
                found.setdefault(_key(asset.text("machine")), []).insert(0, asset)
        return found

    @cached_property
    def _procedures(self) -> dict[str, Asset]:
        return {_key(a.name): a for a in self.snapshot.assets if a.kind is AssetKind.PROCEDURE}

    @cached_property
    def hosts(self) -> dict[str, set[str]]:
        """Procedure -> machines on which it runs, as name keys."""
        return {key: {_key(one) for one in a.texts("machines")} for key, a in self._procedures.items()}

    @cached_property
    def _running(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for procedure, machines in self.hosts.items():
            for machine in machines:
                found.setdefault(machine, set()).add(procedure)
        return found

    def _places(self, asset: AssetId) -> list[Asset]:
        """The machine, then the seats that name it, the last by id first."""
        machine = self.machines[asset]
        return [machine, *self._seats.get(_key(machine.name), [])]

    def used(self, asset: AssetId) -> set[str]:
        """Procedures that the machine or its seats name."""
        return {_key(name) for place in self._places(asset) for name in place.texts("procedures")}

    def running(self, asset: AssetId) -> set[str]:
        """Procedures that run on it."""
        return self._running.get(_key(self.machines[asset].name), set())

    def place(self, asset: AssetId, field: str) -> str:
        """Its site or department."""
        return next((_key(one.text(field)) for one in self._places(asset) if one.text(field)), "")

    def vendors(self, asset: AssetId) -> set[str]:
        """Makers of the machine and of its procedures."""
        known = [self._procedures[one] for one in self.used(asset) | self.running(asset) if one in self._procedures]
        return {_key(one.text("vendor")) for one in (self.machines[asset], *known) if one.text("vendor")}

    def protection(self, asset: AssetId) -> str:
        """The highest class of its procedures."""
        known = [self._procedures[one] for one in self.used(asset) | self.running(asset) if one in self._procedures]
        return NAME_OF_HEIGHT[max((HEIGHT[one.text("protection")] for one in known), default=0)]

    def model(self, asset: AssetId) -> str:
        """The model of its successor, or its own without one."""
        return _key(self.machines[self._heirs.get(asset, asset)].text("model"))

    def parts(self, asset: AssetId, each: str) -> set[str]:
        """Of which parts it is one, when a rule counts apart."""
        if each in ("site", "department"):
            return {self.place(asset, each)}
        if each == "vendor":
            return self.vendors(asset) or {""}
        return self.used(asset) | self.running(asset) if each == "procedure" else {""}

    def within(self, scope: Scope, asset: AssetId) -> bool:
        """Whether the scope holds it."""
        return all(self._answers(scope, asset))

    def _answers(self, scope: Scope, asset: AssetId) -> Iterator[bool]:
        machine = self.machines[asset]
        if scope.kinds:
            yield machine.kind in scope.kinds
        if scope.names:
            yield any(_pattern(one).match(_key(machine.name)) is not None for one in scope.names)
        if scope.sites:
            yield self.place(asset, "site") in map(_key, scope.sites)
        if scope.departments:
            yield self.place(asset, "department") in map(_key, scope.departments)
        if scope.procedures:
            yield bool((self.used(asset) | self.running(asset)) & set(map(_key, scope.procedures)))
        if scope.vendors:
            yield bool(self.vendors(asset) & set(map(_key, scope.vendors)))
        if scope.models:
            yield self.model(asset) in map(_key, scope.models)
        if scope.protection:
            yield self.protection(asset) in scope.protection

    def minutes(self, efforts: tuple[Effort, ...], asset: AssetId) -> float:
        """Work on it: that of the first effort that holds it."""
        return next((one.minutes for one in efforts if self.within(one.scope, asset)), 0.0)

    def amount(self, of: str, asset: AssetId) -> float:
        """What one machine adds to a measure."""
        machine = self.machines[asset]
        if of == "vcpu":
            return machine.number("cpu_cores")
        if of == "ram_gib":
            return machine.number("ram_mib") / 1024
        if of == "rack_units":
            return self.machines[self._heirs.get(asset, asset)].number("rack_units")
        if of == "disk_gib":
            return machine.number("disk_used_gib") or machine.number("disk_gib")
        return 1.0

"""What a seat must reach: the machines of what is used there, by address and port, as the inventory knows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from inventory.model import Asset, AssetId, AssetKind, Snapshot, name_key

MOST = 60
"""Places that one seat tries at most: each costs a connection on both machines."""
_TCP = re.compile(r"tcp/([0-9]{1,5})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One place that is used from a seat: what it serves there, and its address and TCP port."""

    name: str
    address: str
    port: int


class Reaches:
    """Looks up what is used from the machines of a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._assets = snapshot.by_id()
        named = {name_key(one.name): one for one in snapshot.assets}
        self._machines = {key: one for key, one in named.items() if one.is_machine}
        self._procedures = {name_key(one.name): one for one in snapshot.assets if one.kind is AssetKind.PROCEDURE}
        self._seats = {name_key(one.text("machine")): one for one in snapshot.assets if one.kind is AssetKind.SEAT}
        self._needs: Mapping[AssetId, list[AssetId]] = _grouped((one.asset, one.needs) for one in snapshot.dependencies)

    def of(self, asset: Asset) -> tuple[Reach, ...]:
        """Every place that is used from there, sorted; of more than MOST the first ones.

        Used are the procedures that the machine or its seat names, and what one of both needs by a dependency.
        """
        seat = self._seats.get(name_key(asset.name))
        users = [asset, *([seat] if seat else [])]
        used = [self._procedures.get(name_key(name)) for one in users for name in one.texts("procedures")]
        used += [self._assets.get(needed) for one in users for needed in self._needs.get(one.id, ())]
        found = {place for one in used if one is not None and one.id != asset.id for place in self._places(one)}
        return tuple(sorted(found, key=lambda one: (one.name, one.address, one.port))[:MOST])

    def _places(self, used: Asset) -> Iterator[Reach]:
        """Ports of a procedure's machines, or of the machine that is needed itself."""
        key = name_key(used.name)
        machines = (
            [used]
            if used.is_machine
            else [
                one
                for name, one in self._machines.items()
                if name in map(name_key, used.texts("machines")) or key in map(name_key, one.texts("procedures"))
            ]
        )
        for machine in machines:
            for service in machine.texts("services") if machine.text("address") else ():
                told = _TCP.match(service)
                if told and 0 < int(told[1]) < 65536 and machine.kind is not AssetKind.WORKSTATION:
                    yield Reach(name=used.name, address=machine.text("address"), port=int(told[1]))


def _grouped(pairs: Iterable[tuple[AssetId, AssetId]]) -> dict[AssetId, list[AssetId]]:
    found: dict[AssetId, list[AssetId]] = {}
    for one, other in pairs:
        found.setdefault(one, []).append(other)
    return found

"""What an asset needs and what needs it, by every kind of tie; and who notices when it moves."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from inventory.model import Asset, AssetId, AssetKind, Dependency, Snapshot, name_group, name_key

RUNS_ON, STANDS_AT, USES, HOSTED_BY = "runs on", "stands at", "uses", "hosted by"
"""Ties that follow from fields of the record; declared ties bear the word of their dependency's kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """``asset`` needs ``needs``; ``word`` says how. ``dependency`` where it was declared or observed."""

    asset: AssetId
    needs: AssetId
    word: str
    dependency: Dependency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """Who notices when an asset moves: everything that needs it, directly or through others, by kind and name."""

    procedures: tuple[Asset, ...]
    seats: tuple[Asset, ...]
    machines: tuple[Asset, ...]
    departments: tuple[str, ...]
    users: int
    """The largest number of people that one of these procedures has, or the number of seats where that is more: the
    same people use several procedures, so they are not added up."""
    through: int
    """How many of them notice only through others."""


def ties(snapshot: Snapshot) -> tuple[Tie, ...]:
    """Every tie of the inventory, in no order that means anything."""
    names = snapshot.by_name()
    known = {asset.id for asset in snapshot.assets}
    found = [
        Tie(asset=one.asset, needs=one.needs, word=one.kind.value, dependency=one)
        for one in snapshot.dependencies
        if one.asset in known and one.needs in known
    ]
    for asset in snapshot.assets:
        found += _named(asset, names)
    return tuple(dict.fromkeys(found))


def _named(asset: Asset, names: Mapping[tuple[str, str], Asset]) -> Iterator[Tie]:
    machine, procedure = name_group(AssetKind.SERVER), name_group(AssetKind.PROCEDURE)
    said = [(machine, one, RUNS_ON) for one in asset.texts("machines")]
    said += [(procedure, one, USES) for one in asset.texts("procedures") if asset.kind is AssetKind.SEAT]
    said += [(machine, asset.text("machine"), STANDS_AT), (machine, asset.text("hypervisor"), HOSTED_BY)]
    for group, name, word in said:
        other = names.get((group, name_key(name))) if name else None
        if other is not None and other.id != asset.id:
            yield Tie(asset=asset.id, needs=other.id, word=word)
    if asset.is_machine:
        for name in asset.texts("procedures"):
            other = names.get((procedure, name_key(name)))
            if other is None:
                continue
            if asset.kind in (AssetKind.SERVER, AssetKind.VM):
                yield Tie(asset=other.id, needs=asset.id, word=RUNS_ON)
            else:
                yield Tie(asset=asset.id, needs=other.id, word=USES)


def impact(snapshot: Snapshot, asset: AssetId, known: Iterable[Tie] | None = None) -> Impact:
    """Who notices when the asset moves."""
    assets = snapshot.by_id()
    needed_by: dict[AssetId, set[AssetId]] = defaultdict(set)
    for tie in known if known is not None else ties(snapshot):
        needed_by[tie.needs].add(tie.asset)
    reached = _reached(asset, needed_by)
    found = sorted((assets[one] for one in reached), key=lambda one: (one.kind.value, name_key(one.name)))
    procedures = tuple(one for one in found if one.kind is AssetKind.PROCEDURE)
    seats = tuple(one for one in found if one.kind is AssetKind.SEAT)
    named = {one.text("department") for one in (*procedures, *seats, *found)} - {""}
    most = max((int(one.number("users")) for one in procedures), default=0)
    return Impact(
        procedures=procedures,
        seats=seats,
        machines=tuple(one for one in found if one.is_machine),
        departments=tuple(sorted(named)),
        users=max(most, len(seats)),
        through=sum(1 for one in reached if one not in needed_by[asset]),
    )


def _reached(start: AssetId, needed_by: Mapping[AssetId, set[AssetId]]) -> set[AssetId]:
    seen: set[AssetId] = set()
    waiting = deque([start])
    while waiting:
        for one in sorted(needed_by.get(waiting.popleft(), ())):
            if one not in seen and one != start:
                seen.add(one)
                waiting.append(one)
    return seen

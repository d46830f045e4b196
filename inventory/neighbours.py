"""What an asset needs and what needs it, by every kind of tie; and who notices when it moves."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from inventory.exchange import data_of, partners
from inventory.model import PLACES, Asset, AssetId, AssetKind, Dependency, Snapshot, name_group, name_key

RUNS_ON, STANDS_AT, USES, HOSTED_BY, DATA_ON = "runs on", "stands at", "uses", "hosted by", "keeps data on"
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
    """Who notices when assets move: everything that needs them, directly or through others, by kind and name.

    Of a place, everything in it moves; its seats and procedures notice it themselves.
    """

    procedures: tuple[Asset, ...]
    seats: tuple[Asset, ...]
    machines: tuple[Asset, ...]
    departments: tuple[str, ...]
    users: int
    """The largest number of people that one of these procedures has, or the number of seats where that is more: the
    same people use several procedures, so they are not added up."""
    through: int
    """How many of them notice only through others."""
    inside: tuple[Asset, ...] = ()
    """What moves because it belongs to the place."""
    partners: tuple[str, ...] = ()
    """With whom the procedures that move exchange data: other procedures, and partners outside."""


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
    found += [Tie(asset=one.procedure.id, needs=one.machine.id, word=DATA_ON) for one in data_of(snapshot.assets)]
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
    """Who notices when the asset moves, with all that is in it where it is a site or department."""
    return impact_of(snapshot, (asset,), known)


def impact_of(
    snapshot: Snapshot, moving: Iterable[AssetId], known: Iterable[Tie] | None = None, *, themselves: bool = False
) -> Impact:
    """Who notices when these assets move together; ``themselves``: seats and procedures that move count as well."""
    assets = snapshot.by_id()
    start = [assets[one] for one in dict.fromkeys(moving)]
    inside = tuple(one for one in _members(snapshot, start) if one not in start)
    needed_by: dict[AssetId, set[AssetId]] = defaultdict(set)
    for tie in known if known is not None else ties(snapshot):
        needed_by[tie.needs].add(tie.asset)
    moved = {one.id for one in (*start, *inside)}
    reached = _reached(moved, needed_by)
    direct = {one for mover in moved for one in needed_by[mover]}
    # Nobody at a place is left out because everybody there moves.
    noticing = {*reached, *(one.id for one in inside if not one.is_machine)}
    noticing |= {one.id for one in start if themselves and not one.is_machine and one.kind not in PLACES}
    found = sorted((assets[one] for one in noticing), key=_by_kind_and_name)
    procedures = tuple(one for one in found if one.kind is AssetKind.PROCEDURE)
    seats = tuple(one for one in found if one.kind is AssetKind.SEAT)
    named = {one.text("department") for one in (*found, *inside)} - {""}
    named |= {one.name for one in start if one.kind is AssetKind.DEPARTMENT}
    most = max((int(one.number("users")) for one in procedures), default=0)
    return Impact(
        procedures=procedures,
        seats=seats,
        machines=tuple(one for one in found if one.is_machine),
        departments=tuple(sorted(named)),
        users=max(most, len(seats)),
        through=len(reached - direct),
        inside=tuple(sorted(inside, key=_by_kind_and_name)),
        partners=partners(snapshot.assets, [assets[one] for one in moved]),
    )


def _by_kind_and_name(one: Asset) -> tuple[str, str]:
    return one.kind.value, name_key(one.name)


def _members(snapshot: Snapshot, places: Iterable[Asset]) -> Iterator[Asset]:
    """Everything that names one of the places, and the machines at its seats."""
    wanted = {(str(one.kind), name_key(one.name)) for one in places if one.kind in PLACES}
    if not wanted:
        return
    found: dict[AssetId, Asset] = {}
    names = snapshot.by_name()
    for asset in snapshot.assets:
        if {(word, name_key(asset.text(word))) for word in ("site", "department") if asset.text(word)} & wanted:
            found[asset.id] = asset
            machine = names.get((name_group(AssetKind.SERVER), name_key(asset.text("machine"))))
            if machine is not None:
                found[machine.id] = machine
    yield from found.values()


def _reached(start: Iterable[AssetId], needed_by: Mapping[AssetId, set[AssetId]]) -> set[AssetId]:
    begun = set(start)
    seen: set[AssetId] = set()
    waiting = deque(sorted(begun))
    while waiting:
        for one in sorted(needed_by.get(waiting.popleft(), ())):
            if one not in seen and one not in begun:
                seen.add(one)
                waiting.append(one)
    return seen

"""Where procedures keep their data and with whom they exchange it: the fields ``databases`` and ``interfaces``.

Both are lists of texts, so that any list can fill them. ``PostgreSQL 9.6 ewo@srv-db`` is the database ewo of that
system on that machine; a machine's own record leaves ``@srv-db`` out. ``Melderegister: XMeld`` is an exchange with that
partner, another procedure of the town or somebody outside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from inventory.model import Asset, AssetKind, name_key

DATABASES, INTERFACES = "databases", "interfaces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database by name, its system and the machine it lies on, as far as they are told."""

    name: str
    system: str = ""
    machine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """An exchange of data: with whom, and what."""

    partner: str
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLies:
    """A procedure keeps this database on that machine."""

    procedure: Asset
    machine: Asset
    database: Database


def database_of(text: str) -> Database:
    """The database that the text names: ``[SYSTEM ]NAME[@MACHINE]``, the last word being its name."""
    before, _at, machine = text.partition("@")
    *system, name = before.split() or [""]
    return Database(name=name, system=" ".join(system), machine=" ".join(machine.split()))


def interface_of(text: str) -> Interface:
    """The exchange that the text names: ``PARTNER[: WHAT]``."""
    partner, _colon, what = text.partition(":")
    return Interface(partner=" ".join(partner.split()), what=" ".join(what.split()))


def data_of(assets: Iterable[Asset]) -> Iterator[DataLies]:
    """Every database of a procedure with the machine it lies on.

    Where the procedure names no machine, the only one that has a database of that name is meant; of several, none is.
    """
    procedures: list[Asset] = []
    machines: dict[str, Asset] = {}
    holders: dict[str, list[Asset]] = defaultdict(list)
    for asset in assets:
        if asset.kind is AssetKind.PROCEDURE and asset.texts(DATABASES):
            procedures.append(asset)
        elif asset.is_machine:
            machines[name_key(asset.name)] = asset
            for name in {name_key(database_of(text).name) for text in asset.texts(DATABASES)}:
                holders[name].append(asset)
    for procedure in procedures:
        for database in map(database_of, procedure.texts(DATABASES)):
            machine = _machine(database, machines, holders)
            if machine is not None:
                yield DataLies(procedure=procedure, machine=machine, database=database)


def _machine(database: Database, machines: Mapping[str, Asset], holders: Mapping[str, Sequence[Asset]]) -> Asset | None:
    if database.machine:
        return machines.get(name_key(database.machine))
    found = holders.get(name_key(database.name), ())
    return found[0] if len(found) == 1 else None


def partners(assets: Sequence[Asset], moving: Iterable[Asset]) -> tuple[str, ...]:
    """With whom the procedures that move exchange data, whoever of the two says so; without those that move along."""
    names = {name_key(one.name): one.name for one in moving if one.kind is AssetKind.PROCEDURE}
    found: dict[str, str] = {}
    for asset in assets:
        if asset.kind is not AssetKind.PROCEDURE:
            continue
        others = [interface_of(text).partner for text in asset.texts(INTERFACES)]
        if name_key(asset.name) in names:
            found |= {name_key(one): one for one in others if one}
        elif any(name_key(one) in names for one in others):
            found[name_key(asset.name)] = asset.name
    return tuple(sorted(one for key, one in found.items() if key not in names))

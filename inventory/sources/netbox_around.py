"""What hangs on an object of NetBox without stamping it: addresses, services, hardware addresses, contacts.

Each has rows of its own that name their holder. Who reads only what changed asks here whose surroundings changed; and
reads all surroundings of each machine that it takes, for a list is said as a whole or not at all. A town may deny the
token hardware addresses or contacts: they are then left out, and that is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from inventory.sources.netbox_http import NetboxForbids, NetboxLies, NetboxRefuses, NetboxServer, Row
from inventory.sources.netbox_rows import DEVICE, SITE, VM, Around, contacts_of, macs_of, procedures_of

Key = tuple[str, int]
IDS_AT_ONCE = 200
SERVICES, MACS, CONTACTS = "ipam/services", "dcim/mac-addresses", "tenancy/contact-assignments"
NAMED_BY_MACHINES: tuple[str, ...] = (
    "dcim/device-roles",
    "dcim/platforms",
    "dcim/device-types",
    "dcim/manufacturers",
    "dcim/locations",
    "virtualization/clusters",
)
"""Small tables that machines name: who renames a row of theirs stamps no machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """One kind of surroundings: the list, its fields, whose a row is, and how it is asked for by holders' ids."""

    path: str
    fields: tuple[str, ...]
    holder: Callable[[Row], Key | None]
    by_type: Mapping[str, str] = field(default_factory=dict)
    may_be_denied: bool = False
    names_type: bool = False


def _by_assigned(row: Row) -> Key | None:
    """The machine whose interface the row is assigned to."""
    assigned = row.get("assigned_object")
    for type_, name in ((DEVICE, "device"), (VM, "virtual_machine")):
        machine = assigned.get(name) if isinstance(assigned, dict) else None
        if isinstance(machine, dict) and _is_id(machine.get("id")):
            return type_, machine["id"]
    return None


def _by_parent(row: Row) -> Key | None:
    return _key(row.get("parent_object_type"), row.get("parent_object_id"))


def _by_object(row: Row) -> Key | None:
    return _key(row.get("object_type"), row.get("object_id"))


def _key(type_: object, number: object) -> Key | None:
    return (str(type_), int(str(number))) if isinstance(type_, str) and _is_id(number) else None


def _is_id(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


_OF_MACHINES = {DEVICE: "device_id", VM: "virtual_machine_id"}
ADDRESSES = Ring(path="ipam/ip-addresses", fields=("id", "last_updated", "assigned_object"), holder=_by_assigned)
RINGS: tuple[Ring, ...] = (
    Ring(
        path=SERVICES,
        fields=("id", "name", "parent_object_type", "parent_object_id", "last_updated"),
        holder=_by_parent,
        by_type=_OF_MACHINES,
    ),
    Ring(
        path=MACS,
        fields=("id", "mac_address", "assigned_object", "last_updated"),
        holder=_by_assigned,
        by_type=_OF_MACHINES,
        may_be_denied=True,
    ),
    Ring(
        path=CONTACTS,
        fields=("id", "object_type", "object_id", "contact", "role", "priority", "last_updated"),
        holder=_by_object,
        by_type={DEVICE: "object_id", VM: "object_id", SITE: "object_id"},
        may_be_denied=True,
        names_type=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What was read around the objects, and which lists the token or the server's age denied."""

    around: Mapping[Key, Around]
    denied: tuple[str, ...] = ()

    def of(self, key: Key) -> Around:
        """What hangs on one object."""
        return self.around.get(key, Around())


def changed_holders(
    server: NetboxServer, rows: Mapping[str, Sequence[Row]], changed: Mapping[str, str]
) -> dict[str, set[int]]:
    """Objects, not among the rows, whose addresses or surroundings changed: that does not stamp the object itself."""
    found: dict[str, set[int]] = {type_: set() for type_ in rows}
    for ring in (ADDRESSES, *RINGS):
        for row in _allowed(server, ring, changed) or ():
            key = ring.holder(row)
            if key is not None and key[0] in found:
                found[key[0]].add(key[1])
    return {type_: ids - {int(row["id"]) for row in rows[type_]} for type_, ids in found.items()}


def everything_around(server: NetboxServer) -> Surroundings:
    """All surroundings of all objects."""
    return _gathered({ring.path: _allowed(server, ring, {}) for ring in RINGS})


def around_these(server: NetboxServer, rows: Mapping[str, Sequence[Row]]) -> Surroundings:
    """All surroundings of the objects that were read, few of them by their ids."""
    read = {(type_, int(row["id"])) for type_ in rows for row in rows[type_]}
    found: dict[str, list[Row] | None] = {}
    for ring in RINGS if read else ():
        asked: list[Mapping[str, object]] = [{}]
        if len(read) <= IDS_AT_ONCE:
            asked = [_of_ids(ring, type_, rows[type_]) for type_ in ring.by_type if rows.get(type_)]
        got: list[Row] | None = []
        for filters in asked:
            some = _allowed(server, ring, filters)
            got = None if got is None or some is None else [*got, *some]
        found[ring.path] = got and [row for row in got if ring.holder(row) in read]
    return _gathered(found)


def is_renamed(server: NetboxServer, changed: Mapping[str, str]) -> bool:
    """Whether a row of a table that machines name was added or saved since. Raises NetboxLies."""
    for path in NAMED_BY_MACHINES:
        try:
            newest = server.first(path, limit=1, filters=changed)
        except (NetboxForbids, NetboxRefuses):
            continue  # who may not see roles sees no names of roles either
        for row in newest:
            if str(row.get("last_updated", "")) < changed["last_updated__gte"][:19]:
                raise NetboxLies(host=server.host, what=path, why="it ignores the filter for changes")
            return True
    return False


def _of_ids(ring: Ring, type_: str, rows: Iterable[Row]) -> Mapping[str, object]:
    ids: dict[str, object] = {ring.by_type[type_]: [int(row["id"]) for row in rows]}
    return {**ids, "object_type": type_} if ring.names_type else ids


def _allowed(server: NetboxServer, ring: Ring, filters: Mapping[str, object]) -> list[Row] | None:
    """The rows; None when they are denied and may be."""
    try:
        return list(server.rows(ring.path, fields=ring.fields, filters=filters))
    except (NetboxForbids, NetboxRefuses):
        if not ring.may_be_denied:
            raise
        return None


def _gathered(found: Mapping[str, list[Row] | None]) -> Surroundings:
    procedures = procedures_of(found.get(SERVICES) or ())
    macs: dict[Key, list[Row]] = defaultdict(list)
    for row in found.get(MACS) or ():
        key = _by_assigned(row)
        if key is not None:
            macs[key].append(row)
    contacts: dict[Key, list[Row]] = defaultdict(list)
    for row in found.get(CONTACTS) or ():
        key = _by_object(row)
        if key is not None:
            contacts[key].append(row)
    around = {
        key: Around(
            procedures=procedures.get(key, ()),
            macs=macs_of(macs.get(key, ())),
            contact=contacts_of(contacts.get(key, ())),
        )
        for key in {*procedures, *macs, *contacts}
    }
    return Surroundings(around=around, denied=tuple(path for path, rows in found.items() if rows is None))

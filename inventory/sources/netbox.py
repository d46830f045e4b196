"""Pull from NetBox: devices, virtual machines, sites and services as observations like those of any file.

Reads, never decides and never writes. A whole reading asks for everything and so knows what is gone; a later one asks
for what changed since, and for deletions in the change log. docs/netbox.md says which field comes from where.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from inventory.model import AssetKind
from inventory.observation import Observation, Place, Reading, Refusal
from inventory.sources.netbox_around import (
    IDS_AT_ONCE,
    Surroundings,
    around_these,
    changed_holders,
    everything_around,
    is_renamed,
)
from inventory.sources.netbox_http import NetboxForbids, NetboxLies, NetboxRefuses, NetboxServer, Row
from inventory.sources.netbox_rows import (
    DEVICE,
    OWN_FIELDS,
    SITE,
    VM,
    Scope,
    device_row,
    site_row,
    slug_of,
    vm_row,
)
from inventory.sources.records import mentioned

SOURCE = "netbox"
OVERLAP = timedelta(minutes=5)
"""Asked again before the last reading: transactions of the server commit later than they are stamped."""
PATHS: Mapping[str, str] = {
    DEVICE: "dcim/devices",
    VM: "virtualization/virtual-machines",
    SITE: "dcim/sites",
}
_SHARED = ("id", "name", "last_updated", "custom_fields")
_MACHINE = (*_SHARED, "role", "tenant", "site", "platform", "serial", "primary_ip", "status", "description", "cluster")
FIELDS: Mapping[str, tuple[str, ...]] = {
    DEVICE: (*_MACHINE, "device_type", "asset_tag", "location"),
    VM: (*_MACHINE, "vcpus", "memory", "disk", "device"),
    SITE: (*_SHARED, "tenant", "facility", "description"),
}
_RETENTION = timedelta(days=80)
"""The change log is kept for 90 days unless the server says otherwise; after a longer gap everything is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """One object of the server that an observation came from. ``own`` holds Kahn's custom fields as they stand."""

    type: str
    id: int
    kind: AssetKind
    name: str
    place: Place
    own: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a reading came: the server's time (ISO 8601, UTC) and its last change-log entry; empty, 0: never read."""

    read_at: str = ""
    change: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """What one reading of the server gave, complete or not at all."""

    reading: Reading
    remotes: tuple[Remote, ...]
    gone: frozenset[tuple[str, int]]
    """Objects that the change log says were deleted; a whole reading knows it by absence instead."""
    whole: bool
    mark: Mark
    denied: tuple[str, ...] = ()
    """Lists that the token may not see, or that the server is too old to have, and that may be left out."""


def pull(server: NetboxServer, scope: Scope, *, since: Mark | None = None) -> Pull:
    """Everything in scope, or what changed since the mark. Raises ExpectedError; gives nothing half."""
    since = since or Mark()
    mark_change = _last_change(server)
    whole = (since.change > 0) != (mark_change > 0) or _is_long_ago(since.read_at, server.served_at)
    whole = whole or is_renamed(server, {"last_updated__gte": _earlier(since.read_at)})
    changed = {} if whole else {"last_updated__gte": _earlier(since.read_at)}
    mark = Mark(read_at=server.served_at or since.read_at, change=mark_change)
    if whole:  # rows are understood as they come, while the next page is on its way
        around = everything_around(server)
        coming = {type_: _rows(server, type_, scope, changed) for type_ in PATHS}
        return _understood(server.host, coming, around, scope, partial(Pull, gone=frozenset(), whole=True, mark=mark))
    rows = {type_: list(_rows(server, type_, scope, changed)) for type_ in PATHS}
    for type_, ids in changed_holders(server, rows, changed).items():
        rows[type_] += _by_ids(server, type_, sorted(ids), scope)
    gone = _deleted(server, after=since.change, until=mark_change)
    around = around_these(server, rows)
    return _understood(server.host, rows, around, scope, partial(Pull, gone=gone, whole=False, mark=mark))


# --------------------------------------------------------------------------- reading


def _rows(server: NetboxServer, type_: str, scope: Scope, changed: Mapping[str, str]) -> Iterator[Row]:
    """Rows of one kind. A filter that the server ignores (as NetBox does with unknown ones) shows in the rows."""
    filters = dict(changed)
    if scope.tenant and type_ != SITE:
        filters["tenant"] = scope.tenant
    for row in server.rows(PATHS[type_], fields=FIELDS[type_], filters=filters):
        if "tenant" in filters and slug_of(row.get("tenant")) != scope.tenant:
            raise NetboxLies(host=server.host, what=PATHS[type_], why="it ignores the filter for the tenant")
        if changed and str(row.get("last_updated", "")) < changed["last_updated__gte"][:19]:
            raise NetboxLies(host=server.host, what=PATHS[type_], why="it ignores the filter for changes")
        yield row


def _by_ids(server: NetboxServer, type_: str, ids: Sequence[int], scope: Scope) -> Iterator[Row]:
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = list(ids[start : start + IDS_AT_ONCE])
        for row in server.rows(PATHS[type_], fields=FIELDS[type_], filters={"id": some}):
            if row["id"] not in some:
                raise NetboxLies(host=server.host, what=PATHS[type_], why="it ignores the filter for ids")
            if type_ == SITE or not scope.tenant or slug_of(row.get("tenant")) == scope.tenant:
                yield row


def _last_change(server: NetboxServer) -> int:
    """Id of the newest change-log entry; 0 when the token may not see the log."""
    try:
        newest = server.first("core/object-changes", limit=1, filters={"ordering": "-id"})
    except (NetboxForbids, NetboxRefuses):
        return 0
    return max((int(row["id"]) for row in newest), default=0)


def _deleted(server: NetboxServer, *, after: int, until: int) -> frozenset[tuple[str, int]]:
    if until <= after:
        return frozenset()
    found = server.rows("core/object-changes", after=after, filters={"action": "delete"})
    return frozenset(
        (str(row["changed_object_type"]), int(row["changed_object_id"]))
        for row in found
        if _value(row.get("action")) == "delete"
    )


def _value(choice: object) -> object:
    return choice.get("value") if isinstance(choice, dict) else choice


def _is_long_ago(read_at: str, now: str) -> bool:
    """Whether nothing was read yet, or so long ago that deletions may have left the change log."""
    return not read_at or not now or datetime.fromisoformat(now) - datetime.fromisoformat(read_at) > _RETENTION


def _earlier(read_at: str) -> str:
    return (datetime.fromisoformat(read_at) - OVERLAP).isoformat().replace("+00:00", "Z")


# --------------------------------------------------------------------------- understanding


def _understood(
    host: str, rows: Mapping[str, Iterable[Row]], around: Surroundings, scope: Scope, into: partial[Pull]
) -> Pull:
    read: list[tuple[str, Row, Observation | tuple[Refusal, ...]]] = []
    for type_, reader in ((DEVICE, device_row), (VM, vm_row)):
        for row in rows[type_]:
            read.append((type_, row, reader(host, row, scope=scope, around=around.of((type_, int(row["id"]))))))
    stood_at = {str(one.values.get("site", "")) for _type, _row, one in read if isinstance(one, Observation)}
    for row in rows[SITE]:
        if not scope.tenant or slug_of(row.get("tenant")) == scope.tenant or row.get("name") in stood_at:
            read.append((SITE, row, site_row(host, row, around=around.of((SITE, int(row["id"]))))))
    observations = [one for _type, _row, one in read if isinstance(one, Observation)]
    reading = Reading(
        source=SOURCE,
        observations=(*observations, *_only_named(observations)),
        refusals=tuple(refusal for _type, _row, one in read if isinstance(one, tuple) for refusal in one),
    )
    remotes = tuple(_remote(type_, row, one) for type_, row, one in read if isinstance(one, Observation))
    return into(reading=reading, remotes=remotes, denied=around.denied)


def _only_named(observations: Sequence[Observation]) -> list[Observation]:
    """Sites, departments and procedures that machines name and that are no objects of their own."""
    kinds = {"site": AssetKind.SITE, "procedures": AssetKind.PROCEDURE, "department": AssetKind.DEPARTMENT}
    said = {(one.kind, one.name) for one in observations}
    return [one for one in mentioned(observations, kinds) if (one.kind, one.name) not in said]


def _remote(type_: str, row: Row, one: Observation) -> Remote:
    custom = row.get("custom_fields")
    own = {name: custom.get(name) for name in OWN_FIELDS if name in custom} if isinstance(custom, dict) else {}
    return Remote(type=type_, id=int(row["id"]), kind=one.kind, name=one.name, place=one.place, own=plain_own(own))


def plain_own(own: Mapping[str, object]) -> dict[str, object]:
    """Our custom fields by their plain values: a choice may come as {value, label}, an object as {id, ...}."""
    found: dict[str, object] = {}
    for name, value in own.items():
        if isinstance(value, dict):
            value = value.get("value", value.get("id"))
        found[name] = value if isinstance(value, str | int) else None
    return found

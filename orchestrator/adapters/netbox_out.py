"""Push to NetBox: Kahn's own custom fields and journal entries, and nothing else, in batches that are known to be done.

A token cannot be held to single fields there, so that is done here: what is sent is made from ``OWN`` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from inventory.errors import ExpectedError
from inventory.sources.netbox import PATHS, Pull, plain_own, pull
from inventory.sources.netbox_http import NetboxServer, NotSure, Row
from inventory.sources.netbox_rows import Scope
from orchestrator.core.netbox import (
    BY_DEVICE,
    BY_VM,
    DEVICE,
    STATE,
    UID,
    VM,
    WAVE,
    Link,
    NetboxAccess,
    NetboxShrunk,
    Outgoing,
    choices,
    is_suspicious,
)

OWN = (STATE, WAVE, UID, BY_DEVICE, BY_VM)
AT_ONCE = 50
"""Objects in one request: NetBox saves about twenty a second, and all of a request or nothing."""
CHOICES = "Kahn migration states"
_NOTES, _FIELDS, _CHOICES = "extras/journal-entries", "extras/custom-fields", "extras/custom-field-choice-sets"


class FieldsMissing(ExpectedError):
    """The NetBox lacks the custom fields that Kahn writes."""

    code, says = "NBX-011", "NetBox at {host} has no custom field {names} for devices and virtual machines."
    remedy = "Create them once with `kahn sync prepare netbox`; that needs the right to add custom fields."
    exit_code = 7


class FieldTaken(ExpectedError):
    """A custom field of that name exists and is of another kind."""

    code, says = "NBX-012", "NetBox at {host} has a custom field {name!r} that is something else: {why}."
    remedy = "Rename or change that field in NetBox, then repeat `kahn sync prepare netbox`."
    exit_code = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What became of one batch: links as they stand now, objects that are no longer there, fields others changed."""

    links: tuple[Link, ...]
    missing: tuple[Link, ...] = ()
    foreign: tuple[str, ...] = ()


def pull_from(server: NetboxServer, access: NetboxAccess, **since: object) -> Pull:
    """What the server shows of the tenant. Raises as ``inventory.sources.netbox.pull``."""
    return pull(server, Scope(tenant=access.tenant, roles=access.roles), **since)  # type: ignore[arg-type]


def push(
    server: NetboxServer, changes: Sequence[Outgoing], *, done: Callable[[Batch], None], accept_missing: bool = False
) -> int:
    """Write all changes, batch by batch; ``done`` hears of each once it is certain. Returns how many objects.

    Raises ExpectedError, NetboxShrunk when too many objects are not there; what ``done`` heard of is written, of the
    rest nothing but perhaps a journal entry.
    """
    ordered = sorted(changes, key=lambda one: (one.link.type, one.link.id))
    written = gone = 0
    for type_, some in groupby(ordered, key=lambda one: one.link.type):
        waiting = list(some)
        for start in range(0, len(waiting), AT_ONCE):
            some_now = waiting[start : start + AT_ONCE]
            there = _there(server, type_, some_now)
            gone += len(some_now) - len(there)
            if not accept_missing and is_suspicious(gone=gone, known=len(ordered)):
                raise NetboxShrunk(gone=gone, known=len(ordered))
            batch = _push(server, type_, some_now, there=there)
            written += len(batch.links)
            done(batch)
    return written


def _there(server: NetboxServer, type_: str, changes: Sequence[Outgoing]) -> dict[int, dict[str, object]]:
    """Our fields of one batch's objects as they stand now; a token's lost right looks like an object that is gone."""
    ids = [one.link.id for one in changes]
    return {
        int(row["id"]): plain_own(_custom(row))
        for row in server.rows(PATHS[type_], fields=("id", "name", "custom_fields"), filters={"id": ids})
        if row["id"] in ids
    }


def _push(
    server: NetboxServer, type_: str, changes: Sequence[Outgoing], *, there: Mapping[int, Mapping[str, object]]
) -> Batch:
    """One batch: write what still differs from what is there, note, report."""
    here = [one for one in changes if one.link.id in there]
    foreign = tuple(
        f"{one.name}: {name}"
        for one in here
        for name in one.fields
        if there[one.link.id].get(name) not in (one.link.own.get(name), one.fields[name])
    )
    rows: list[Row] = [
        {"id": one.link.id, "custom_fields": {name: one.fields[name] for name in OWN if name in one.fields}}
        for one in here
        if any(there[one.link.id].get(name) != value for name, value in one.fields.items())
    ]
    if rows:
        server.change(PATHS[type_], rows)
    _note(server, type_, [one for one in here if one.note[0]])
    return Batch(
        links=tuple(
            replace(one.link, own={**there[one.link.id], **one.fields}, noted=one.noted or one.link.noted)
            for one in here
        ),
        missing=tuple(one.link for one in changes if one.link.id not in there),
        foreign=foreign,
    )


def _note(server: NetboxServer, type_: str, changes: Sequence[Outgoing]) -> None:
    """Journal entries that are not there yet: an earlier try may have written them without our hearing of it."""
    if not changes:
        return
    wanted = {(one.link.id, one.note[1]): one.note[0] for one in changes}
    fields = ("id", "assigned_object_type", "assigned_object_id", "comments")
    ids = [one.link.id for one in changes]
    for row in server.rows(_NOTES, fields=fields, filters={"assigned_object_id": ids}):
        if row.get("assigned_object_type") == type_:
            wanted.pop((row.get("assigned_object_id"), row.get("comments")), None)  # type: ignore[arg-type]
    rows: list[Row] = [
        {"assigned_object_type": type_, "assigned_object_id": number, "kind": kind, "comments": text}
        for (number, text), kind in wanted.items()
    ]
    if rows:
        server.create(_NOTES, rows)


def _custom(row: Row) -> Mapping[str, object]:
    """Our custom fields of the row; those of others are none of our business."""
    custom = row.get("custom_fields")
    return {name: custom[name] for name in OWN if name in custom} if isinstance(custom, dict) else {}


# --------------------------------------------------------------------------- custom fields


def missing_fields(server: NetboxServer) -> tuple[str, ...]:
    """Kahn's custom fields that the server lacks, or that lack our choices or kinds of object. Raises FieldTaken."""
    known = {row["name"]: row for row in server.rows(_FIELDS)}
    for name in OWN:
        if name in known:
            _check_field(server, known[name], _field(name, choice_set=0))
    lacks = STATE in known and _lacking(_choice_row(server, known[STATE]))
    narrow = {name for name in OWN if name in known and _types_lacking(known[name])}
    return tuple(name for name in OWN if name not in known or name in narrow or (name == STATE and lacks))


def prepare(server: NetboxServer) -> tuple[str, ...]:
    """Create the custom fields and choices that are not there; returns the fields' names. May be repeated.

    Raises ExpectedError.
    """
    missing = missing_fields(server)
    known = {row["name"]: row for row in server.rows(_FIELDS)}
    if STATE in missing and STATE in known:
        _extend(server, _choice_row(server, known[STATE]))
    for name in missing:
        if name in known and (more := _types_lacking(known[name])):
            types = [*(known[name].get("object_types") or ()), *more]
            server.change(_FIELDS, [{"id": known[name]["id"], "object_types": types}])
    choice_set = _choice_set(server) if STATE in missing and STATE not in known else 0
    new = [_field(name, choice_set=choice_set) for name in missing if name not in known]
    try:
        if new:
            server.create(_FIELDS, new)
    except NotSure:
        if missing_fields(server):
            raise
    return missing


def _types_lacking(field: Row) -> list[str]:
    """Kinds of object that the field is not yet for."""
    return [type_ for type_ in (DEVICE, VM) if type_ not in (field.get("object_types") or ())]


def _choice_row(server: NetboxServer, state: Row) -> Row:
    """The choice set behind the state field that is there."""
    used = state.get("choice_set")
    number = used.get("id") if isinstance(used, dict) else used
    return next((row for row in server.rows(_CHOICES) if row["id"] == number), {})


def _lacking(choice_set: Row) -> list[list[str]]:
    there = {str(one[0]) for one in choice_set.get("extra_choices") or () if one}
    return [one for one in choices() if one[0] not in there]


def _extend(server: NetboxServer, choice_set: Row) -> None:
    """Add our states to the choices; those of others stay."""
    if not _lacking(choice_set):
        return
    both = [*(choice_set.get("extra_choices") or ()), *_lacking(choice_set)]
    server.change(_CHOICES, [{"id": choice_set["id"], "extra_choices": both}])


def _choice_set(server: NetboxServer) -> int:
    """The id of our own choice set, created when it is not there."""
    for row in server.rows(_CHOICES):
        if row.get("name") == CHOICES:
            if _lacking(row):
                _extend(server, row)
            return int(row["id"])
    (made,) = server.create(_CHOICES, [{"name": CHOICES, "extra_choices": choices()}])
    return int(made["id"])


def _field(name: str, *, choice_set: int) -> Row:
    """A custom field as NetBox wants it. People see it and cannot edit it, for Kahn would write over it."""
    kinds: dict[str, Row] = {
        STATE: {"type": "select", "choice_set": choice_set, "label": "Migration state"},
        WAVE: {"type": "text", "label": "Migration wave"},
        UID: {"type": "text", "label": "Kahn id"},
        BY_DEVICE: {"type": "object", "related_object_type": DEVICE, "label": "Replaced by device"},
        BY_VM: {"type": "object", "related_object_type": VM, "label": "Replaced by virtual machine"},
    }
    common = {"object_types": [DEVICE, VM], "group_name": "Kahn", "filter_logic": "exact", "ui_editable": "no"}
    return {"name": name, **common, **kinds[name]}


def _check_field(server: NetboxServer, there: Row, ours: Row) -> None:
    """Whether the field that is there can hold what we write. Raises FieldTaken."""
    kind = there.get("type")
    kind = kind.get("value") if isinstance(kind, dict) else kind
    why = ""
    if kind != ours["type"]:
        why = f"its type is {kind}, not {ours['type']}"
    elif there.get("related_object_type") != ours.get("related_object_type"):
        why = f"it points at {there.get('related_object_type')}, not at {ours.get('related_object_type')}"
    if why:
        raise FieldTaken(host=server.host, name=ours["name"], why=why)

"""Staying in step with a NetBox: how it is reached, what is linked with what, and what would be written there. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from inventory.errors import ExpectedError
from inventory.model import Asset, AssetId, AssetKind
from orchestrator.core.lifecycle import MoveState

DEVICE, VM = "dcim.device", "virtualization.virtualmachine"
STATE, WAVE, UID, BY_DEVICE, BY_VM = "mig_state", "mig_wave", "mig_uid", "replaced_by_device", "replaced_by"
KINDS_OF_NOTES: Mapping[MoveState, str] = {
    MoveState.MOVED: "success",
    MoveState.RETIRED: "success",
    MoveState.ERASED: "success",
    MoveState.ROLLED_BACK: "warning",
    MoveState.HELD: "warning",
    MoveState.FAILED: "danger",
    MoveState.UNKNOWN: "danger",
    MoveState.NEEDS_PERSON: "danger",
}
"""States that leave a journal entry in NetBox, and its kind there."""


class BadNetbox(ExpectedError):
    """The way to a NetBox that cannot be used."""

    code, says = "NBX-010", "The {what} {value!r} of the NetBox cannot be used: {why}."
    remedy = "Set it again with `kahn sync setup netbox`."


class NetboxShrunk(ExpectedError):
    """So much is gone from the NetBox at once that a lost right is likelier than deletions."""

    code, says = (
        "NBX-014",
        "The NetBox no longer shows {gone} of {known} linked objects; nothing more was taken or written.",
    )
    remedy = "Check the token's rights and the tenant filter; if they are really gone, repeat with --accept-missing."
    exit_code = 4


class Writes(StrEnum):
    """Whether anything may be written to the NetBox: only after a person has seen the first difference."""

    OFF = "off"
    SHOWN = "shown"
    ON = "on"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetboxAccess:
    """How one tenant's NetBox is reached. ``token_from`` is ``file:/path`` or ``env:NAME``: never the token itself.

    ``tenant`` is the slug of the tenant there (empty: the whole server is this town's). Raises BadNetbox.
    """

    url: str
    token_from: str
    tenant: str = ""
    ca_file: str = ""
    roles: Mapping[str, AssetKind] = field(default_factory=dict)

    def __post_init__(self) -> None:
        why = _bad_url(self.url)
        if why:
            raise BadNetbox(what="address", value=self.url[:80], why=why)
        kind, _colon, rest = self.token_from.partition(":")
        if kind not in ("file", "env") or not rest:
            raise BadNetbox(what="token", value=kind[:20], why="say in which file or variable it is, not the token")
        if kind == "file" and not rest.startswith("/"):
            raise BadNetbox(what="token file", value=rest[:80], why="give an absolute path")

    @property
    def server(self) -> str:
        """The server's name in links: without what may be spelled in several ways."""
        return self.url.rstrip("/").casefold()


def _bad_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "it is no address"
    if parts.scheme not in ("http", "https") or not host:
        return "write https://netbox.example"
    if parts.username or parts.password or parts.query or parts.fragment or not url.isprintable():
        return "it may hold no name, password, question mark or fragment"
    if parts.scheme == "http" and not _is_this_machine(host):
        return "without https the token would cross the network in clear"
    return ""


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One asset and the object of the NetBox that stands for it, which survives renaming on both sides.

    ``own``: Kahn's custom fields as they stood there when last seen or written. ``noted``: what the last journal entry
    said. ``missing_since``: from when on the NetBox no longer shows the object.
    """

    type: str
    id: int
    asset: AssetId
    own: Mapping[str, object] = field(default_factory=dict)
    noted: str = ""
    missing_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncState:
    """How far one tenant's sync is. ``told`` says in words what is not done when ``complete`` is false."""

    read_at: str = ""
    change: int = 0
    writes: Writes = Writes.OFF
    complete: bool = True
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One asset's way through its latest wave."""

    wave: str
    revision: int
    state: MoveState
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What would be written to one object: custom fields by name, and a journal entry (kind and text) or none."""

    link: Link
    name: str
    fields: Mapping[str, object] = field(default_factory=dict)
    note: tuple[str, str] = ("", "")
    noted: str = ""

    @property
    def is_foreign(self) -> bool:
        """Whether it would replace what stands there, not only fill what is empty."""
        return any(self.link.own.get(name) not in (None, "") for name in self.fields)


def outgoing(
    links: Iterable[Link], assets: Mapping[AssetId, Asset], ways: Mapping[AssetId, Way]
) -> tuple[Outgoing, ...]:
    """What the NetBox does not know yet, by type and id. Only machines, only Kahn's own fields, only differences."""
    known = sorted((one for one in links if one.type in (DEVICE, VM)), key=lambda one: (one.type, one.id))
    places = {one.asset: one for one in known if one.missing_since is None}
    by_name = {one.name: one.id for one in assets.values() if one.is_machine}
    found: list[Outgoing] = []
    for link in known:
        asset = assets.get(link.asset)
        if asset is None or link.missing_since is not None:
            continue
        way = ways.get(asset.id)
        wanted = _wanted(asset, way, places.get(by_name.get(asset.text("successor"), AssetId(""))))
        fields = {name: value for name, value in wanted.items() if link.own.get(name) != value}
        noted = f"{way.wave}/{way.revision}:{way.state}" if way and way.state in KINDS_OF_NOTES else link.noted
        note = _note(way) if way and noted != link.noted else ("", "")
        if fields or note[0]:
            found.append(Outgoing(link=link, name=asset.name, fields=fields, note=note, noted=noted))
    return tuple(found)


def _wanted(asset: Asset, way: Way | None, successor: Link | None) -> dict[str, object]:
    """Kahn's custom fields as they should stand; None empties one."""
    return {
        STATE: str(way.state) if way else None,
        WAVE: way.wave if way else None,
        UID: str(asset.id),
        BY_DEVICE: successor.id if successor and successor.type == DEVICE else None,
        BY_VM: successor.id if successor and successor.type == VM else None,
    }


def _note(way: Way) -> tuple[str, str]:
    """Kind and text of a journal entry. The text is the mark by which it is found again, so it is always the same."""
    since = way.since.strftime("%Y-%m-%d %H:%M UTC")
    text = f"Kahn: wave {way.wave}, revision {way.revision}: {str(way.state).replace('_', ' ')} since {since}."
    return KINDS_OF_NOTES[way.state], text


def vanished(links: Iterable[Link], shown: Iterable[tuple[str, int]]) -> tuple[Link, ...]:
    """Links whose object is not among the shown ones and was there before."""
    there = set(shown)
    return tuple(one for one in links if one.missing_since is None and (one.type, one.id) not in there)


def is_suspicious(*, gone: int, known: int, most_share: float = 0.05, always: int = 5) -> bool:
    """Whether so many objects are gone at once that a lost right or a wrong filter is likelier than deletions."""
    return gone > always and gone > most_share * known


def choices(states: Sequence[str] = tuple(MoveState)) -> list[list[str]]:
    """The values of the state field as NetBox wants them: value and label."""
    return [[str(state), str(state).replace("_", " ")] for state in states]

"""Sync with NetBox: what a reading would change here and a pushing there, shown first; each written on its own.

In: everything is read before anything is written, and written in one transaction together with how far it came.
Out: batch by batch, and each batch is noted here as soon as it is certain there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from inventory.changes import Holdings, applied
from inventory.claims import record_key
from inventory.errors import ExpectedError
from inventory.marks import key_of
from inventory.model import Asset, AssetId, Snapshot, TenantId, name_group
from inventory.observation import Observation, Reading, Refusal, refusal_of
from inventory.sources.netbox import SOURCE, Pull, Remote
from orchestrator.actions.take_inventory import FileRead, Intake, Now, Step, compare, holdings_in, take_inventory
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.netbox import (
    UID,
    Link,
    NetboxAccess,
    NetboxShrunk,
    Outgoing,
    SyncState,
    Way,
    is_suspicious,
    outgoing,
    vanished,
)
from orchestrator.ports import Books, Entry

SYNCED, SUBJECT = "inventory.netbox", "inventory"
_FINISHED = frozenset({WaveState.CLOSED, WaveState.ROLLED_BACK, WaveState.DRAFT, WaveState.MISSED})


class NoNetbox(ExpectedError):
    """The tenant has no NetBox."""

    code, says = "NBX-013", "{tenant} has no NetBox."
    remedy = "Say which with `kahn sync setup netbox --url ... --token-file ...`."
    exit_code = 5


class NameHeld(ExpectedError):
    """An object was renamed there to a name that another asset has here."""

    code, says = "NBX-015", "{before!r} is called {name!r} in NetBox now, but that is another asset here."
    remedy = "Rename one of the two, or correct the name in NetBox, and sync again."
    exit_code = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Inward:
    """What one reading would change here. ``links``: those that are new or different; ``missing``: newly gone."""

    intake: Intake
    links: tuple[Link, ...]
    missing: tuple[Link, ...]
    refusals: tuple[Refusal, ...]
    state: SyncState
    planned: tuple[str, ...] = ()
    """Names of changed assets that are in a wave already: changed after planning."""
    denied: tuple[str, ...] = ()
    """Lists there that the token may not see, and that were left out."""

    @property
    def is_empty(self) -> bool:
        """Whether the inventory would stay as it is."""
        return self.intake.is_empty


def access_of(books: Books, tenant: TenantId) -> NetboxAccess:
    """The tenant's NetBox. Raises NoNetbox."""
    access = books.netbox.access(tenant)
    if access is None:
        raise NoNetbox(tenant=tenant)
    return access


def inward(books: Books, tenant: TenantId, pull: Pull, *, now: Now, accept_missing: bool = False) -> Inward:
    """What the reading would change, without writing anything. Raises NetboxShrunk."""
    links = {(one.type, one.id): one for one in books.netbox.links(tenant)}
    gone = _gone(links, pull, accept_missing=accept_missing)
    state = replace(books.netbox.state(tenant), read_at=pull.mark.read_at, change=pull.mark.change)
    if not pull.remotes and not pull.reading.observations:
        nothing = Intake(before=Holdings(snapshot=Snapshot(tenant=tenant, assets=(), dependencies=())), steps=())
        return Inward(
            intake=nothing,
            links=(),
            missing=gone,
            refusals=pull.reading.refusals,
            state=state,
            denied=pull.denied,
        )
    holdings = holdings_in(books, tenant)
    meant = _meant(holdings.snapshot, links, pull.remotes)
    held = _held(holdings.snapshot, pull.remotes, meant)
    reading = _known_by_key(pull, meant, unclear={_key_of(one) for one in held})
    intake = compare(holdings, [FileRead(file=SOURCE, reading=reading)], new_id=now.new_id, at=now.at)
    after = holdings
    for step in intake.steps:
        after = applied(after, step.changes)
    refusals = (*held, *(one for step in intake.steps for one in step.changes.refusals))
    return Inward(
        intake=intake,
        links=_changed_links(links, after, pull.remotes, refusals),
        missing=gone,
        refusals=refusals,
        state=state,
        planned=_planned(books, tenant, intake.steps),
        denied=pull.denied,
    )


def take_inward(books: Books, tenant: TenantId, found: Inward, *, at: datetime) -> int:
    """Write what was shown, the links and how far the reading came, in the open transaction.

    Returns how many assets and dependencies changed. Raises InventoryMoved.
    """
    written = take_inventory(books, found.intake, at=at) if not found.is_empty else 0
    gone = tuple(replace(one, missing_since=at) for one in found.missing)
    if found.links or gone:
        books.netbox.put_links(tenant, (*found.links, *gone))
    books.netbox.set_state(tenant, found.state)
    if gone:
        body = {"missing": [f"{one.type}/{one.id}" for one in gone], "assets": [one.asset for one in gone]}
        books.journal.append(tenant, [Entry(kind=SYNCED, subject=SUBJECT, body=body)], at=at)
    return written


def outward(books: Books, tenant: TenantId, found: Inward | None = None) -> tuple[Outgoing, ...]:
    """What the NetBox would be told, by what is known of it here, or will be once ``found`` is written."""
    links = {(one.type, one.id): one for one in books.netbox.links(tenant)}
    later = Holdings(snapshot=books.assets.snapshot(tenant))
    if found is not None:
        links |= {(one.type, one.id): one for one in found.links}
        for one in found.missing:
            links.pop((one.type, one.id))
        for step in found.intake.steps:
            later = applied(later, step.changes)
    return outgoing(links.values(), later.snapshot.by_id(), ways_of(books, tenant))


def ways_of(books: Books, tenant: TenantId) -> dict[AssetId, Way]:
    """Each asset's way through its latest wave."""
    found: dict[AssetId, Way] = {}
    for wave in books.waves.all(tenant):
        for move in books.waves.moves(tenant, wave.key):
            way = Way(wave=wave.key, revision=wave.revision, state=MoveState(move.state), since=move.since)
            if move.asset not in found or found[move.asset].since <= way.since:
                found[move.asset] = way
    return found


# --------------------------------------------------------------------------- whose object it is


def _gone(links: Mapping[tuple[str, int], Link], pull: Pull, *, accept_missing: bool) -> tuple[Link, ...]:
    live = [one for one in links.values() if one.missing_since is None]
    if pull.whole:
        refused = {_key_of(refusal) for refusal in pull.reading.refusals}
        shown = {(one.type, one.id) for one in pull.remotes} | refused
        gone = vanished(live, shown)
    else:
        gone = tuple(one for one in live if (one.type, one.id) in pull.gone)
    if not accept_missing and is_suspicious(gone=len(gone), known=len(live)):
        raise NetboxShrunk(gone=len(gone), known=len(live))
    return gone


def _key_of(refusal: Refusal) -> tuple[str, int]:
    return refusal.place.file.rpartition(" ")[2], refusal.place.row


def _meant(
    snapshot: Snapshot, links: Mapping[tuple[str, int], Link], remotes: Iterable[Remote]
) -> dict[tuple[str, int], Asset]:
    """The asset each object stands for: by the stored link, else by our id in its custom field."""
    known = snapshot.by_id()
    found: dict[tuple[str, int], Asset] = {}
    for one in remotes:
        link = links.get((one.type, one.id))
        asset = known.get(link.asset) if link else known.get(AssetId(str(one.own.get(UID) or "")))
        if asset is not None and name_group(asset.kind) == name_group(one.kind):
            found[one.type, one.id] = asset
    times = Counter(asset.id for asset in found.values())
    return {key: asset for key, asset in found.items() if times[asset.id] == 1}


def _held(snapshot: Snapshot, remotes: Iterable[Remote], meant: Mapping[tuple[str, int], Asset]) -> tuple[Refusal, ...]:
    """Objects that are called otherwise there now, by a name that another asset has here."""
    by_name = snapshot.by_name()
    held: list[Refusal] = []
    for one in remotes:
        asset = meant.get((one.type, one.id))
        other = by_name.get(key_of(one.kind, one.name))
        if asset is not None and other is not None and other.id != asset.id:
            error = NameHeld(before=asset.name, name=one.name)
            held.append(refusal_of(error, one.place, (one.type, str(one.id), one.name)))
    return tuple(held)


def _known_by_key(pull: Pull, meant: Mapping[tuple[str, int], Asset], *, unclear: set[tuple[str, int]]) -> Reading:
    """The reading with each object's own key, and the name here of what it stands for; without unclear ones."""
    groups = {(one.type, one.id): name_group(one.kind) for one in pull.remotes}
    taken: list[Observation] = []
    for one in pull.reading.observations:
        key = (one.row[0], one.place.row)
        if key in unclear:
            continue
        if groups.get(key) != name_group(one.kind):  # a place that the object only mentions
            taken.append(one)
            continue
        aliases = (meant[key].name,) if key in meant else ()
        taken.append(replace(one, source_id=_source_id(*key), aliases=aliases))
    return replace(pull.reading, observations=tuple(taken))


def _source_id(type_: str, id_: int) -> str:
    return f"{type_}/{id_}"


def _changed_links(
    links: Mapping[tuple[str, int], Link], after: Holdings, remotes: Iterable[Remote], refusals: Iterable[Refusal]
) -> tuple[Link, ...]:
    """Links that are new, that show something else of ours now, or whose object is there again."""
    refused = {_key_of(one) for one in refusals}
    found: list[Link] = []
    for one in remotes:
        claim = after.claims.get((SOURCE, record_key(one.kind, one.name, _source_id(one.type, one.id))))
        if claim is None or (one.type, one.id) in refused:
            continue
        before = links.get((one.type, one.id))
        link = Link(type=one.type, id=one.id, asset=claim.asset, own=one.own, noted=before.noted if before else "")
        if link != before:
            found.append(link)
    return tuple(found)


def _planned(books: Books, tenant: TenantId, steps: Iterable[Step]) -> tuple[str, ...]:
    """Names of changed assets that are in a wave that goes on."""
    changed = {one.asset.id: one.asset.name for step in steps for one in step.changes.changed}
    waves = [one for one in books.waves.all(tenant) if one.state not in _FINISHED] if changed else []
    moving = {move.asset for wave in waves for move in books.waves.moves(tenant, wave.key)}
    return tuple(sorted(name for asset, name in changed.items() if asset in moving))

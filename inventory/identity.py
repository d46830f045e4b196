"""When a claim speaks of an asset that is already known: by BIOS UUID, by real serial number, else by name.

A mark that several machines share (a cloned UUID, a maker's placeholder) identifies none of them. IP addresses and
DNS names never identify: they move from machine to machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from inventory.model import MACHINES, Asset, AssetId, AssetKind, Snapshot, Value, name_group, name_key
from inventory.observation import Observation

Key = tuple[str, str]
"""Name group and name key: what is unique within a tenant."""
Mark = tuple[str, str]
"""What a machine carries: ``uuid`` or ``serial`` and its value."""

MARK_FIELDS = ("uuid", "serial")
"""Fields that may identify a machine, the strongest first."""
_PLACEHOLDERS = frozenset(
    {
        "", "0", "none", "n/a", "na", "null", "unknown", "default string", "not specified", "not available",
        "not applicable", "system serial number", "chassis serial number", "base board serial number",
        "to be filled by o.e.m.", "to be filled by o.e.m", "123456789", "1234567890", "empty", "invalid", "keine",
        "unbekannt", "k.a.", "-",
    }
)  # fmt: skip
_SHARED_UUIDS = frozenset({"03000200-0400-0500-0006-000700080009", "12345678-1234-5678-90ab-cddeefaabbcc"})


def key_of(kind: AssetKind, name: str) -> Key:
    """The name as it is compared."""
    return name_group(kind), name_key(name)


def is_placeholder(text: str) -> bool:
    """Whether a serial number or UUID is only what makers write where they have none."""
    word = " ".join(text.casefold().split())
    signs = set(word) - {"-", ".", " "}
    return word in _PLACEHOLDERS or word in _SHARED_UUIDS or len(signs) <= 1


def marks_of(kind: AssetKind, values: Mapping[str, Value]) -> tuple[Mark, ...]:
    """The marks that may identify a machine, the strongest first; none for what is no machine."""
    if kind not in MACHINES:
        return ()
    found = ((name, str(values.get(name, ""))) for name in MARK_FIELDS)
    return tuple((name, text.casefold().strip()) for name, text in found if not is_placeholder(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Which observation speaks of which known asset, by the observation's position."""

    known: Mapping[int, Asset] = field(default_factory=dict)
    """Position of the observation -> asset; absent means the asset is new."""
    contradictions: Mapping[int, Asset] = field(default_factory=dict)
    """Observations whose mark says one asset while their name belongs to another (given here)."""

    def renamed(self, observations: Sequence[Observation]) -> dict[AssetId, int]:
        """Assets that get another name, and the observation that says so."""
        return {
            asset.id: at
            for at, asset in self.known.items()
            if key_of(asset.kind, asset.name) != key_of(observations[at].kind, observations[at].name)
        }


def match(snapshot: Snapshot, observations: Sequence[Observation]) -> Matches:
    """Match observations (names unique among them) to the snapshot; their order has no influence."""
    by_name = snapshot.by_name()
    keys = [key_of(one.kind, one.name) for one in observations]
    carried = [marks_of(one.kind, one.values) for one in observations]
    by_mark = _claims_by_mark(snapshot, carried, keys)
    renames = {at: asset for at, asset in by_mark.items() if keys[at] != key_of(asset.kind, asset.name)}
    contradictions = _implausible(renames, carried, keys)
    blocked = _blocked({at: one for at, one in renames.items() if at not in contradictions}, keys, by_name)
    renames = {at: asset for at, asset in renames.items() if at not in contradictions and at not in blocked}
    # Where the mark's owner stands in the source with another mark, marks were corrected and names hold.
    mentioned = set(keys)
    contradictions |= {
        at: asset for at, asset in blocked.items() if key_of(by_mark[at].kind, by_mark[at].name) not in mentioned
    }
    moved_away = {asset.id for asset in renames.values()}
    known: dict[int, Asset] = dict(renames)
    for at, key in enumerate(keys):
        if at in renames or at in contradictions:
            continue
        named = by_name.get(key)
        if named is not None and named.id not in moved_away:
            known[at] = named
    return Matches(known=known, contradictions=contradictions)


def _claims_by_mark(snapshot: Snapshot, carried: Sequence[tuple[Mark, ...]], keys: Sequence[Key]) -> dict[int, Asset]:
    """Position -> asset for each observation that carries a unique mark of a known asset."""
    said = Counter(mark for marks in carried for mark in marks)
    owners = _unique_owners(snapshot.assets)
    claims: dict[int, Asset] = {}
    for at, marks in enumerate(carried):
        owned = (owners[mark] for mark in marks if said[mark] == 1 and mark in owners)
        first = next(owned, None)
        if first is not None:
            claims[at] = first
    return _one_claim_each(claims, keys)


def _unique_owners(assets: Iterable[Asset]) -> dict[Mark, Asset]:
    owners: dict[Mark, Asset] = {}
    shared: set[Mark] = set()
    for asset in assets:
        for mark in marks_of(asset.kind, asset.values):
            if mark in owners:
                shared.add(mark)
            owners[mark] = asset
    return {mark: asset for mark, asset in owners.items() if mark not in shared}


def _one_claim_each(claims: Mapping[int, Asset], keys: Sequence[Key]) -> dict[int, Asset]:
    """Where several observations claim one asset, only one of the asset's own name may; else nobody does."""
    wanted = Counter(asset.id for asset in claims.values())
    return {
        at: asset for at, asset in claims.items() if wanted[asset.id] == 1 or keys[at] == key_of(asset.kind, asset.name)
    }


def _implausible(
    renames: Mapping[int, Asset], carried: Sequence[tuple[Mark, ...]], keys: Sequence[Key]
) -> dict[int, Asset]:
    """Renames of an asset whose former name stands in the source too, without another mark to tell the two apart."""
    position = {key: at for at, key in enumerate(keys)}
    found: dict[int, Asset] = {}
    for at, asset in renames.items():
        former = position.get(key_of(asset.kind, asset.name))
        if former is not None and not {name for name, _ in carried[former]} & {name for name, _ in carried[at]}:
            found[at] = asset
    return found


def _blocked(renames: dict[int, Asset], keys: Sequence[Key], by_name: Mapping[Key, Asset]) -> dict[int, Asset]:
    """Renames to a name that another asset keeps, with that asset; a name given up in the same reading is free."""
    blocked: dict[int, Asset] = {}
    while True:
        moving = {asset.id for at, asset in renames.items() if at not in blocked}
        held = {
            at: by_name[keys[at]]
            for at in renames
            if at not in blocked and keys[at] in by_name and by_name[keys[at]].id not in moving
        }
        if not held:
            return blocked
        blocked |= held

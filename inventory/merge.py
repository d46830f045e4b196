"""Claims to one record per asset: what an import would change, decided without writing anything.

What a source says replaces what was known; what it does not mention stays; nothing vanishes. The order of the
observations has no influence. A row that cannot be taken whole is refused whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from inventory.changes import Appeared, Changed, ChangeSet, FieldChange
from inventory.errors import ExpectedError
from inventory.identity import MARK_FIELDS, Key, Matches, is_placeholder, key_of, match
from inventory.model import Asset, AssetId, AssetKind, Dependency, InvalidValue, Snapshot, TenantId, Value, name_key
from inventory.observation import Observation, ObservedDependency, Place, Reading, Refusal, refusal_of
from inventory.references import Names, referred, respelled, unknown_reference

_GENERAL_KINDS: Mapping[AssetKind, frozenset[AssetKind]] = {
    AssetKind.SERVER: frozenset({AssetKind.VM, AssetKind.TEMPLATE}),
    AssetKind.WORKSTATION: frozenset({AssetKind.NOTEBOOK, AssetKind.THIN_CLIENT}),
}
"""A kind that does not replace a more exact one: a virtual machine in an office list is called a server there."""
_NOBODY, _NOWHERE = AssetId(""), TenantId("")
_GROUP_ORDER = ("site", "department", "procedure", "machine", "seat")


class DuplicateName(ExpectedError):
    """Two rows of one source give one name with different content."""

    code, says = "INV-012", "{name!r} stands in {first} and again, with other content, in {second}."
    remedy = "Keep the right row, or give one of the two machines its own name."
    exit_code = 8


class UnknownReference(ExpectedError):
    """A row names something that is neither in the inventory nor in the same source."""

    code, says = "INV-013", "The {field} {name!r} of {asset!r} is not in the inventory."
    remedy = "Import it first or together with this row, or correct the name."
    exit_code = 8


class OwnSuccessor(ExpectedError):
    """A machine is to be replaced by itself."""

    code, says = "INV-014", "{name!r} is named as its own successor."
    remedy = "Name the new machine, or leave the successor empty."
    exit_code = 8


class ContradictingIdentity(ExpectedError):
    """UUID or serial number belong to one asset, the name to another."""

    code, says = "INV-015", "By its UUID or serial number {name!r} would be a machine known as {other!r}."
    remedy = "Check which machine is meant and correct its name, UUID or serial number."
    exit_code = 8


class UnknownDependency(ExpectedError):
    """One end of a dependency is not in the inventory."""

    code, says = "INV-016", "The dependency of {asset!r} on {needs!r} names something unknown: {missing!r}."
    remedy = "Import it first or together with this row, or correct the name."
    exit_code = 8


class SelfDependency(ExpectedError):
    """An asset is said to depend on itself."""

    code, says = "INV-017", "{name!r} is said to depend on itself."
    remedy = "Remove the row or correct one of its two names."
    exit_code = 8


class AmbiguousDependency(ExpectedError):
    """The name of a dependency's end occurs in several groups."""

    code, says = "INV-018", "{name!r} may mean several things: {groups}."
    remedy = "Write the group before the name, as in machine:{name}."
    exit_code = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """Observations that can be taken, the assets they speak of, and every name known afterwards."""

    taken: tuple[Observation, ...]
    matches: Matches
    names: Names


def merge(snapshot: Snapshot, reading: Reading, *, new_id: Callable[[], AssetId]) -> ChangeSet:
    """What the reading would change in the snapshot; refusals are the reading's own and those found here.

    Ids for new assets are asked for in the order of group and name, so one id source gives one result.
    """
    distinct, refusals = _without_duplicates(reading.observations)
    settled, more = _settle(snapshot, distinct)
    records = [
        _record(snapshot.tenant, one, settled.matches.known.get(at), settled.names, new_id)
        for at, one in enumerate(settled.taken)
    ]
    appeared, changed, unchanged = _differences(settled, records)
    ids = {key_of(one.kind, one.name): one.id for one in snapshot.assets}
    ids |= {key_of(one.kind, one.name): one.id for one in records}
    dependencies, unresolved = _dependencies(snapshot, reading.dependencies, settled.names, ids)
    return ChangeSet(
        tenant=snapshot.tenant,
        appeared=appeared,
        changed=changed + _carried_over(snapshot, settled),
        dependencies=dependencies,
        refusals=tuple(sorted((*reading.refusals, *refusals, *more, *unresolved), key=_refusal_order)),
        unchanged=unchanged,
    )


def _refusal_order(refusal: Refusal) -> tuple[object, ...]:
    return *_place_order(refusal.place), refusal.code, refusal.says


def _place_order(place: Place) -> tuple[str, int, str]:
    return place.file, place.row, place.column


def _observation_order(one: Observation) -> tuple[object, ...]:
    group, key = key_of(one.kind, one.name)
    return _GROUP_ORDER.index(group), key, *_place_order(one.place), one.kind, one.name, _content(one.values)


def _content(values: Mapping[str, Value]) -> str:
    return repr(sorted(values.items(), key=lambda pair: pair[0]))


def _without_duplicates(observations: Iterable[Observation]) -> tuple[list[Observation], list[Refusal]]:
    """One observation per name, the one that stands first; a mention without values contradicts nothing."""
    first: dict[Key, Observation] = {}
    refusals: list[Refusal] = []
    for one in sorted(observations, key=_observation_order):
        key = key_of(one.kind, one.name)
        earlier = first.setdefault(key, one)
        if earlier is one or (one.kind == earlier.kind and not one.values):
            continue
        if one.kind == earlier.kind and not earlier.values:
            first[key] = one
        elif (earlier.kind, _content(earlier.values)) != (one.kind, _content(one.values)):
            error = DuplicateName(name=one.name, first=earlier.place, second=one.place)
            refusals.append(refusal_of(error, one.place, one.row))
    return list(first.values()), refusals


def _settle(snapshot: Snapshot, observations: Sequence[Observation]) -> tuple[_Settled, list[Refusal]]:
    """Match, refuse what points at nothing, and match the rest again until nothing more is refused."""
    refusals: list[Refusal] = []
    waiting = list(observations)
    while True:
        matches = match(snapshot, waiting)
        names = _names(snapshot, waiting, matches)
        refused = _refused(snapshot, waiting, matches, names)
        if not refused:
            return _Settled(taken=tuple(waiting), matches=matches, names=names), refusals
        refusals += [refusal_of(error, waiting[at].place, waiting[at].row) for at, error in refused.items()]
        waiting = [one for at, one in enumerate(waiting) if at not in refused]


def _names(snapshot: Snapshot, observations: Sequence[Observation], matches: Matches) -> Names:
    renamed = matches.renamed(observations)
    given_up = {
        key_of(asset.kind, asset.name): observations[renamed[asset.id]].name
        for asset in snapshot.assets
        if asset.id in renamed
    }
    spelled = {key_of(one.kind, one.name): one.name for one in snapshot.assets if one.id not in renamed}
    for at, one in enumerate(observations):
        if at not in matches.contradictions:
            spelled.setdefault(key_of(one.kind, one.name), one.name)
    return Names(spelled=spelled, given_up=given_up)


def _refused(
    snapshot: Snapshot, observations: Sequence[Observation], matches: Matches, names: Names
) -> dict[int, ExpectedError]:
    """Rows that are no record, contradict an identity or point at nothing; then rows that point at refused rows."""
    refused: dict[int, ExpectedError] = {
        at: ContradictingIdentity(name=observations[at].name, other=asset.name)
        for at, asset in matches.contradictions.items()
    }
    known = dict(names.spelled)
    pointing: dict[Key, list[int]] = defaultdict(list)
    for at, one in enumerate(observations):
        for _field, group, name in referred(one.values):
            pointing[group, name_key(name)].append(at)
    waiting = list(range(len(observations)))
    in_snapshot = {key_of(one.kind, one.name) for one in snapshot.assets}
    while waiting:
        at = waiting.pop()
        error = None if at in refused else _reference_error(observations[at], known, names)
        if error is None:
            continue
        refused[at] = error
        key = key_of(observations[at].kind, observations[at].name)
        if key not in in_snapshot:
            known.pop(key, None)
            waiting += pointing[key]
    return refused


def _reference_error(one: Observation, known: Mapping[Key, str], names: Names) -> ExpectedError | None:
    try:
        Asset(id=_NOBODY, tenant=_NOWHERE, kind=one.kind, name=one.name, values=one.values)
    except InvalidValue as wrong:
        return wrong
    missing = unknown_reference(one.values, known, names.given_up)
    if missing:
        return UnknownReference(field=missing[0], name=missing[1], asset=one.name)
    successor = one.values.get("successor")
    if isinstance(successor, str) and name_key(successor) == name_key(one.name):
        return OwnSuccessor(name=one.name)
    return None


def _record(
    tenant: TenantId, one: Observation, known: Asset | None, names: Names, new_id: Callable[[], AssetId]
) -> Asset:
    """The asset as it is after the import."""
    said = respelled(one.values, names)
    if known is None:
        return Asset(id=new_id(), tenant=tenant, kind=one.kind, name=one.name, values=said)
    same_name = key_of(known.kind, known.name) == key_of(one.kind, one.name)
    return Asset(
        id=known.id,
        tenant=tenant,
        kind=known.kind if one.kind_is_guess or known.kind in _GENERAL_KINDS.get(one.kind, ()) else one.kind,
        name=known.name if same_name else one.name,
        values={**respelled(known.values, names), **_without_worse_marks(said, known)},
    )


def _without_worse_marks(said: Mapping[str, Value], known: Asset) -> dict[str, Value]:
    """What is said, less the placeholders where a real UUID or serial number is known."""
    return {
        name: value
        for name, value in said.items()
        if not (name in MARK_FIELDS and is_placeholder(str(value)) and name in known.values)
    }


def _differences(settled: _Settled, records: Sequence[Asset]) -> tuple[tuple[Appeared, ...], tuple[Changed, ...], int]:
    appeared: list[Appeared] = []
    changed: list[Changed] = []
    for at, (one, record) in enumerate(zip(settled.taken, records, strict=True)):
        known = settled.matches.known.get(at)
        if known is None:
            appeared.append(Appeared(asset=record, source=one.source))
        elif changes := _field_changes(known, record, one.source):
            changed.append(Changed(asset=record, changes=changes))
    return tuple(appeared), tuple(changed), len(records) - len(appeared) - len(changed)


def _field_changes(before: Asset, after: Asset, source: str) -> tuple[FieldChange, ...]:
    """What differs, name and kind included as if they were fields."""
    pairs: dict[str, tuple[Value | None, Value | None]] = {
        "name": (before.name, after.name),
        "kind": (str(before.kind), str(after.kind)),
    }
    for name in sorted({*before.values, *after.values}):
        pairs[name] = before.values.get(name), after.values.get(name)
    return tuple(
        FieldChange(field=name, before=old, after=new, source=source)
        for name, (old, new) in pairs.items()
        if old != new
    )


def _carried_over(snapshot: Snapshot, settled: _Settled) -> tuple[Changed, ...]:
    """Assets the source does not mention but which name one that it renames."""
    if not settled.names.given_up:
        return ()
    mentioned = {asset.id for asset in settled.matches.known.values()}
    source = settled.taken[0].source
    found: list[Changed] = []
    for asset in snapshot.assets:
        values = asset.values if asset.id in mentioned else respelled(asset.values, settled.names)
        if dict(values) != dict(asset.values):
            after = replace(asset, values=values)
            found.append(Changed(asset=after, changes=_field_changes(asset, after, source)))
    return tuple(found)


def _dependencies(
    snapshot: Snapshot, observed: Iterable[ObservedDependency], names: Names, ids: Mapping[Key, AssetId]
) -> tuple[tuple[Dependency, ...], list[Refusal]]:
    """Dependencies not known before, and those that cannot be taken."""
    known = {(one.asset, one.needs, one.kind) for one in snapshot.dependencies}
    found: list[Dependency] = []
    refusals: list[Refusal] = []
    for one in sorted(observed, key=lambda one: (*_place_order(one.place), one.asset, one.needs, one.kind, one.note)):
        try:
            asset, needs = _ends(one, names)
        except ExpectedError as wrong:
            refusals.append(refusal_of(wrong, one.place, one.row))
            continue
        if (ids[asset], ids[needs], one.kind) not in known:
            known.add((ids[asset], ids[needs], one.kind))
            found.append(
                Dependency(tenant=snapshot.tenant, asset=ids[asset], needs=ids[needs], kind=one.kind, note=one.note)
            )
    return tuple(found), refusals


def _ends(one: ObservedDependency, names: Names) -> tuple[Key, Key]:
    """The two assets meant. Raises UnknownDependency, AmbiguousDependency or SelfDependency."""
    ends: list[Key] = []
    for text in (one.asset, one.needs):
        meant = names.candidates(text)
        if not meant:
            raise UnknownDependency(asset=one.asset, needs=one.needs, missing=text)
        if len(meant) > 1:
            raise AmbiguousDependency(name=text, groups=", ".join(group for group, _ in meant))
        ends.append(meant[0])
    if ends[0] == ends[1]:
        raise SelfDependency(name=one.asset)
    return ends[0], ends[1]

"""Claims to assets: which claims make one asset, which id and name it has, and what differs from before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from inventory.changes import Appeared, Changed, ChangeSet, FieldChange, Gone, Holdings
from inventory.claims import Claim, ClaimKey
from inventory.decisions import on_fields, pairs_of
from inventory.identity import clusters
from inventory.marks import Key, key_of
from inventory.model import Asset, AssetId, Value
from inventory.record import Folded, Rules, folded
from inventory.references import Names, respelled
from inventory.several import Several

GROUP_ORDER = ("site", "department", "procedure", "machine", "seat")
NewId = Callable[[], AssetId]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """One asset to be: its claims, the id it has (empty for a new one), and whether anything in it is new."""

    id: AssetId
    claims: tuple[Claim, ...]
    is_touched: bool
    absorbed: tuple[AssetId, ...] = ()
    """Assets that turn out to be this one."""


@dataclass(slots=True)
class _Draft:
    """The inventory after the change, in the making."""

    before: Mapping[AssetId, Asset]
    members: dict[AssetId, _Member] = field(default_factory=dict)
    records: dict[AssetId, Folded] = field(default_factory=dict)
    """Of the assets that are looked at again."""
    names: dict[AssetId, str] = field(default_factory=dict)
    """Of every asset that is there afterwards."""

    def group(self, asset: AssetId) -> str:
        """The name group the asset is in."""
        return key_of(self.members[asset].claims[0].kind, "-")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regrouped:
    """What differs, and every name known afterwards with the asset behind it."""

    changes: ChangeSet
    names: Names
    ids: Mapping[Key, AssetId]


def regroup(holdings: Holdings, claims: Mapping[ClaimKey, Claim], *, new_id: NewId, whole: bool = False) -> Regrouped:
    """What these new or other claims change. ``whole`` looks at every record again, as after another precedence.

    Ids for new assets are asked for in the order of group and name, so one id source gives one result.
    """
    rules = Rules(precedence=holdings.precedence, decided=on_fields(holdings.decisions))
    draft = _Draft(before=holdings.snapshot.by_id())
    after = {**holdings.claims, **claims}
    fresh: list[_Member] = []
    for member in _members(holdings, after, frozenset(claims)):
        if member.id:
            draft.members[member.id] = member
        else:
            fresh.append(member)
    del after
    for member in sorted(fresh, key=_birth_order):
        given = new_id()
        draft.members[given] = _Member(
            id=given, claims=member.claims, is_touched=member.is_touched, absorbed=member.absorbed
        )
    _fold(draft, rules, whole=whole)
    _name(draft, rules)
    names, ids = _known_names(draft)
    return Regrouped(changes=_changes(holdings, draft, claims, names), names=names, ids=ids)


def _birth_order(member: _Member) -> tuple[object, ...]:
    first = min(member.claims, key=lambda claim: (claim.first_us, claim.id))
    group, key = key_of(first.kind, first.name)
    return GROUP_ORDER.index(group), key, first.id


def _members(holdings: Holdings, claims: Mapping[ClaimKey, Claim], touched: frozenset[ClaimKey]) -> Iterator[_Member]:
    """Every asset to be with its claims; an id goes to the cluster that has its oldest claim."""
    found = clusters(claims, pairs_of(holdings.decisions))
    together: dict[ClaimKey, list[Claim]] = defaultdict(list)
    keeper: dict[AssetId, tuple[int, ClaimKey]] = {}
    split: set[AssetId] = set()
    for key, claim in claims.items():
        if key in found.first:
            together[found.first[key]].append(claim)
        if claim.asset:
            mine = claim.first_us, key
            other = keeper.setdefault(claim.asset, mine)
            if found.of(other[1]) != found.of(key):
                split.add(claim.asset)
            if mine < other:
                keeper[claim.asset] = mine
    for key, claim in claims.items():
        if key not in found.first:
            has_id = claim.asset and keeper[claim.asset][1] == key
            id_ = claim.asset if has_id else AssetId("")
            yield _Member(id=id_, claims=(claim,), is_touched=key in touched or not has_id or id_ in split)
    for some in together.values():
        some.sort(key=lambda claim: claim.id)
        keys = {claim.id for claim in some}
        ids = {claim.asset for claim in some if claim.asset and keeper[claim.asset][1] in keys}
        kept = sorted(ids, key=lambda asset: keeper[asset])
        id_ = kept[0] if kept else AssetId("")
        is_touched = id_ in split or any(claim.id in touched or claim.asset != id_ for claim in some)
        yield _Member(id=id_, claims=tuple(some), is_touched=is_touched, absorbed=tuple(kept[1:]))


def _fold(draft: _Draft, rules: Rules, *, whole: bool) -> None:
    for id_, member in draft.members.items():
        known = draft.before.get(id_)
        if whole or member.is_touched or (known is None and not all(claim.is_gone for claim in member.claims)):
            draft.records[id_] = folded(member.claims, rules)


# --------------------------------------------------------------------------- names


def _name(draft: _Draft, rules: Rules) -> None:
    """A name for every asset; of several with one name all but the first get a number behind it."""
    wanted = Several[Key, AssetId]()
    for id_, member in draft.members.items():
        name = _own_name(draft, member, rules)
        if name is not None:
            draft.names[id_] = name
            wanted.add(key_of(member.claims[0].kind, name), id_)
    for key, sharing in sorted(wanted.shared.items()):
        some = sorted(sharing, key=lambda id_: _seniority(draft.members[id_]))
        number = 1
        for id_ in some[1:]:
            number += 1
            while wanted.of((key[0], f"{key[1]} #{number}")):
                number += 1
            draft.names[id_] = f"{draft.names[id_]} #{number}"


def _own_name(draft: _Draft, member: _Member, rules: Rules) -> str | None:
    """The name without any number; None for what is gone."""
    record = draft.records.get(member.id)
    if record is not None:
        return None if record.is_gone else record.name
    known = draft.before.get(member.id)
    if known is None:
        return None
    if any(claim.name == known.name for claim in member.claims):
        return known.name
    return folded(member.claims, rules).name


def _seniority(member: _Member) -> tuple[int, ClaimKey]:
    return min((claim.first_us, claim.id) for claim in member.claims)


def _other_names(draft: _Draft) -> Iterator[tuple[Key, tuple[int, ClaimKey], AssetId]]:
    for id_, name in draft.names.items():
        for claim in draft.members[id_].claims:
            if claim.name != name:
                yield key_of(claim.kind, claim.name), (claim.first_us, claim.id), id_


def _known_names(draft: _Draft) -> tuple[Names, dict[Key, AssetId]]:
    """How every asset is spelled, and what became of names that some source has for it."""
    spelled: dict[Key, str] = {}
    ids: dict[Key, AssetId] = {}
    for id_, name in draft.names.items():
        key = key_of(draft.members[id_].claims[0].kind, name)
        spelled[key], ids[key] = name, id_
    given_up: dict[Key, str] = {}
    for key, _since, id_ in sorted(_other_names(draft)):
        if key not in spelled and key not in given_up:
            given_up[key], ids[key] = draft.names[id_], id_
    return Names(spelled=spelled, given_up=given_up), ids


# --------------------------------------------------------------------------- what differs


def _changes(holdings: Holdings, draft: _Draft, claims: Mapping[ClaimKey, Claim], names: Names) -> ChangeSet:
    renamed = any(id_ in draft.before and draft.before[id_].name != name for id_, name in draft.names.items())
    appeared: list[Appeared] = []
    changed: list[Changed] = []
    for id_, name in draft.names.items():
        record, known = draft.records.get(id_), draft.before.get(id_)
        if record is not None:
            asset = _asset(holdings, id_, record, name, names)
        elif known is not None and (renamed or known.name != name):
            asset = replace(known, name=name, values=respelled(known.values, names))
        else:
            continue
        if known is None:
            appeared.append(Appeared(asset=asset, source=record.source if record else ""))
        elif different := _field_changes(known, asset, record):
            changed.append(Changed(asset=asset, changes=different))
    return ChangeSet(
        tenant=holdings.tenant,
        appeared=tuple(appeared),
        changed=tuple(sorted(changed, key=lambda one: one.asset.id not in draft.records)),
        gone=tuple(_gone(draft)),
        claims=tuple(_assigned(draft, claims)),
    )


def _asset(holdings: Holdings, id_: AssetId, record: Folded, name: str, names: Names) -> Asset:
    values = respelled(record.values, names)
    return Asset(id=id_, tenant=holdings.tenant, kind=record.kind, name=name, values=values)


def _field_changes(before: Asset, after: Asset, record: Folded | None) -> tuple[FieldChange, ...]:
    """What differs, name and kind included as if they were fields."""
    pairs: dict[str, tuple[Value | None, Value | None]] = {
        "name": (before.name, after.name),
        "kind": (before.kind.value, after.kind.value),
    }
    for name in sorted({*before.values, *after.values}):
        pairs[name] = before.values.get(name), after.values.get(name)
    return tuple(
        FieldChange(field=name, before=old, after=new, source=record.source_of(name) if record else "kahn")
        for name, (old, new) in pairs.items()
        if old != new
    )


def _gone(draft: _Draft) -> Iterator[Gone]:
    """Assets that became another one, and those that no source has any more."""
    into = {gone: id_ for id_, member in draft.members.items() for gone in member.absorbed}
    for id_, asset in draft.before.items():
        if id_ in draft.names:
            continue
        record = draft.records.get(id_)
        yield Gone(asset=asset, into=into.get(id_), source=record.source if record else "kahn")


def _assigned(draft: _Draft, claims: Mapping[ClaimKey, Claim]) -> Iterable[Claim]:
    """Claims that are new, or speak of another asset than before, with their asset."""
    for id_, member in draft.members.items():
        if member.is_touched:
            for claim in member.claims:
                if claim.asset != id_:
                    yield claim.of_asset(id_)
                elif claim.id in claims:
                    yield claim

"""Claims to one record per asset: what an import would change, decided without writing anything.

Every source's word is kept; whose word counts is told by the tenant's precedence, else by the newest. What a source
does not mention stays; nothing vanishes. Neither the order of rows nor the order of imports has any influence. A row
that cannot be taken whole is refused whole.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from inventory.changes import ChangeSet, Holdings, Tally
from inventory.claims import Claim, ClaimKey, claim_of, is_same_said, joined, observed_key
from inventory.errors import ExpectedError, because
from inventory.marks import Key, key_of
from inventory.model import (
    FIELDS,
    AssetId,
    AssetKind,
    Dependency,
    DependencyKind,
    InvalidValue,
    Value,
    is_attribute,
    name_group,
    name_key,
)
from inventory.observation import (
    Observation,
    ObservedDependency,
    Place,
    Reading,
    Refusal,
    entries_refused,
    refusal_of,
)
from inventory.references import Names, referred, unknown_reference
from inventory.regroup import GROUP_ORDER, NewId, Regrouped, regroup
from inventory.several import Several

_FIELDS_OF: Mapping[AssetKind, frozenset[str]] = {
    kind: frozenset(name for name, one in FIELDS.items() if kind in one.kinds) for kind in AssetKind
}


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When an import takes place and how old each file's contents are, microseconds since 1970 UTC."""

    imported_us: int
    observed_us: Mapping[str, int] = field(default_factory=dict)
    """By file; what is not named is as old as the import."""
    is_complete: bool = False
    """Whether these are all records that the source has of the groups it mentions: what is missing is gone there."""

    def observed(self, one: Observation | ObservedDependency) -> int:
        """When it was so; never later than now, whatever a source says."""
        return min(one.observed_us or self.observed_us.get(one.place.file, self.imported_us), self.imported_us)


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


def merge(holdings: Holdings, reading: Reading, *, new_id: NewId, when: When) -> ChangeSet:
    """What the reading would change; refusals are the reading's own and those found here.

    Ids for new assets are asked for in the order of group and name, so one id source gives one result.
    """
    rejected, read = entries_refused(reading.refusals), len(reading.observations) + len(reading.dependencies)
    refused, needs = reading.refusals, reading.dependencies
    distinct, refusals = _without_duplicates(reading.observations, when)
    taken, more = _settle(holdings, distinct)
    mentioned, news = _news(holdings, taken, when)
    if when.is_complete:
        news |= _vanished(holdings, taken, mentioned, when)
    # Rows that are claims now are let go before the inventory is looked at: they are half of a large list's memory.
    del reading, distinct, taken
    found = regroup(holdings, news, new_id=new_id)
    dependencies, unresolved = _dependencies(holdings, needs, found, when)
    changes = _counted(
        holdings,
        replace(
            found.changes,
            dependencies=dependencies,
            refusals=tuple(sorted((*refused, *refusals, *more, *unresolved), key=_refusal_order)),
        ),
        mentioned,
    )
    refused_here = len(refusals) + len(more) + len(unresolved)
    tally = _tally(holdings, changes, mentioned, read=read + rejected, rejected=rejected + refused_here)
    return replace(changes, tally=tally)


def _tally(holdings: Holdings, changes: ChangeSet, mentioned: Iterable[ClaimKey], *, read: int, rejected: int) -> Tally:
    """What became of each entry; whatever is neither new, changed nor rejected is unchanged."""
    assets = {claim.id: claim.asset for claim in changes.claims or ()}
    appeared = {one.asset.id for one in changes.appeared}
    altered = {one.asset.id for one in changes.changed}
    new = changed = 0
    for key in mentioned:
        asset = assets.get(key) or holdings.claims[key].asset
        new += asset in appeared
        changed += asset in altered
    known = {(one.asset, one.needs, one.kind) for one in holdings.snapshot.dependencies} if changes.dependencies else ()
    otherwise = sum(1 for one in changes.dependencies if (one.asset, one.needs, one.kind) in known)
    new += len(changes.dependencies) - otherwise
    changed += otherwise
    return Tally(new=new, changed=changed, unchanged=read - new - changed - rejected, rejected=rejected)


def _counted(holdings: Holdings, changes: ChangeSet, mentioned: Iterable[ClaimKey]) -> ChangeSet:
    """The changes with figures of what was mentioned and changes nothing in any record."""
    news = {claim.id: claim for claim in changes.claims or ()}
    differing = {one.asset.id for one in changes.appeared} | {one.asset.id for one in changes.changed}
    unchanged = confirmed = overruled = 0
    for key in mentioned:
        claim = news.get(key) or holdings.claims[key]
        if claim.asset in differing:
            continue
        unchanged += 1
        if key in news and key in holdings.claims and is_same_said(claim, holdings.claims[key]):
            confirmed += 1
        elif key in news:
            overruled += 1
    return replace(changes, unchanged=unchanged, confirmed=confirmed, overruled=overruled)


# --------------------------------------------------------------------------- rows to claims


def _refusal_order(refusal: Refusal) -> tuple[object, ...]:
    return *_place_order(refusal.place), refusal.code, refusal.says


def _place_order(place: Place) -> tuple[str, int, str]:
    return place.file, place.row, place.column


def _observation_order(one: Observation) -> tuple[object, ...]:
    group, key = key_of(one.kind, one.name)
    return GROUP_ORDER.index(group), key, *_place_order(one.place), one.kind, one.name, _content(one.values)


def _content(values: Mapping[str, Value]) -> str:
    return repr(sorted(values.items(), key=lambda pair: pair[0]))


def _without_duplicates(observations: Iterable[Observation], when: When) -> tuple[list[Observation], list[Refusal]]:
    """One observation per record and time, the one that stands first; a mention without values contradicts nothing."""
    said = Several[tuple[str, str, int], Observation]()
    for one in observations:
        said.add((one.source, observed_key(one), when.observed(one)), one)
    first = said.alone()
    repeated = [(key, one) for key, some in said.shared.items() for one in some]
    refusals: list[Refusal] = []
    for key, one in sorted(repeated, key=lambda pair: _observation_order(pair[1])):
        earlier = first.setdefault(key, one)
        if earlier is one or (one.kind == earlier.kind and not one.values):
            continue
        if one.kind == earlier.kind and not earlier.values:
            first[key] = one
        elif (earlier.kind, _content(earlier.values)) != (one.kind, _content(one.values)):
            error = DuplicateName(name=one.name, first=earlier.place, second=one.place)
            refusals.append(refusal_of(error, one.place, one.row))
    return list(first.values()), refusals


def _settle(holdings: Holdings, observations: list[Observation]) -> tuple[list[Observation], list[Refusal]]:
    """The rows that can be taken; refused are rows that are no record or point at nothing, and what points at them."""
    refused: dict[int, ExpectedError] = {}
    there = {key_of(asset.kind, asset.name) for asset in holdings.assets}
    there.update(key_of(claim.kind, claim.name) for claim in holdings.claims.values() if not claim.is_gone)
    keys = [key_of(one.kind, one.name) for one in observations]
    bearing = Counter(keys)
    waiting = list(range(len(observations)))
    pointing: dict[Key, list[int]] | None = None
    while waiting:
        at = waiting.pop()
        error = None if at in refused else _reference_error(observations[at], there, bearing)
        if error is None:
            continue
        if pointing is None:
            pointing = _pointing(observations)
        refused[at] = error
        bearing[keys[at]] -= 1
        if not bearing[keys[at]]:
            del bearing[keys[at]]
            waiting += pointing.get(keys[at], ()) if keys[at] not in there else ()
    refusals = [refusal_of(error, observations[at].place, observations[at].row) for at, error in refused.items()]
    return [one for at, one in enumerate(observations) if at not in refused], refusals


def _pointing(observations: Iterable[Observation]) -> dict[Key, list[int]]:
    """Which rows, by position, point at each name."""
    found: dict[Key, list[int]] = defaultdict(list)
    for at, one in enumerate(observations):
        for _field, group, name in referred(one.values):
            found[group, name_key(name)].append(at)
    return found


def _reference_error(one: Observation, there: set[Key], bearing: Mapping[Key, object]) -> ExpectedError | None:
    if not _FIELDS_OF[one.kind].issuperset(one.values):
        strange = [name for name in one.values.keys() - _FIELDS_OF[one.kind] if not is_attribute(name)]
        if strange:
            name = min(strange)
            return InvalidValue(field=name, value=one.values[name], why=because("a {a} has no such field", a=one.kind))
    missing = unknown_reference(one.values, there, bearing)
    if missing:
        return UnknownReference(field=missing[0], name=missing[1], asset=one.name)
    successor = one.values.get("successor")
    if isinstance(successor, str) and name_key(successor) == name_key(one.name):
        return OwnSuccessor(name=one.name)
    return None


def _news(holdings: Holdings, taken: Iterable[Observation], when: When) -> tuple[set[ClaimKey], dict[ClaimKey, Claim]]:
    """Every record mentioned, and the claims that are other than before."""
    mentioned: set[ClaimKey] = set()
    news: dict[ClaimKey, Claim] = {}
    for one in taken:
        claim = claim_of(one, observed_us=when.observed(one), imported_us=when.imported_us)
        key = claim.id
        mentioned.add(key)
        known = news.get(key) or holdings.claims.get(key)
        if known is None:
            news[key] = claim
        elif (now := joined(known, claim)) != known:
            news[key] = now
    return mentioned, news


def _vanished(
    holdings: Holdings, taken: Iterable[Observation], mentioned: set[ClaimKey], when: When
) -> dict[ClaimKey, Claim]:
    """Claims of the source that its complete list no longer has, in the groups that it mentions.

    A claim that is newer than the list stays: an old list takes nothing away.
    """
    newest: dict[tuple[str, str], int] = {}
    for one in taken:
        group = one.source, name_group(one.kind)
        newest[group] = max(newest.get(group, 0), when.observed(one))
    found: dict[ClaimKey, Claim] = {}
    for key, claim in holdings.claims.items():
        at_us = newest.get((claim.source, name_group(claim.kind)), 0)
        if key not in mentioned and claim.about is None and not claim.is_gone and at_us > claim.last_us:
            found[key] = replace(claim, gone_us=at_us)
    return found


# --------------------------------------------------------------------------- dependencies


def _dependencies(
    holdings: Holdings, observed: Iterable[ObservedDependency], found: Regrouped, when: When
) -> tuple[tuple[Dependency, ...], list[Refusal]]:
    """Dependencies not known before or known otherwise, and those that cannot be taken."""
    known = {(one.asset, one.needs, one.kind): one for one in holdings.snapshot.dependencies}
    news: dict[tuple[AssetId, AssetId, DependencyKind], Dependency] = {}
    refusals: list[Refusal] = []
    for one in sorted(observed, key=lambda one: (*_place_order(one.place), one.asset, one.needs, one.kind, one.note)):
        try:
            asset, needs = _ends(one, found.names)
        except ExpectedError as wrong:
            refusals.append(refusal_of(wrong, one.place, one.row))
            continue
        said = Dependency(
            tenant=holdings.tenant,
            asset=found.ids[asset],
            needs=found.ids[needs],
            kind=one.kind,
            note=one.note,
            evidence=one.evidence,
            mib_per_day=one.mib_per_day,
            source=one.source,
            observed_us=when.observed(one),
        )
        key = said.asset, said.needs, said.kind
        if key not in known or _is_better(said, known[key]):
            news[key] = known[key] = said
    return tuple(news.values()), refusals


def _is_better(said: Dependency, known: Dependency) -> bool:
    """Whether it tells something newer; the same again does not count, so that a repeated import writes nothing."""
    if (said.note, said.evidence, said.mib_per_day) == (known.note, known.evidence, known.mib_per_day):
        return False
    return _dependency_order(said) > _dependency_order(known)


def _dependency_order(one: Dependency) -> tuple[object, ...]:
    return one.observed_us, one.mib_per_day, one.evidence, one.note, one.source


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

"""Which claims speak of one asset: a pure function of all claims and of what people decided, so order has no say.

From the strongest mark to the weakest: the source's own key, BIOS UUID, real serial number, a maker's hardware address,
DNS name, name (with the site where several have it). Within one source each record is an asset of its own, unless a
record ended before another with the same UUID or serial number began: then it was renamed. A mark that cannot be
one machine's identifies none, and where that leaves two answers it becomes a question to a person, never a guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from inventory.claims import Claim, ClaimKey
from inventory.decisions import Pairs
from inventory.marks import LEVELS, NAME, STRONG, TELLING, Mark, host_mark, is_address, key_of, marks_of
from inventory.model import MACHINES, name_key
from inventory.several import Several

MOST_BEARERS = 50
"""What more claims than this bear is a maker's habit and no mark."""
NO_PAIRS = Pairs(same=frozenset(), different=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A mark that several assets bear and that does not say which of them is meant."""

    mark: Mark
    claims: tuple[ClaimKey, ...]
    """One claim of each asset in question, sorted."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Claims that speak of one asset: for each that is not alone, the first claim of its cluster. Every order of the
    same claims gives the same clusters."""

    first: Mapping[ClaimKey, ClaimKey]
    questions: tuple[Question, ...]

    def of(self, claim: ClaimKey) -> ClaimKey:
        """The cluster's first claim, which stands for it."""
        return self.first.get(claim, claim)


@dataclass(slots=True)
class _Cluster:
    """Claims taken for one asset so far."""

    claims: list[ClaimKey]
    sources: set[str]
    telling: dict[str, set[str]]


@dataclass(slots=True)
class _Grouping:
    """Clusters in the making; claims that share nothing with another never enter."""

    claims: Mapping[ClaimKey, Claim]
    pairs: Pairs
    cluster: dict[ClaimKey, _Cluster] = field(default_factory=dict)

    def of(self, key: ClaimKey) -> _Cluster:
        """The cluster of a claim; a new one at first."""
        found = self.cluster.get(key)
        if found is None:
            claim = self.claims[key]
            telling = {level: {value} for level, value in marks_of(claim.kind, claim.values) if level in TELLING}
            found = self.cluster[key] = _Cluster(claims=[key], sources={claim.source}, telling=telling)
        return found

    def among(self, keys: Iterable[ClaimKey]) -> list[_Cluster]:
        """The distinct clusters of these claims."""
        return list({id(one): one for one in map(self.of, keys)}.values())

    def unite(self, clusters: Iterable[_Cluster]) -> None:
        """Make one of them."""
        first, *rest = sorted(clusters, key=lambda one: min(one.claims))
        for other in rest:
            first.claims += other.claims
            first.sources |= other.sources
            for level, values in other.telling.items():
                first.telling.setdefault(level, set()).update(values)
            for key in other.claims:
                self.cluster[key] = first

    def why_not(self, one: _Cluster, other: _Cluster, level: str) -> str:
        """Why the two cannot be one asset though they share a mark of this level; empty when they can."""
        if self.pairs.different and any((a, b) in self.pairs.different for a in one.claims for b in other.claims):
            return "decided"
        for stronger in TELLING:
            if LEVELS.index(stronger) >= LEVELS.index(level):
                break
            ours, theirs = one.telling.get(stronger), other.telling.get(stronger)
            if ours and theirs and ours.isdisjoint(theirs):
                return stronger
        return "source" if one.sources & other.sources else ""


def clusters(claims: Mapping[ClaimKey, Claim], pairs: Pairs = NO_PAIRS) -> Clusters:
    """Which claims speak of one asset, and what only a person can tell."""
    grouping = _Grouping(claims=claims, pairs=pairs)
    for ours, theirs in sorted(pairs.same):
        if ours in claims and theirs in claims:
            grouping.unite(grouping.among((ours, theirs)))
    for key, claim in claims.items():
        if claim.about in claims and claim.about is not None:
            grouping.unite(grouping.among((key, claim.about)))
    bearers = _bearers(claims)
    doubted: list[tuple[Mark, list[ClaimKey], str]] = []
    for level in LEVELS:
        for value in sorted(bearers[level]):
            doubted += _level(grouping, (level, value), bearers[level][value])
    first = {key: min(one.claims) for key, one in grouping.cluster.items() if len(one.claims) > 1}
    return Clusters(first=first, questions=tuple(_questions(grouping, doubted)))


def _bearers(claims: Mapping[ClaimKey, Claim]) -> dict[str, dict[str, list[ClaimKey]]]:
    """Marks that more than one claim bears, by level. What is no machine has its name only, with its group before."""
    found = {level: Several[str, ClaimKey]() for level in LEVELS}
    names = found[NAME]
    aliased: list[tuple[ClaimKey, str]] = []
    for key, claim in claims.items():
        if claim.about is not None:
            continue
        if claim.kind in MACHINES:
            for level, value in marks_of(claim.kind, claim.values):
                found[level].add(value, key)
            names.add(host_mark(claim.name), key)
            aliased += [(key, host_mark(alias)) for alias in claim.aliases]
        else:
            group, name = key_of(claim.kind, claim.name)
            names.add(f"{group}:{name}", key)
            aliased += [(key, f"{group}:{alias}") for alias in claim.aliases]
    for key, alias in aliased:
        # What is the present name of another record of the source is no longer another name of this one.
        if all(other[0] != key[0] or other == key for other in names.of(alias)):
            names.add(alias, key)
    return {level: borne.shared for level, borne in found.items()}


def _level(grouping: _Grouping, mark: Mark, keys: list[ClaimKey]) -> Iterator[tuple[Mark, list[ClaimKey], str]]:
    """Unite what the mark unites; what it cannot tell apart is given back with the reason."""
    level = mark[0]
    if level in STRONG:
        _rename(grouping, keys, level)
    found = grouping.among(keys)
    if len(found) == 1:
        return
    why = "address" if level == NAME and is_address(mark[1]) else _reason(grouping, found, level)
    if not why:
        grouping.unite(found)
        return
    if level == NAME and why != "address":
        _unite_by_site(grouping, found)
        found = grouping.among(keys)
        why = _reason(grouping, found, level)
    if why and why != "decided":
        yield mark, keys, why


def _reason(grouping: _Grouping, found: list[_Cluster], level: str) -> str:
    """Why these clusters cannot all be one; empty when they can."""
    if len(found) > MOST_BEARERS:
        return "source"
    return min({grouping.why_not(one, other, level) for one, other in combinations(found, 2)} - {""}, default="")


def _rename(grouping: _Grouping, keys: list[ClaimKey], level: str) -> None:
    """Records of one source with one strong mark of which each ended before the next began are one machine."""
    of_source: dict[str, list[Claim]] = defaultdict(list)
    for key in keys:
        of_source[key[0]].append(grouping.claims[key])
    for some in of_source.values():
        some.sort(key=lambda claim: (claim.first_us, claim.last_us, claim.key))
        follow = all(former.last_us < later.first_us for former, later in pairwise(some))
        if len(some) > 1 and follow:
            found = grouping.among(claim.id for claim in some)
            if all(grouping.why_not(one, other, level) in ("", "source") for one, other in combinations(found, 2)):
                grouping.unite(found)


def _unite_by_site(grouping: _Grouping, found: list[_Cluster]) -> None:
    """Of several machines with one name, those at one site are one, if nothing else speaks against it."""
    at: dict[str, list[_Cluster]] = defaultdict(list)
    for cluster in found:
        sites = {name_key(str(grouping.claims[key].values.get("site", ""))) for key in cluster.claims} - {""}
        if len(sites) == 1:
            at[min(sites)].append(cluster)
    for _site, some in sorted(at.items()):
        if len(some) > 1 and not _reason(grouping, some, NAME):
            grouping.unite(some)


def _questions(grouping: _Grouping, doubted: Iterable[tuple[Mark, list[ClaimKey], str]]) -> Iterator[Question]:
    """The doubts that weaker marks did not settle and that a person did not."""
    for mark, keys, why in doubted:
        firsts = sorted({min(one.claims) for one in grouping.among(keys)})
        if len(firsts) > MOST_BEARERS or any(
            grouping.why_not(grouping.of(one), grouping.of(other), mark[0]) != "decided"
            for one, other in combinations(firsts, 2)
        ):
            yield Question(mark=mark, claims=tuple(firsts), why=why)

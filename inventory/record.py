"""Claims to one record: kind, name and fields, each from the claim whose word counts. Free of order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from inventory.claims import Claim, ClaimKey, Origin, comparable
from inventory.decisions import Decision, Verdict
from inventory.marks import is_placeholder
from inventory.model import AssetKind, Value, has_field, name_key
from inventory.precedence import Precedence

GENERAL_KINDS: Mapping[AssetKind, frozenset[AssetKind]] = {
    AssetKind.SERVER: frozenset({AssetKind.VM, AssetKind.TEMPLATE}),
    AssetKind.WORKSTATION: frozenset({AssetKind.NOTEBOOK, AssetKind.THIN_CLIENT}),
}
"""A kind that does not replace a more exact one: a virtual machine in an office list is called a server there."""
KIND, NAME = "kind", "name"
PERSON = "person"
"""Source of a value that a person decided."""
_OF_ONE: Mapping[str, str] = MappingProxyType({})
_MAYBE_PLACEHOLDER = frozenset({"uuid", "serial"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one source says of one field, where it stands and whether it counts."""

    field: str
    value: Value
    source: str
    origin: Origin
    counts: bool = False
    is_gone: bool = False
    is_guess: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """One record before its references are spelled: and the source of every field."""

    kind: AssetKind
    name: str
    values: Mapping[str, Value]
    sources: Mapping[str, str]
    """Source of each field, of name and kind too; empty for a record with one claim, whose source it is."""
    source: str
    """Source of the newest claim."""
    is_gone: bool

    def source_of(self, name: str) -> str:
        """Who says so."""
        return self.sources.get(name, self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Whose word counts: the tenant's precedence and what people decided on fields."""

    precedence: Precedence = field(default_factory=Precedence)
    decided: Mapping[ClaimKey, tuple[Decision, ...]] = field(default_factory=dict)


def folded(claims: Sequence[Claim], rules: Rules) -> Folded:
    """The record that these claims (at least one) make."""
    decided = decisions_on(claims, rules)
    if len(claims) == 1 and not decided:
        only = claims[0]
        return Folded(
            kind=only.kind,
            name=only.name,
            values=only.values,
            sources=_OF_ONE,
            source=only.source,
            is_gone=only.is_gone,
        )
    newest = max(claims, key=lambda claim: (not claim.is_gone, claim.last_us, claim.id))
    winners = {name: _winner(some, rules, decided.get(name)) for name, some in _by_field(claims).items()}
    kind = AssetKind(str(winners[KIND].value))
    fields = {name: word for name, word in winners.items() if has_field(kind, name)}
    for name, decision in decided.items():
        if decision.verdict is Verdict.VALUE and decision.value is not None and has_field(kind, name):
            fields[name] = _said_by_person(name, decision)
    return Folded(
        kind=kind,
        name=_spelling(str(winners[NAME].value), claims),
        values={name: fields[name].value for name in sorted(fields)},
        sources={name: word.source for name, word in {**winners, **fields}.items()},
        source=newest.source,
        is_gone=all(claim.is_gone for claim in claims),
    )


def _spelling(name: str, claims: Iterable[Claim]) -> str:
    """The name as the first source that knew it spells it, so that spellings do not take turns."""
    key = name_key(name)
    alike = [claim for claim in claims if name_key(claim.name) == key]
    return min(alike, key=lambda claim: (claim.first_us, claim.id)).name if alike else name


def decisions_on(claims: Iterable[Claim], rules: Rules) -> dict[str, Decision]:
    """The last decision on each field that holds on to one of these claims."""
    if not rules.decided:
        return {}
    found = {one.seq: one for claim in claims for one in rules.decided.get(claim.id, ())}
    return {one.field: one for _seq, one in sorted(found.items())}


def words(claims: Sequence[Claim], rules: Rules) -> dict[str, tuple[Word, ...]]:
    """Per field, kind and name included, what every source says: what counts first, then the newest."""
    decided = decisions_on(claims, rules)
    found: dict[str, tuple[Word, ...]] = {}
    for name, some in _by_field(claims).items():
        winner = _winner(some, rules, decided.get(name))
        others = sorted((one for one in some if one is not winner), key=lambda one: one.origin.order, reverse=True)
        found[name] = (replace(winner, counts=True), *others)
    for name, decision in decided.items():
        if name not in found and decision.verdict is Verdict.VALUE:
            found[name] = (_said_by_person(name, decision),)
    return found


def is_same_meant(field_name: str, one: Value, other: Value) -> bool:
    """Whether two values say the same in other words: case, blanks, order of a list, a part of it, a short name."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        parts, others = {name_key(part) for part in one}, {name_key(part) for part in other}
        return parts <= others or others <= parts
    if field_name == KIND:
        return one == other or any(
            AssetKind(str(b)) in GENERAL_KINDS.get(AssetKind(str(a)), ()) for a, b in ((one, other), (other, one))
        )
    if isinstance(one, str) and isinstance(other, str):
        mine, yours = name_key(one), name_key(other)
        return mine == yours or (field_name == NAME and mine.split(".")[0] == yours.split(".")[0])
    return one == other


def _by_field(claims: Iterable[Claim]) -> dict[str, list[Word]]:
    found: dict[str, list[Word]] = {KIND: [], NAME: []}
    for claim in claims:
        said = (claim.source, claim.is_gone)
        kind = _word(KIND, claim.kind.value, claim.origin, said)
        found[KIND].append(replace(kind, is_guess=claim.kind_is_guess))
        found[NAME].append(_word(NAME, claim.name, claim.origin, said))
        for field_name, fact, origin in claim.facts():
            found.setdefault(field_name, []).append(_word(field_name, fact, origin, said))
    return found


def _word(name: str, value: Value, origin: Origin, said: tuple[str, bool]) -> Word:
    return Word(field=name, value=value, source=said[0], origin=origin, is_gone=said[1])


def _said_by_person(name: str, decision: Decision) -> Word:
    origin = Origin(file="", row=0, observed_us=decision.at_us, imported_us=decision.at_us)
    return Word(field=name, value=decision.value or "", source=PERSON, origin=origin, counts=True)


def _winner(said: Sequence[Word], rules: Rules, decision: Decision | None) -> Word:
    """Whose word counts: what a person decided, else the most trusted source, else the newest."""
    if decision is not None and decision.verdict is Verdict.VALUE:
        return _said_by_person(decision.field, decision)
    if decision is not None and any(one.source == decision.source for one in said):
        said = [one for one in said if one.source == decision.source]
    if said[0].field == KIND:
        said = [one for one in said if not one.is_guess] or said
        kinds = {AssetKind(str(one.value)) for one in said if not one.is_gone}
        said = [one for one in said if not GENERAL_KINDS.get(AssetKind(str(one.value)), frozenset()) & kinds]
    newest_us = max(one.origin.observed_us for one in said)
    return max(said, key=lambda one: _trust(one, rules.precedence, newest_us=newest_us))


def _trust(one: Word, precedence: Precedence, *, newest_us: int) -> tuple[object, ...]:
    stale = precedence.is_stale(one.origin.observed_us, newest_us=newest_us)
    return (
        not (one.field in _MAYBE_PLACEHOLDER and is_placeholder(str(one.value))),
        not one.is_gone,
        0 if stale else precedence.rank(one.field, one.source),
        one.origin.observed_us,
        comparable(one.value),
        one.source,
        one.origin.order,
    )

"""Decisions of people on the inventory: the same machine, two machines, this value. Kept in the journal for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from inventory.changes import ChangeSet, Holdings
from inventory.claims import ClaimKey
from inventory.decisions import Decision, Verdict
from inventory.errors import ExpectedError
from inventory.model import Asset, AssetId, TenantId, Value, field_named, name_group
from inventory.parsing import parse_value
from inventory.record import KIND, NAME
from inventory.regroup import regroup
from inventory.tables import micros
from orchestrator.core.wave import PersonId
from orchestrator.ports import Books, Entry

DECIDED, SUBJECT = "inventory.decided", "decisions"


class NotDecidable(ExpectedError):
    """A decision that says nothing, or about nothing."""

    code, says = "INV-040", "Nothing can be decided on {what}: {why}."
    remedy = "See the claims with `kahn asset show ASSET` and the open questions with `kahn asset conflicts`."
    exit_code = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person decides: on a field (``use`` a value or take one ``source``'s), or on another record."""

    field: str = ""
    use: str = ""
    source: str = ""
    same: Asset | None = None
    different: Asset | None = None
    split: str = ""
    """A source whose records of this asset are another asset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Who says so, when (UTC) and why."""

    by: PersonId
    at: datetime
    reason: str


def decisions_in(books: Books, tenant: TenantId) -> tuple[Decision, ...]:
    """All that people decided, oldest first."""
    return tuple(
        _decision(one.seq, one.entry, at_us=micros(one.at))
        for one in books.journal.read(tenant, subject=SUBJECT)
        if one.entry.kind == DECIDED
    )


def decided(holdings: Holdings, asset: Asset, asked: Asked, *, word: Word) -> Decision:
    """The decision as a value, after a look that it makes sense. Raises NotDecidable, InvalidValue."""
    ours = tuple(claim.id for claim in holdings.claims_of(asset.id))
    made = Decision(
        seq=0, verdict=Verdict.VALUE, ours=ours, by=word.by, at_us=micros(word.at), reason=word.reason
    )  # fmt: skip
    other = asked.same or asked.different
    if other is not None:
        return _on_other(holdings, asset, other, replace(made, verdict=_verdict(asked)))
    if asked.split:
        return _on_split(asset, asked.split, made)
    return _on_field(holdings, asset, asked, made)


def effect(holdings: Holdings, decision: Decision, *, new_id: Callable[[], AssetId]) -> ChangeSet:
    """What the decision changes in the inventory."""
    latest = max((one.seq for one in holdings.decisions), default=0) + 1
    after = replace(holdings, decisions=(*holdings.decisions, replace(decision, seq=latest)))
    touched = {key: holdings.claims[key] for key in (*decision.ours, *decision.theirs)}
    return regroup(after, touched, new_id=new_id).changes


def decide(books: Books, holdings: Holdings, decision: Decision, changes: ChangeSet, *, word: Word) -> int:
    """Write the decision and what it changes, in the open transaction; returns how many records changed."""
    written = books.assets.apply(changes)
    texts = {"reason": word.reason} if word.reason else {}
    entry = Entry(kind=DECIDED, subject=SUBJECT, body=_body(decision), by=word.by, texts=texts)
    books.journal.append(holdings.tenant, [entry], at=word.at)
    return written


def _verdict(asked: Asked) -> Verdict:
    return Verdict.SAME if asked.same is not None else Verdict.DIFFERENT


def _on_other(holdings: Holdings, asset: Asset, other: Asset, made: Decision) -> Decision:
    if other.id == asset.id:
        raise NotDecidable(what=asset.name, why="both names mean one record already")
    if name_group(other.kind) != name_group(asset.kind):
        raise NotDecidable(what=asset.name, why=f"a {asset.kind} is never a {other.kind}")
    return replace(made, theirs=tuple(claim.id for claim in holdings.claims_of(other.id)))


def _on_split(asset: Asset, source: str, made: Decision) -> Decision:
    theirs = tuple(key for key in made.ours if key[0] == source)
    ours = tuple(key for key in made.ours if key[0] != source)
    if not theirs or not ours:
        raise NotDecidable(what=asset.name, why=f"{source!r} is not one of several sources of it")
    return replace(made, verdict=Verdict.DIFFERENT, ours=ours, theirs=theirs)


def _on_field(holdings: Holdings, asset: Asset, asked: Asked, made: Decision) -> Decision:
    known = field_named(asked.field)
    if asked.field not in (NAME, KIND) and (known is None or asset.kind not in known.kinds):
        raise NotDecidable(what=asset.name, why=f"a {asset.kind} has no field {asked.field!r}")
    if asked.source:
        claims = [one for one in holdings.claims_of(asset.id) if one.source == asked.source]
        says = any(asked.field in (NAME, KIND) or asked.field in one.values for one in claims)
        if not says:
            raise NotDecidable(what=asset.name, why=f"{asked.source!r} says nothing of its {asked.field}")
        return replace(made, verdict=Verdict.SOURCE, field=asked.field, source=asked.source)
    if known is None:
        raise NotDecidable(what=asset.name, why=f"its {asked.field} is taken from a source; name one with --source")
    return replace(made, field=asked.field, value=parse_value(known, asked.use, german=True))


# --------------------------------------------------------------------------- to the journal and back


def _body(decision: Decision) -> dict[str, Any]:
    return {
        "verdict": decision.verdict.value,
        "ours": [list(key) for key in decision.ours],
        "theirs": [list(key) for key in decision.theirs],
        "field": decision.field,
        "value": list(decision.value) if isinstance(decision.value, tuple) else decision.value,
        "source": decision.source,
    }


def _decision(seq: int, entry: Entry, *, at_us: int) -> Decision:
    body = entry.body
    value: Value | None = tuple(body["value"]) if isinstance(body["value"], list) else body["value"]
    return Decision(
        seq=seq,
        verdict=Verdict(body["verdict"]),
        ours=_keys(body["ours"]),
        theirs=_keys(body["theirs"]),
        field=body["field"],
        value=value,
        source=body["source"],
        by=entry.by,
        at_us=at_us,
        reason=str(entry.texts.get("reason", "")),
    )


def _keys(found: list[list[str]]) -> tuple[ClaimKey, ...]:
    return tuple((source, key) for source, key in found)

"""What a person decided about the inventory: two records are one machine, are two, or a field has this value.

A decision holds on to claims, not to assets, so it survives every later import and every change of names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from inventory.claims import ClaimKey
from inventory.model import Value


class Verdict(StrEnum):
    """What was decided."""

    SAME = "same"
    DIFFERENT = "different"
    VALUE = "value"
    SOURCE = "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision of a person; a later one on the same thing replaces it."""

    seq: int
    verdict: Verdict
    ours: tuple[ClaimKey, ...]
    """Claims of the asset it is about, sorted."""
    theirs: tuple[ClaimKey, ...] = ()
    """Claims of the other asset, for same and different."""
    field: str = ""
    value: Value | None = None
    source: str = ""
    """Whose word counts, for ``source``."""
    by: str
    at_us: int
    reason: str = ""


Pair = tuple[ClaimKey, ClaimKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Which claims belong together and which never do, by what people decided; each pair both ways round."""

    same: frozenset[Pair]
    different: frozenset[Pair]


def pairs_of(decisions: Iterable[Decision]) -> Pairs:
    """The last word on each pair of claims."""
    word: dict[Pair, Verdict] = {}
    for one in sorted(decisions, key=lambda decision: decision.seq):
        if one.verdict in (Verdict.SAME, Verdict.DIFFERENT):
            for ours in one.ours:
                for theirs in one.theirs:
                    word[ours, theirs] = word[theirs, ours] = one.verdict
    return Pairs(
        same=frozenset(pair for pair, verdict in word.items() if verdict is Verdict.SAME),
        different=frozenset(pair for pair, verdict in word.items() if verdict is Verdict.DIFFERENT),
    )


def on_fields(decisions: Iterable[Decision]) -> Mapping[ClaimKey, tuple[Decision, ...]]:
    """Decisions on fields by the claims they hold on to, oldest first."""
    found: dict[ClaimKey, tuple[Decision, ...]] = {}
    for one in sorted(decisions, key=lambda decision: decision.seq):
        if one.verdict in (Verdict.VALUE, Verdict.SOURCE):
            for key in one.ours:
                found[key] = (*found.get(key, ()), one)
    return found

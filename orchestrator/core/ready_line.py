"""One line of the ready check: a gate, its verdict, who owns it, and what helps."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.model import AssetId
from orchestrator.core.explain import Sentence

OK, HELD, BLOCKS, UNKNOWN = "ok", "held", "blocks", "unknown"
ENGINEER = Sentence(says="migration engineer")
ADMINISTRATOR = Sentence(says="administrator")
APPROVER = Sentence(says="approver")
AUDITOR = Sentence(says="auditor")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyLine:
    """One start gate. ``verdict`` is ok, held (``assets`` stay behind), blocks, or unknown: nobody could say.

    What is unknown forbids nothing, and is never shown as well.
    """

    gate: str
    verdict: str
    says: Sentence
    owner: Sentence | None = None
    remedy: Sentence | None = None
    assets: tuple[AssetId, ...] = ()


def good(gate: str, says: Sentence) -> ReadyLine:
    """A gate that is open."""
    return ReadyLine(gate=gate, verdict=OK, says=says)


def joined_in_one(sentences: tuple[Sentence, ...]) -> Sentence:
    """Several clauses as one sentence, each still to be translated."""
    if not sentences:
        return Sentence(says="")
    first, *rest = sentences
    if not rest:
        return first
    return Sentence(says="{first}; {more}", facts={"first": first, "more": joined_in_one(tuple(rest))})

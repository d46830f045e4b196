"""Findings of a trial: how a run ended as against how it should, and what differs between two sets of pictures."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.core.outcome import Outcome
from orchestrator.core.trial import Finding, Tried
from orchestrator.lab.picture import Picture, unlike

SHOWN = 20
"""So many differences are listed of one finding."""


def told_of(ended: Outcome) -> str:
    """How a run ended, in one line."""
    return f"{ended.kind} {ended.cause} {ended.msg[:200]}".strip()


def as_outcome(ended: Outcome, *, wanted: str) -> Finding:
    """Well when it ended as wanted."""
    if ended.kind == wanted:
        return Finding(verdict=Tried.WELL)
    return Finding(verdict=Tried.BROKEN, told=told_of(ended))


def compared(
    before: Mapping[str, Picture], now: Mapping[str, Picture], *, told: str, stays: Mapping[str, str] | None = None
) -> Finding:
    """What is not as before. What ``stays`` by nature (``host: what`` -> its words) is told, and is no difference."""
    words = stays or {}
    found = [f"{host}: {path}" for host in before for path in unlike(before[host], now[host])]
    by_nature = [words[one] for one in found if one in words]
    others = [one for one in found if one not in words]
    verdict = Tried.DIFFERS if others else Tried.WELL
    return Finding(verdict=verdict, told="; ".join(filter(None, (told, *by_nature))), differences=tuple(others[:SHOWN]))

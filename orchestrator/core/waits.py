"""A step that looks waits something out: until when at most, until when by its own word, and when it looks again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from orchestrator.core.progress import MoveProgress
from orchestrator.core.results import WAITS
from orchestrator.core.wave import WaveContent

LEAST_S = 5
"""Seconds between two looks, whatever a machine says."""


def waits_until(content: WaveContent, move: MoveProgress) -> datetime | None:
    """Until when its step looks again and again; None while it waits for nothing."""
    last = move.last
    if last is None or last.outcome != WAITS or move.waits_since is None:
        return None
    return move.waits_since + timedelta(seconds=content.runbook.step(last.step).waits_s)


def waits_told(content: WaveContent, move: MoveProgress) -> datetime | None:
    """When the machine says that what is waited for is over (``until`` of its result, whole seconds since 1970); None
    where it says nothing, or something that the waiting does not last for."""
    until = waits_until(content, move)
    kahn = move.last.evidence.get("kahn") if move.last is not None and until is not None else None
    told = kahn.get("until") if isinstance(kahn, Mapping) else None
    if until is None or type(told) is not int or not 0 <= told <= until.timestamp():
        return None
    return datetime.fromtimestamp(told, tz=until.tzinfo)


def looks_again_at(content: WaveContent, move: MoveProgress) -> datetime:
    """When a step that waits looks the next time: when the machine said that it is over, else after its gap."""
    assert move.last is not None
    told, at = waits_told(content, move), move.last.at
    if told is not None:
        return max(told, at + timedelta(seconds=LEAST_S))
    return at + timedelta(seconds=content.runbook.step(move.last.step).every_s)

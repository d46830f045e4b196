"""Occurrences: the one start of a wave's revision as a row that is claimed once, with local time, zone and instant.

A service that is woken twice, late, or by two clocks starts nothing twice: whoever starts the wave must claim its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from inventory.model import TenantId
from orchestrator.core.lifecycle import IllegalTransition, WaveEvent
from orchestrator.core.plan import PlannedWindow


class OccurrenceState(StrEnum):
    """Where the start of a wave stands."""

    DUE = "due"
    CLAIMED = "claimed"
    DONE = "done"
    MISSED = "missed"
    DROPPED = "dropped"


class OccurrenceEvent(StrEnum):
    """What can happen to it."""

    PLAN = "plan"
    CLAIM = "claim"
    FINISH = "finish"
    MISS = "miss"
    DROP = "drop"


_S, _E = OccurrenceState, OccurrenceEvent
OCCURRENCE_TABLE: Mapping[OccurrenceState, Mapping[OccurrenceEvent, OccurrenceState]] = MappingProxyType(
    {
        _S.DUE: {_E.CLAIM: _S.CLAIMED, _E.MISS: _S.MISSED, _E.DROP: _S.DROPPED},
        _S.MISSED: {_E.CLAIM: _S.CLAIMED, _E.DROP: _S.DROPPED},
        _S.CLAIMED: {_E.FINISH: _S.DONE},
        _S.DROPPED: {_E.PLAN: _S.DUE, _E.CLAIM: _S.CLAIMED},
        _S.DONE: {},
    }
)
OCCURRENCE_GROUPS: Mapping[str, frozenset[OccurrenceState]] = MappingProxyType(
    {
        "at rest": frozenset({_S.DUE, _S.DONE, _S.DROPPED}),
        "in motion": frozenset({_S.CLAIMED}),
        "stuck": frozenset({_S.MISSED}),
    }
)
OF_WAVE: Mapping[WaveEvent, OccurrenceEvent] = MappingProxyType(
    {
        WaveEvent.SCHEDULE: _E.PLAN,
        WaveEvent.CLAIM: _E.CLAIM,
        WaveEvent.MISS: _E.MISS,
        WaveEvent.EXPIRE: _E.DROP,
        WaveEvent.WITHDRAW: _E.DROP,
        WaveEvent.REPLACE: _E.DROP,
        WaveEvent.CLOSE: _E.FINISH,
        WaveEvent.ROLLED_BACK: _E.FINISH,
    }
)
"""What an event of a wave does to its occurrence; other events do nothing to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """The start of one revision of a wave. ``epoch`` is that of the driver at the claim; 0 before."""

    tenant: TenantId
    wave: str
    revision: int
    starts: datetime
    """The instant, in UTC."""
    local: str
    """The clock on the wall then, with its offset: of a doubled hour one can tell which."""
    zone: str
    state: OccurrenceState = OccurrenceState.DUE
    epoch: int = 0
    since: datetime | None = None


def occurrence_of(tenant: TenantId, wave: str, revision: int, *, window: PlannedWindow) -> Occurrence:
    """The start when that window opens. Its instant was resolved when it was planned and is never guessed again."""
    local = window.opens.astimezone(_zone(window.zone))
    return Occurrence(
        tenant=tenant,
        wave=wave,
        revision=revision,
        starts=window.opens,
        local=local.strftime("%Y-%m-%d %H:%M ") + local.isoformat()[-6:],
        zone=window.zone,
    )


def _zone(name: str) -> tzinfo:
    """UTC where this machine does not know the zone: the instant holds all the same."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def next_occurrence_state(found: Occurrence, event: OccurrenceEvent) -> OccurrenceState:
    """The state after the event. Raises IllegalTransition naming both."""
    following = OCCURRENCE_TABLE[found.state].get(event)
    if following is None:
        raise IllegalTransition(subject=f"the start of wave {found.wave}", state=found.state.value, event=event.value)
    return following


class OccurrenceBook(Protocol):
    """Occurrences of every tenant."""

    def get(self, tenant: TenantId, wave: str, *, revision: int) -> Occurrence | None:
        """The start of that revision; None when nobody planned it."""
        ...

    def put(self, occurrence: Occurrence, *, at: datetime) -> Occurrence:
        """A new one, due. Raises Overtaken when that revision has one, or the wave another that is open."""
        ...

    def change(self, found: Occurrence, *, to: OccurrenceState, epoch: int, at: datetime) -> Occurrence:
        """Compare-and-set on its state. Raises Overtaken."""
        ...

"""Notices: what people are called for, which contact is due when, and the book that keeps them. Nothing here sends.

A notice is born in the transaction of the state change behind it and is named by that journal entry's number, so that
it exists exactly when the change does. A call is one contact's share of it: at least once, with growing gaps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from inventory.model import TenantId
from orchestrator.core.lifecycle import ARRIVED, WAVE_GROUPS, MoveState, WaveState

GAPS_S = (15, 30, 60, 120, 300, 600)
"""Seconds between two tries of one call; the last one repeats until somebody acts."""
GIVE_WAY = 3
"""So many failed tries, and the next contact is called at once."""


class NoticeKind(StrEnum):
    """What somebody is called for."""

    HELD = "held"
    MISSED = "missed"
    NEEDS_PERSON = "needs_person"
    ASSET_NEEDS_PERSON = "asset_needs_person"
    ROLLED_BACK = "rolled_back"
    NOT_STARTING = "not_starting"
    LAST_MOMENT = "last_moment"
    OUTAGE = "outage"
    UNDRIVEN = "undriven"
    AT_DESK = "at_desk"
    """Work for people has opened; its cause is the word that they will sign."""
    STORE_AWAY = "store_away"
    """Of no wave and in no table: it tells that the tables cannot be reached."""


OF_WAVES = tuple(kind for kind in NoticeKind if kind is not NoticeKind.STORE_AWAY)
"""Kinds that stand in the outbox."""


ALARM = "wave.alarm"
"""Kind of the journal entry behind an alarm that the clock raised, not a change of state."""
INFORMS = frozenset({NoticeKind.ROLLED_BACK, NoticeKind.AT_DESK})
"""Kinds that nobody must answer: told to the first contact only."""
_OF_WAVE: Mapping[str, NoticeKind] = {
    WaveState.HELD: NoticeKind.HELD,
    WaveState.MISSED: NoticeKind.MISSED,
    WaveState.NEEDS_PERSON: NoticeKind.NEEDS_PERSON,
    WaveState.ROLLED_BACK: NoticeKind.ROLLED_BACK,
}
_WAVE_MUST_BE: Mapping[NoticeKind, tuple[WaveState, ...]] = {
    NoticeKind.HELD: (WaveState.HELD,),
    NoticeKind.MISSED: (WaveState.MISSED,),
    NoticeKind.NEEDS_PERSON: (WaveState.NEEDS_PERSON,),
    NoticeKind.ROLLED_BACK: (WaveState.ROLLED_BACK,),
    NoticeKind.NOT_STARTING: (WaveState.APPROVED, WaveState.SCHEDULED),
    NoticeKind.UNDRIVEN: (WaveState.APPROVED, WaveState.SCHEDULED, *sorted(WAVE_GROUPS["in motion"])),
    NoticeKind.LAST_MOMENT: tuple(one for one in WaveState if one not in WAVE_GROUPS["at rest"]),
    NoticeKind.AT_DESK: tuple(one for one in WaveState if one not in WAVE_GROUPS["at rest"]),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that people are called for. ``number`` is that of the journal entry behind it, unique in the tenant."""

    tenant: TenantId
    number: int
    at: datetime
    kind: NoticeKind
    wave: str
    revision: int
    cause: str = ""
    asset: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""
    """Who acknowledged it; ``kahn`` when what it tells of was over."""

    @property
    def id(self) -> str:
        """The same in every message about it, also in one that comes twice."""
        return f"{self.tenant}-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom to call for a tenant: through which channel, in which language, and after how many minutes of silence."""

    tenant: TenantId
    name: str
    channel: str
    to: str
    language: str = "en"
    after_min: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One contact's share of a notice. ``next_at`` is when it is tried again; ``trouble`` why the last try failed."""

    tenant: TenantId
    number: int
    contact: str
    tries: int
    next_at: datetime
    delivered_at: datetime | None = None
    trouble: str = ""


class NoticeBook(Protocol):
    """Notices and calls of every tenant."""

    def put(self, notice: Notice) -> None:
        """Keep a new notice, in the transaction of the change behind it."""
        ...

    def open(self) -> tuple[Notice, ...]:
        """Those of all tenants that nobody acknowledged and that are not over, oldest first."""
        ...

    def all(self, tenant: TenantId, *, last: int = 100) -> tuple[Notice, ...]:
        """The tenant's latest notices, newest first."""
        ...

    def of_wave(self, tenant: TenantId, wave: str, revision: int) -> tuple[Notice, ...]:
        """All notices of one revision of a wave, oldest first."""
        ...

    def close(self, notice: Notice, *, by: str, at: datetime) -> bool:
        """Nobody is called for it any more. False when it was closed already."""
        ...

    def calls(self, tenant: TenantId, number: int) -> tuple[Call, ...]:
        """What became of its calls so far."""
        ...

    def note(self, call: Call) -> None:
        """Keep how a call stands."""
        ...


def notice_kind(entry_kind: str, body: Mapping[str, Any]) -> NoticeKind | None:
    """What a journal entry about a wave calls people for; None for most entries."""
    if entry_kind == ALARM:
        return NoticeKind(body["alarm"])
    if entry_kind == "run.intended" and body.get("at_desk"):
        return NoticeKind.AT_DESK
    if entry_kind == "wave.state":
        return _OF_WAVE.get(str(body["to"]))
    if entry_kind == "move.state" and body["to"] == MoveState.NEEDS_PERSON:
        return NoticeKind.ASSET_NEEDS_PERSON
    return None


def says_the_same(one: Notice, other: Notice) -> bool:
    """Whether a second notice would only repeat the first: assets that are stuck by the same cause in one wave, or the
    same work at the desk that nobody was told of yet."""
    if one.kind not in (NoticeKind.ASSET_NEEDS_PERSON, NoticeKind.AT_DESK):
        return False
    return (one.kind, one.wave, one.revision, one.cause) == (other.kind, other.wave, other.revision, other.cause)


def is_over(
    notice: Notice, *, revision: int, state: WaveState, moves: Mapping[str, MoveState], waits: frozenset[str]
) -> bool:
    """Whether what it tells of is over, so that nobody need be called. ``waits``: causes that assets still wait for.

    What only informs is over when it was told, not by the wave going on; that nobody drives, when somebody does.
    """
    if notice.revision != revision:
        return True
    if notice.kind is NoticeKind.ASSET_NEEDS_PERSON:
        return notice.cause not in waits
    if notice.kind is NoticeKind.OUTAGE:
        return moves.get(notice.asset) in (*ARRIVED, MoveState.ROLLED_BACK, MoveState.PLANNED)
    return state not in _WAVE_MUST_BE[notice.kind]


def contacts_due(
    notice: Notice, contacts: Sequence[Contact], calls: Sequence[Call], *, now: datetime
) -> tuple[Contact, ...]:
    """Who is to be called now: the first at once, each other after the agreed silence, or when those before him
    cannot be reached. A call that was delivered is not repeated; one that failed is tried again after a growing gap."""
    if notice.closed_at is not None:
        return ()
    known = {call.contact: call for call in calls}
    due: list[Contact] = []
    before: list[Contact] = []
    for contact in in_turn(contacts):
        if _has_turn(notice, contact, before, known, now=now) and _is_open(known.get(contact.name), now):
            due.append(contact)
        before.append(contact)
    return tuple(due)


def in_turn(contacts: Sequence[Contact]) -> tuple[Contact, ...]:
    """Contacts in the order in which they are called."""
    return tuple(sorted(contacts, key=lambda contact: contact.after_min))


def _has_turn(
    notice: Notice, contact: Contact, before: Sequence[Contact], known: Mapping[str, Call], *, now: datetime
) -> bool:
    if not before or all(_cannot_be_reached(known.get(one.name)) for one in before):
        return True
    return notice.kind not in INFORMS and now >= notice.at + timedelta(minutes=contact.after_min)


def _cannot_be_reached(call: Call | None) -> bool:
    return call is not None and call.delivered_at is None and call.tries >= GIVE_WAY


def _is_open(call: Call | None, now: datetime) -> bool:
    return call is None or (call.delivered_at is None and now >= call.next_at)


def told(notice: Notice, calls: Sequence[Call]) -> bool:
    """Whether a notice that only informs has done its work."""
    return notice.kind in INFORMS and any(call.delivered_at is not None for call in calls)


def next_call_after(notice: Notice, contacts: Sequence[Contact], contact: Contact) -> tuple[Contact, datetime] | None:
    """Who is called after this contact if nobody acknowledges, and when; None for the last one."""
    if notice.kind in INFORMS:
        return None
    later = [one for one in in_turn(contacts) if one.after_min > contact.after_min]
    return (later[0], notice.at + timedelta(minutes=later[0].after_min)) if later else None


def call_after(notice: Notice, contact: Contact, before: Call | None, *, trouble: str, now: datetime) -> Call:
    """How the call stands after one more try; ``trouble`` empty when it was delivered."""
    tries = (before.tries if before else 0) + 1
    gap = GAPS_S[min(tries, len(GAPS_S)) - 1]
    return Call(
        tenant=notice.tenant,
        number=notice.number,
        contact=contact.name,
        tries=tries,
        next_at=now + timedelta(seconds=gap),
        delivered_at=None if trouble else now,
        trouble=trouble,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message as it is sent: ``subject`` is one line, ``text`` plain lines, both without control characters."""

    id: str
    tenant: TenantId
    kind: str
    wave: str
    at: datetime
    to: str
    subject: str
    text: str


class NoticeChannels(Protocol):
    """Ways to reach a person: mail, webhook, a command of the house."""

    def send(self, channel: str, letter: Letter) -> None:
        """Deliver, within the channel's own time limits. Raises NotDelivered."""
        ...

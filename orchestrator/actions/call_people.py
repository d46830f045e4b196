"""Calling people: which messages are due now, written from committed rows, and what became of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from inventory.errors import ExpectedError
from inventory.model import TenantId
from orchestrator.actions.desk import Desk
from orchestrator.actions.make_report import case_of
from orchestrator.actions.record import subject_of
from orchestrator.core.lifecycle import MoveState
from orchestrator.core.notice_text import Message, message_of
from orchestrator.core.notices import (
    Call,
    Contact,
    Letter,
    Notice,
    NoticeKind,
    call_after,
    contacts_due,
    is_over,
    next_call_after,
    told,
)
from orchestrator.core.wave import PersonId
from orchestrator.ports import Entry, WaveRow
from orchestrator.spoken import one_line, spoken, visible
from orchestrator.texts import use_language

KAHN = "kahn"
"""Who closes a notice whose matter is over."""
ContactsOf = Callable[[TenantId], tuple[Contact, ...]]


class UnknownNotice(ExpectedError):
    """A notice that is not there."""

    code, says = "NOTE-004", "There is no notice {notice}."
    remedy = "List them with `kahn notice list`."
    exit_code = 5


class UnknownContact(ExpectedError):
    """A contact that notices.toml does not name."""

    code, says = "NOTE-005", "Tenant {tenant} has no contact {contact}."
    remedy = "List the contacts with `kahn notice contacts`; they stand in notices.toml."
    exit_code = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One call to be made now."""

    notice: Notice
    contact: Contact
    letter: Letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one look at the outbox found: calls to make, and notices whose matter is over."""

    errands: tuple[Errand, ...] = ()
    over: tuple[Notice, ...] = ()
    troubles: tuple[ExpectedError, ...] = ()
    """Waves that cannot be read; they hold no other wave's calls up."""


def look_at_notices(desk: Desk, contacts_of: ContactsOf) -> Round:
    """Read every open notice and decide. Changes the language of this thread, writes nothing."""
    found = Round()
    opened = sorted(desk.books.notices.open(), key=lambda one: (one.tenant, one.wave, one.number))
    for (tenant, key), notices in groupby(opened, key=lambda one: (one.tenant, one.wave)):
        try:
            this = _look_at_wave(desk, desk.books.waves.get(tenant, key), tuple(notices), contacts_of(tenant))
        except ExpectedError as trouble:
            this = Round(troubles=(trouble,))
        found = Round(
            errands=found.errands + this.errands,
            over=found.over + this.over,
            troubles=found.troubles + this.troubles,
        )
    return found


def _look_at_wave(desk: Desk, wave: WaveRow, notices: tuple[Notice, ...], contacts: tuple[Contact, ...]) -> Round:
    moves = {str(move.asset): (move.state, move.cause) for move in desk.books.waves.moves(wave.tenant, wave.key)}
    errands: list[Errand] = []
    over: list[Notice] = []
    driven = desk.books.driven() is True
    for notice in notices:
        calls = desk.books.notices.calls(notice.tenant, notice.number)
        driven_again = driven and notice.kind is NoticeKind.UNDRIVEN
        if driven_again or told(notice, calls) or _is_over(notice, wave, moves):
            over.append(notice)
        else:
            errands += _errands(desk, wave, notice, contacts, calls)
    return Round(errands=tuple(errands), over=tuple(over))


def _is_over(notice: Notice, wave: WaveRow, moves: dict[str, tuple[MoveState, str]]) -> bool:
    waits = frozenset(cause for state, cause in moves.values() if state is MoveState.NEEDS_PERSON)
    states = {asset: state for asset, (state, _cause) in moves.items()}
    return is_over(notice, revision=wave.revision, state=wave.state, moves=states, waits=waits)


def _errands(
    desk: Desk, wave: WaveRow, notice: Notice, contacts: tuple[Contact, ...], calls: tuple[Call, ...]
) -> list[Errand]:
    due = contacts_due(notice, contacts, calls, now=desk.now)
    if not due:
        return []
    case = case_of(desk, wave)
    found = []
    for contact in due:
        then = next_call_after(notice, contacts, contact)
        message = message_of(notice, case, then=then, now=desk.now)
        found.append(Errand(notice=notice, contact=contact, letter=letter_of(notice, contact, message)))
    return found


def letter_of(notice: Notice, contact: Contact, message: Message) -> Letter:
    """The message in the contact's language. Text from outside comes out on one line and harmless."""
    use_language(contact.language)
    try:
        paragraphs = ["\n".join(spoken(line) for line in lines) for lines in message.paragraphs]
        subject = one_line(spoken(message.subject), longest=150)
    finally:
        use_language("en")
    return Letter(
        id=notice.id,
        tenant=notice.tenant,
        kind=notice.kind.value,
        wave=notice.wave,
        at=notice.at,
        to=contact.to,
        subject=subject,
        text=visible("\n\n".join(paragraphs)),
    )


def note_call(desk: Desk, errand: Errand, *, trouble: str) -> None:
    """Keep how a call ended; one that was delivered is told to the wave's journal."""
    notice, contact = errand.notice, errand.contact
    known = {call.contact: call for call in desk.books.notices.calls(notice.tenant, notice.number)}
    before = known.get(contact.name)
    call = call_after(notice, contact, before, trouble=one_line(trouble), now=desk.now)
    desk.books.notices.note(call)
    if not trouble and not (before and before.delivered_at):
        body = {"notice": notice.number, "contact": contact.name, "channel": contact.channel, "tries": call.tries}
        _write_down(desk, notice, "notice.delivered", body, by=KAHN)


def close_over(desk: Desk, notices: tuple[Notice, ...]) -> None:
    """Close notices whose matter is over."""
    for notice in notices:
        desk.books.notices.close(notice, by=KAHN, at=desk.now)


def acknowledge(desk: Desk, tenant: TenantId, name: str, *, person: PersonId) -> Notice:
    """Somebody has taken it on: nobody else is called. Raises UnknownNotice."""
    number = name.removeprefix(f"{tenant}-")
    found = next((one for one in desk.books.notices.all(tenant, last=1_000) if str(one.number) == number), None)
    if found is None:
        raise UnknownNotice(notice=one_line(name, longest=60))
    if desk.books.notices.close(found, by=person, at=desk.now):
        body = {"notice": found.number, "kind": found.kind}
        _write_down(desk, found, "notice.acknowledged", body, by=person)
    return found


def _write_down(desk: Desk, notice: Notice, kind: str, body: dict[str, object], *, by: str) -> None:
    wave = desk.books.waves.get(notice.tenant, notice.wave)
    entry = Entry(kind=kind, subject=subject_of(wave), body=body, by=by)
    desk.books.journal.append(notice.tenant, [entry], at=desk.now)

"""What a message to a contact says: what happened, who is affected, what happens if nobody acts, what to type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.causes import cause_of
from orchestrator.core.decisions import Decision, local
from orchestrator.core.explain import Sentence
from orchestrator.core.notices import INFORMS, Contact, Notice, NoticeKind
from orchestrator.core.places import WaveCase
from orchestrator.core.wave_view import WaveView, view_of_case

SHOWN = 10
"""Assets by name in one message, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message before it is spoken: one subject and paragraphs of lines. Commands stand as they are typed."""

    subject: Sentence
    paragraphs: tuple[tuple[Sentence, ...], ...]


_HAPPENED: Mapping[NoticeKind, Sentence] = {
    NoticeKind.HELD: Sentence(says="Wave {wave} is HELD: {cause}"),
    NoticeKind.MISSED: Sentence(says="Wave {wave} was MISSED: {cause}"),
    NoticeKind.NEEDS_PERSON: Sentence(says="Wave {wave} NEEDS A PERSON: {cause}"),
    NoticeKind.ASSET_NEEDS_PERSON: Sentence(says="Wave {wave}: assets NEED A PERSON: {cause}"),
    NoticeKind.ROLLED_BACK: Sentence(says="Wave {wave} was rolled back, proven"),
    NoticeKind.NOT_STARTING: Sentence(says="Wave {wave} does not start although its window is open: {cause}"),
    NoticeKind.LAST_MOMENT: Sentence(says="Wave {wave}: the last moment to decide is near"),
    NoticeKind.UNDRIVEN: Sentence(says="Wave {wave}: NOBODY DRIVES, so it does not go on or start by itself"),
    NoticeKind.AT_DESK: Sentence(says="Wave {wave}: work at the desk waits: {cause}"),
    NoticeKind.OUTAGE: Sentence(says="Wave {wave}: {asset} has been out of service almost as long as allowed"),
}


def message_of(notice: Notice, case: WaveCase, *, then: tuple[Contact, datetime] | None, now: datetime) -> Message:
    """The message about a notice, from rows that are committed. ``then``: who is called next, and when."""
    view = view_of_case(case, now=now)
    facts = _facts(notice, case)
    happened = Sentence(says=_HAPPENED[notice.kind].says, facts=facts)
    subject = Sentence(says="[Kahn] {tenant}: {what}", facts={"tenant": notice.tenant, "what": happened})
    since = Sentence(
        says="Since {since}. Tenant {tenant}, notice {id}.",
        facts={"since": local(notice.at, case.content), "tenant": notice.tenant, "id": notice.id},
    )
    paragraphs = [(happened, since), _affected(notice, case, view)]
    if notice.kind not in INFORMS:
        paragraphs.append((Sentence(says="IF NOBODY ACTS:"), *view.if_nobody_acts, *_then(then, case)))
        paragraphs.append(_to_type(notice, view))
    if notice.kind is NoticeKind.AT_DESK:
        paragraphs.append((Sentence(says="What to do:"), _typed("kahn status --needs-me")))
    return Message(subject=subject, paragraphs=tuple(one for one in paragraphs if one))


def _facts(notice: Notice, case: WaveCase) -> dict[str, object]:
    names = {str(move.asset): move.name for move in case.content.moves}
    literal = notice.kind in (NoticeKind.NOT_STARTING, NoticeKind.AT_DESK)
    cause = notice.cause if literal else Sentence(says=cause_of(notice.cause).says)
    return {"wave": notice.wave, "cause": cause, "asset": names.get(notice.asset, notice.asset)}


def _affected(notice: Notice, case: WaveCase, view: WaveView) -> tuple[Sentence, ...]:
    """First the people, then the machines."""
    names = [line.name for line in view.not_well]
    lines = [
        Sentence(
            says="People who use an asset of the wave: {users}; of one that is in doubt: {doubt}.",
            facts={"users": view.users, "doubt": view.users_in_doubt},
        )
    ]
    if names and notice.kind is not NoticeKind.ROLLED_BACK:
        more = f" (+{len(names) - SHOWN})" if len(names) > SHOWN else ""
        shown = ", ".join(names[:SHOWN]) + more
        lines.append(Sentence(says="Not well ({count}): {names}.", facts={"count": len(names), "names": shown}))
    departments = sorted({line.department for line in view.not_well if line.department})
    if departments:
        lines.append(Sentence(says="Departments: {names}.", facts={"names": ", ".join(departments[:SHOWN])}))
    return tuple(lines)


def _then(then: tuple[Contact, datetime] | None, case: WaveCase) -> tuple[Sentence, ...]:
    if then is None:
        return ()
    facts = {"name": then[0].name, "at": local(then[1], case.content)}
    return (Sentence(says="If nobody acknowledges this, {name} is called at {at}.", facts=facts),)


def _to_type(notice: Notice, view: WaveView) -> tuple[Sentence, ...]:
    lines = [Sentence(says="What to do:"), _typed(f"kahn notice ack {notice.id}")]
    for decision in view.needs_you:
        lines += _of_decision(decision)
    if not view.needs_you:
        lines.append(_typed(f"kahn wave check {notice.wave}"))
    return tuple(lines)


def _of_decision(decision: Decision) -> list[Sentence]:
    lines = [decision.what]
    if decision.helps:
        lines.append(decision.helps)
    lines += decision.signed
    return lines + [_typed(command) for command in decision.commands]


def _typed(command: str) -> Sentence:
    return Sentence(says="  {command}", facts={"command": command})

"""A store that cannot be reached: what contacts are told then, without a single row of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from inventory.model import TenantId
from orchestrator.core.explain import Sentence
from orchestrator.core.notice_text import Message
from orchestrator.core.notices import Call, Notice, NoticeKind

CALL_AFTER = timedelta(seconds=60)
"""A restart of the database server is over before that, and nobody need be woken for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """That the store is away: since when, and what became of each contact's call."""

    since: datetime
    calls: tuple[Call, ...] = ()


class AwayMemory(Protocol):
    """Where that is remembered between two programs; it cannot be the store."""

    def recall(self) -> Away | None:
        """What is known; None when the store is not known to be away."""
        ...

    def keep(self, away: Away) -> None:
        """Remember it, if that is possible."""
        ...

    def forget(self) -> bool:
        """The store is back. False when somebody else has said so already."""
        ...


def away_notice(tenant: TenantId, *, since: datetime) -> Notice:
    """A notice that lives in memory only; nobody can acknowledge it before the store is back."""
    number = int(since.timestamp())
    return Notice(tenant=tenant, number=number, at=since, kind=NoticeKind.STORE_AWAY, wave="", revision=0)


def away_message(tenant: TenantId, *, since: datetime) -> Message:
    """What happened, what it means, and what to do."""
    happened = Sentence(
        says="The database of Kahn cannot be reached since {since}", facts={"since": f"{since:%Y-%m-%d %H:%M} UTC"}
    )
    return Message(
        subject=_subject(tenant, happened),
        paragraphs=(
            (happened,),
            (
                Sentence(says="Steps under way go on, and what they do is taken in once the database is back."),
                Sentence(says="No new step begins and no wave starts meanwhile; nobody can see how the waves stand."),
            ),
            (
                Sentence(says="IF NOBODY ACTS:"),
                Sentence(says="Nothing is lost; waves stand still until the database is back or their window ends."),
            ),
            (Sentence(says="What to do:"), Sentence(says="  Look at the database server, then: kahn doctor")),
        ),
    )


def back_message(tenant: TenantId, *, since: datetime, now: datetime) -> Message:
    """That it is over."""
    facts = {"minutes": max(1, round((now - since) / timedelta(minutes=1)))}
    happened = Sentence(says="The database of Kahn is back after {minutes} minutes", facts=facts)
    then = Sentence(says="What happened meanwhile is being taken in; waves go on where they were.")
    return Message(subject=_subject(tenant, happened), paragraphs=((happened,), (then,)))


def _subject(tenant: TenantId, happened: Sentence) -> Sentence:
    return Sentence(says="[Kahn] {tenant}: {what}", facts={"tenant": tenant, "what": happened})

"""What a message says, and that nothing in it can be mistaken for something else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from inventory.model import TenantId
from orchestrator.actions.call_people import letter_of
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.notice_text import message_of
from orchestrator.core.notices import INFORMS, OF_WAVES, Contact, Letter, Notice, NoticeKind
from orchestrator.core.places import WaveCase
from orchestrator.core.progress import at_start
from orchestrator.core.wave import WaveContent
from tests.orchestrator.core.builders import a_wave

CONTENT = a_wave()
NOW = CONTENT.window.opens
WACHE = Contact(tenant=TenantId("stadt"), name="wache", channel="mail", to="w@stadt.example")
CHIEF = replace(WACHE, name="leitung", after_min=15)


def letter(kind: NoticeKind, *, content: WaveContent = CONTENT, language: str = "en", **changes: str) -> Letter:
    first = content.moves[0].asset
    start = at_start(content)
    stuck = replace(start.moves[first], state=MoveState.NEEDS_PERSON, cause="undo_failed", since=NOW)
    held = replace(start, state=WaveState.HELD, cause="budget_spent", since=NOW, moves={**start.moves, first: stuck})
    cause = changes.get("cause", "budget_spent")
    told = Notice(tenant=WACHE.tenant, number=7, at=NOW, kind=kind, wave=content.key, revision=1)
    notice = replace(told, cause=cause, asset=str(first))
    case = WaveCase(content=content, progress=held, standing=None)
    message = message_of(notice, case, then=(CHIEF, NOW + timedelta(minutes=15)), now=NOW)
    return letter_of(notice, replace(WACHE, language=language), message)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("kind", OF_WAVES)
def test_every_kind_has_its_message_in_both_languages(kind: NoticeKind, language: str) -> None:
    found = letter(kind, language=language)
    assert "{" not in found.subject + found.text
    assert CONTENT.key in found.subject and found.id in found.text
    if kind not in INFORMS:
        assert "kahn notice ack stadt-7" in found.text and "leitung" in found.text


def test_it_says_what_happened_who_is_affected_what_comes_and_what_to_type() -> None:
    text = letter(NoticeKind.HELD).text
    wanted = ("is HELD: more went wrong", "People who use", "IF NOBODY ACTS:", "What to do:", "kahn wave rollback")
    assert [text.index(one) for one in wanted] == sorted(text.index(one) for one in wanted)


HOSTILE = "apc\r\nBcc: x@y.example\x1b]0;owned\x07{cause}\u202egpj"


def test_a_hostile_name_stays_one_harmless_line() -> None:
    first, *rest = CONTENT.moves
    content = replace(CONTENT, moves=(replace(first, name=HOSTILE, department=HOSTILE), *rest))
    found = letter(NoticeKind.OUTAGE, content=content, cause=HOSTILE)
    assert found.subject.isprintable() and len(found.subject) <= 150
    assert all(line.isprintable() for line in found.text.split("\n"))
    assert not any(line.startswith("Bcc:") for line in found.text.split("\n"))


def test_many_assets_are_counted_and_the_first_named() -> None:
    text = letter(NoticeKind.HELD).text
    assert "Not well (1): " in text

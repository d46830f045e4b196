"""What contacts are told when not a single row can be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from inventory.model import TenantId
from orchestrator.actions.call_people import letter_of
from orchestrator.core.notices import Contact
from orchestrator.core.store_away import away_message, away_notice, back_message

SINCE = datetime(2026, 12, 1, 2, 8, tzinfo=UTC)
STADT = TenantId("stadt")
WACHE = Contact(tenant=STADT, name="wache", channel="mail", to="w@stadt.example")


@pytest.mark.parametrize(("language", "away"), [("en", "cannot be reached"), ("de", "nicht erreichbar")])
def test_the_message_says_what_goes_on_what_stands_and_what_to_do(language: str, away: str) -> None:
    notice = away_notice(STADT, since=SINCE)
    letter = letter_of(notice, replace(WACHE, language=language), away_message(STADT, since=SINCE))
    assert away in letter.subject and "kahn doctor" in letter.text and "{" not in letter.text
    assert letter.id == away_notice(STADT, since=SINCE).id


def test_the_end_is_told_with_its_length() -> None:
    message = back_message(STADT, since=SINCE, now=SINCE + timedelta(minutes=61))
    assert "back after 61 minutes" in message.subject.text

"""From a change of a state to the message that tells of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.actions.call_people import (
    Errand,
    Round,
    UnknownNotice,
    acknowledge,
    close_over,
    look_at_notices,
    note_call,
)
from orchestrator.actions.record import change_wave
from orchestrator.core.lifecycle import WaveEvent
from orchestrator.core.notices import Contact, NoticeKind
from orchestrator.core.runbook import Direction
from tests.copied_towns import a_town, by_hand
from tests.simulated_runs import Fault
from tests.towns import STADT, Town

WACHE = Contact(tenant=STADT, name="wache", channel="mail", to="wache@stadt.example", language="de")
CHIEF = replace(WACHE, name="leitung", language="en", after_min=15)


def never_taken_back(asset: str, step: str, direction: Direction) -> str:
    """One asset fails, and its rollback too."""
    bad = direction in (Direction.DO, Direction.UNDO) and asset == "apc-001-id"
    return "failed" if bad and step not in ("look", "preflight") else ""


def a_stuck_town(folder: Path, fault: Fault = never_taken_back) -> Town:
    town = a_town(folder, "started", fault=fault)
    town.drive()
    return town


def a_held_town(folder: Path) -> Town:
    town = a_town(folder, "started")
    hold(town)
    return town


def hold(town: Town, event: WaveEvent = WaveEvent.HOLD) -> None:
    with town.outside().desk() as desk:
        change_wave(desk, desk.books.waves.get(STADT, "W01"), event, cause="budget_spent")


def look(town: Town, *contacts: Contact) -> Round:
    with town.outside().look() as desk:
        return look_at_notices(desk, lambda tenant: contacts if tenant == STADT else ())


def note(town: Town, errand: Errand, trouble: str = "") -> None:
    with town.outside().desk() as desk:
        note_call(desk, errand, trouble=trouble)


def test_a_held_wave_calls_the_first_contact_in_their_language_with_what_to_type(tmp_path: Path) -> None:
    town = a_held_town(tmp_path)
    (errand,) = look(town, CHIEF, WACHE).errands
    letter = errand.letter
    assert errand.contact == WACHE
    assert letter.subject.startswith("[Kahn] stadt: Welle W01 ist ANGEHALTEN")
    assert "WENN NIEMAND HANDELT" in letter.text and "leitung" in letter.text
    assert f"kahn notice ack {letter.id}" in letter.text
    assert "kahn wave resume W01 --reason REASON" in letter.text
    assert letter.id == f"stadt-{errand.notice.number}"


def test_after_silence_the_next_one_is_called_in_english(tmp_path: Path) -> None:
    town = a_held_town(tmp_path)
    note(town, look(town, WACHE, CHIEF).errands[0])
    assert look(town, WACHE, CHIEF).errands == ()
    town.clock.moment += timedelta(minutes=15)
    (errand,) = look(town, WACHE, CHIEF).errands
    assert errand.contact == CHIEF and "Wave W01 is HELD" in errand.letter.subject


def test_an_asset_that_nobody_can_take_back_is_named_with_its_users_and_commands(tmp_path: Path) -> None:
    town = a_stuck_town(tmp_path)
    kinds = {errand.notice.kind: errand.letter for errand in look(town, CHIEF).errands}
    letter = kinds[NoticeKind.ASSET_NEEDS_PERSON]
    assert "apc-001" in letter.text and "kahn wave rollback W01 -- apc-001" in letter.text
    assert "stays exactly as it is until a person acts" in letter.text


def test_once_the_wave_goes_on_nobody_is_called_any_more(tmp_path: Path) -> None:
    town = a_held_town(tmp_path)
    hold(town, WaveEvent.RESUME)
    found = look(town, WACHE)
    assert found.errands == () and len(found.over) == 1
    with town.outside().desk() as desk:
        close_over(desk, found.over)
    assert look(town, WACHE) == Round()


def test_an_acknowledgement_stops_the_calls_and_is_written_down(tmp_path: Path) -> None:
    town = a_held_town(tmp_path)
    (errand,) = look(town, WACHE).errands
    with town.outside().desk() as desk:
        bert = desk.books.people.find(STADT, "bert").id
        acknowledge(desk, STADT, errand.notice.id, person=bert)
    assert look(town, WACHE, CHIEF) == Round()
    with town.store.reading() as books:
        entry = books.journal.read(STADT, subject="wave:W01")[-1].entry
    assert (entry.kind, entry.by) == ("notice.acknowledged", bert)


@pytest.mark.parametrize("name", ["stadt-99999", "other-1", "", "stadt-1; drop", "١"])
def test_a_notice_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    town = a_held_town(tmp_path)
    with pytest.raises(UnknownNotice), town.outside().desk() as desk:
        acknowledge(desk, STADT, name, person=desk.books.people.find(STADT, "bert").id)


def test_a_delivered_call_stands_in_the_journal_once(tmp_path: Path) -> None:
    town = a_held_town(tmp_path)
    (errand,) = look(town, WACHE).errands
    note(town, errand, "refused")
    note(town, errand)
    note(town, errand)
    with town.store.reading() as books:
        entries = [one.entry for one in books.journal.read(STADT, subject="wave:W01")]
    delivered = [one.body for one in entries if one.kind == "notice.delivered"]
    assert delivered == [{"notice": errand.notice.number, "contact": "wache", "channel": "mail", "tries": 2}]


def test_a_wave_that_cannot_be_read_is_told_and_holds_no_other_up(tmp_path: Path) -> None:
    town = a_held_town(tmp_path)
    by_hand(town, "DROP TRIGGER keep_wave_revision_update")
    by_hand(town, "UPDATE wave_revision SET canonical = X'7B7D'")
    found = look(town, WACHE)
    assert found.errands == () and len(found.troubles) == 1

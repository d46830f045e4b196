"""Who is called when: at once, after silence, when others cannot be reached; and when nobody is called any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.model import TenantId
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.notices import (
    GAPS_S,
    GIVE_WAY,
    Call,
    Contact,
    Notice,
    NoticeKind,
    call_after,
    contacts_due,
    is_over,
    next_call_after,
    notice_kind,
    says_the_same,
    told,
)

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
STADT = TenantId("stadt")
FIRST = Contact(tenant=STADT, name="bereitschaft", channel="mail", to="a@stadt.example")
SECOND = Contact(tenant=STADT, name="leitung", channel="pager", to="1", after_min=15)
BOTH = (SECOND, FIRST)


def a_notice(**changes: object) -> Notice:
    notice = Notice(tenant=STADT, number=7, at=NOW, kind=NoticeKind.HELD, wave="W01", revision=1, cause="budget_spent")
    return replace(notice, **changes)  # type: ignore[arg-type]


def due(notice: Notice, *calls: Call, after: int = 0) -> list[str]:
    return [one.name for one in contacts_due(notice, BOTH, calls, now=NOW + timedelta(minutes=after))]


def delivered(contact: Contact) -> Call:
    return call_after(a_notice(), contact, None, trouble="", now=NOW)


def test_the_first_contact_is_called_at_once_and_only_once() -> None:
    assert due(a_notice()) == ["bereitschaft"]
    assert due(a_notice(), delivered(FIRST)) == []


def test_after_the_agreed_silence_the_next_one_is_called() -> None:
    assert due(a_notice(), delivered(FIRST), after=14) == []
    assert due(a_notice(), delivered(FIRST), after=15) == ["leitung"]


def test_who_has_acknowledged_spares_the_others() -> None:
    assert due(a_notice(closed_at=NOW, closed_by="p-1"), after=60) == []


def test_when_the_first_cannot_be_reached_the_next_is_called_at_once() -> None:
    call: Call | None = None
    for _ in range(GIVE_WAY):
        call = call_after(a_notice(), FIRST, call, trouble="refused", now=NOW)
    assert call is not None and due(a_notice(), call) == ["leitung"]


def test_a_failed_call_is_tried_again_after_growing_gaps_without_end() -> None:
    call: Call | None = None
    gaps = []
    for _ in range(len(GAPS_S) + 2):
        call = call_after(a_notice(), FIRST, call, trouble="refused", now=NOW)
        gaps.append((call.next_at - NOW).total_seconds())
    assert gaps == [*GAPS_S, GAPS_S[-1], GAPS_S[-1]] and sorted(gaps) == gaps


def test_what_only_informs_is_told_to_one_and_then_over() -> None:
    notice = a_notice(kind=NoticeKind.ROLLED_BACK)
    assert due(notice, delivered(FIRST), after=600) == []
    assert told(notice, [delivered(FIRST)]) and not told(a_notice(), [delivered(FIRST)])
    assert next_call_after(notice, BOTH, FIRST) is None


def test_a_message_names_who_is_called_next_and_when() -> None:
    assert next_call_after(a_notice(), BOTH, FIRST) == (SECOND, NOW + timedelta(minutes=15))
    assert next_call_after(a_notice(), BOTH, SECOND) is None


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("wave.state", {"to": "held"}, NoticeKind.HELD),
        ("wave.state", {"to": "missed"}, NoticeKind.MISSED),
        ("wave.state", {"to": "needs_person"}, NoticeKind.NEEDS_PERSON),
        ("wave.state", {"to": "rolled_back"}, NoticeKind.ROLLED_BACK),
        ("wave.state", {"to": "running"}, None),
        ("move.state", {"to": "needs_person"}, NoticeKind.ASSET_NEEDS_PERSON),
        ("move.state", {"to": "held"}, None),
        ("wave.alarm", {"alarm": "outage"}, NoticeKind.OUTAGE),
        ("run.intended", {"at_desk": "exchange"}, NoticeKind.AT_DESK),
        ("run.intended", {"step": "copy"}, None),
        ("run.intended", {}, None),
    ],
)
def test_these_entries_call_somebody(kind: str, body: dict[str, str], expected: NoticeKind | None) -> None:
    assert notice_kind(kind, body) == expected


def over(notice: Notice, *, state: WaveState, moves: dict[str, MoveState] | None = None, waits: str = "") -> bool:
    return is_over(notice, revision=1, state=state, moves=moves or {}, waits=frozenset({waits} - {""}))


def test_a_notice_is_over_once_the_wave_went_on_or_was_planned_again() -> None:
    assert not over(a_notice(), state=WaveState.HELD)
    assert over(a_notice(), state=WaveState.RUNNING)
    assert over(a_notice(revision=0), state=WaveState.HELD)


def test_assets_that_still_wait_keep_their_notice_open() -> None:
    notice = a_notice(kind=NoticeKind.ASSET_NEEDS_PERSON, cause="undo_failed")
    assert not over(notice, state=WaveState.RUNNING, waits="undo_failed")
    assert over(notice, state=WaveState.RUNNING, waits="other")


def test_an_outage_is_over_when_its_asset_is_moved_or_as_before() -> None:
    notice = a_notice(kind=NoticeKind.OUTAGE, asset="a1")
    assert not over(notice, state=WaveState.HELD, moves={"a1": MoveState.HELD})
    assert over(notice, state=WaveState.RUNNING, moves={"a1": MoveState.ROLLED_BACK})


def test_fifty_assets_stuck_by_one_cause_are_one_notice() -> None:
    stuck = a_notice(kind=NoticeKind.ASSET_NEEDS_PERSON, asset="a1")
    assert says_the_same(replace(stuck, number=8, asset="a2"), stuck)
    assert not says_the_same(replace(stuck, cause="other"), stuck)
    assert not says_the_same(a_notice(number=9), a_notice())


@given(
    st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=5),
    st.lists(st.integers(0, 120), min_size=1, max_size=40),
)
def test_whatever_fails_nobody_is_called_twice_and_somebody_is_always_due_or_waited_for(
    contacts: list[tuple[int, bool]], minutes: list[int]
) -> None:
    """Deliveries as seldom as chance has it: a delivered call is never repeated, and a failed one never forgotten."""
    people = [replace(FIRST, name=f"c{n}", after_min=after) for n, (after, _works) in enumerate(contacts)]
    works = {f"c{n}": works for n, (_after, works) in enumerate(contacts)}
    calls: dict[str, Call] = {}
    for minute in sorted(minutes):
        now = NOW + timedelta(minutes=minute)
        for one in contacts_due(a_notice(), people, tuple(calls.values()), now=now):
            before = calls.get(one.name)
            assert before is None or before.delivered_at is None
            trouble = "" if works[one.name] else "refused"
            calls[one.name] = call_after(a_notice(), one, before, trouble=trouble, now=now)
    if people:
        assert calls, "the first contact is called whenever anybody looks"
    late = NOW + timedelta(minutes=10_000)
    left = {one.name for one in contacts_due(a_notice(), people, tuple(calls.values()), now=late)}
    assert left == {name for name in works if name not in calls or calls[name].delivered_at is None}

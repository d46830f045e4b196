"""Notices and calls as they are kept. On both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.notices import Call, Notice, NoticeKind
from orchestrator.ports import Books, Entry
from tests.databases import database_url, store
from tests.orchestrator.adapters.builders import NOW, TOWN, a_town

__all__ = ["database_url", "store"]


def put(books: Books, **changes: object) -> Notice:
    (sealed,) = books.journal.append(TOWN, [Entry(kind="wave.state", subject="wave:W01", body={})], at=NOW)
    notice = Notice(tenant=TOWN, number=sealed.seq, at=NOW, kind=NoticeKind.HELD, wave="W01", revision=1, cause="c")
    notice = replace(notice, **changes)  # type: ignore[arg-type]
    books.notices.put(notice)
    return notice


def a_call(notice: Notice, *, tries: int = 1, trouble: str = "refused", delivered: bool = False) -> Call:
    return Call(
        tenant=TOWN,
        number=notice.number,
        contact="wache",
        tries=tries,
        next_at=NOW + timedelta(seconds=15),
        delivered_at=NOW if delivered else None,
        trouble=trouble,
    )


def test_a_notice_is_open_until_somebody_closes_it_once(store: DatabaseStore) -> None:
    with store.transaction() as books:
        a_town(books)
        first, second = put(books), put(books)
        assert books.notices.open() == (first, second)
        assert books.notices.close(first, by="p-1", at=NOW)
        assert not books.notices.close(first, by="p-2", at=NOW)
    with store.reading() as books:
        assert books.notices.open() == (second,)
        assert [one.closed_by for one in books.notices.all(TOWN)] == ["", "p-1"]
        assert len(books.notices.of_wave(TOWN, "W01", 1)) == 2
        assert books.notices.of_wave(TOWN, "W01", 2) == ()


def test_a_change_that_is_not_committed_calls_nobody(store: DatabaseStore) -> None:
    with store.transaction() as books:
        a_town(books)
    with pytest.raises(KeyboardInterrupt), store.transaction() as books:
        put(books)
        raise KeyboardInterrupt
    with store.reading() as books:
        assert books.notices.open() == ()


def test_what_an_open_notice_says_already_is_not_said_again(store: DatabaseStore) -> None:
    stuck = {"kind": NoticeKind.ASSET_NEEDS_PERSON, "cause": "undo_failed"}
    with store.transaction() as books:
        a_town(books)
        first = put(books, asset="a1", **stuck)
        put(books, asset="a2", **stuck)
        other = put(books, asset="a3", **{**stuck, "cause": "still_on"})
        assert books.notices.open() == (first, other)
        books.notices.close(first, by="p-1", at=NOW)
        again = put(books, asset="a4", **stuck)
        assert books.notices.open() == (other, again)


def test_a_call_that_was_delivered_stays_delivered(store: DatabaseStore) -> None:
    with store.transaction() as books:
        a_town(books)
        notice = put(books)
        books.notices.note(a_call(notice))
        books.notices.note(a_call(notice, tries=2, trouble="", delivered=True))
        books.notices.note(a_call(notice, tries=3, trouble="late failure of a call that hung"))
    with store.reading() as books:
        (call,) = books.notices.calls(TOWN, notice.number)
        assert (call.tries, call.trouble, call.delivered_at) == (2, "", NOW)

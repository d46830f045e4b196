"""The journal keeps every entry, in order, in one chain per tenant that nobody changes unseen. On both databases."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from inventory.model import TenantId
from inventory.store import UnknownTenant
from inventory.tables import UnstorableText
from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.journal_book import GENESIS, JournalBook
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.policy import Policy
from orchestrator.core.refusals import EntryRefused
from orchestrator.ports import ChainVerdict, Entry, SealedEntry
from tests.orchestrator.adapters.builders import NOW, TOWN

GUARDED = ("journal", "journal_text")


@pytest.fixture
def written(store: DatabaseStore) -> DatabaseStore:
    """A tenant with five entries, the third with a free text."""
    with store.transaction() as books:
        books.tenants.add(TOWN, policy=Policy())
        books.journal.append(TOWN, [_entry(number) for number in (1, 2)], at=NOW)
        books.journal.append(TOWN, [_entry(3, reason="Herr Schmidt is ill")], at=NOW)
        books.journal.append(TOWN, [_entry(number) for number in (4, 5)], at=NOW)
    return store


def _entry(number: int, **texts: str) -> Entry:
    return Entry(kind="wave.approved", subject=f"wave:W{number % 2}", body={"number": number}, by="p-1", texts=texts)


def _read(store: DatabaseStore, **where: Any) -> tuple[SealedEntry, ...]:
    with store.reading() as books:
        return books.journal.read(TOWN, **where)


def _verdict(store: DatabaseStore) -> ChainVerdict:
    with store.reading() as books:
        return books.journal.verify(TOWN)


def _by_hand(url: str, *statements: str, guards: bool = True) -> None:
    """What somebody with the database's password may do; without guards, after taking the triggers away."""
    with engine_for(parsed(url)).begin() as connection:
        for table in () if guards else GUARDED:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
                continue
            for name in connection.scalars(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"), {"table": table}
            ).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements:
            connection.execute(text(statement))


def test_entries_come_back_in_order_as_they_were_written(written: DatabaseStore) -> None:
    entries = _read(written)
    assert [one.seq for one in entries] == [1, 2, 3, 4, 5]
    assert [one.entry.body["number"] for one in entries] == [1, 2, 3, 4, 5]
    assert entries[2].entry == _entry(3, reason="Herr Schmidt is ill")
    assert {one.at for one in entries} == {NOW}


def test_reading_can_start_after_a_number_and_keep_to_one_subject(written: DatabaseStore) -> None:
    assert [one.seq for one in _read(written, after=3)] == [4, 5]
    assert [one.seq for one in _read(written, subject="wave:W1")] == [1, 3, 5]
    assert [one.seq for one in _read(written, subject="wave:W1", after=3)] == [5]


def test_each_entry_names_the_hash_of_the_one_before_and_the_first_names_zeros(written: DatabaseStore) -> None:
    entries = _read(written)
    assert [one.previous for one in entries] == [GENESIS, *(one.hash for one in entries[:-1])]


def test_the_hash_is_over_the_canonical_bytes_of_version_1(store: DatabaseStore, database_url: str) -> None:
    with store.transaction() as books:
        books.tenants.add(TOWN, policy=Policy())
        sealed = books.journal.append(TOWN, [Entry(kind="k", subject="s", body={"b": 2.0, "a": "ü"})], at=NOW)
    expected = (
        '{"at_us":1796072400123456,"body":{"a":"ü","b":2},"by":"kahn","kind":"k","previous":"' + GENESIS + '",'
        '"seq":1,"subject":"s","tenant":"town","texts":{},"v":1}'
    ).encode()
    assert sealed[0].hash == hashlib.sha256(expected).hexdigest()


def test_the_chain_of_an_untouched_journal_is_whole(written: DatabaseStore) -> None:
    assert _verdict(written) == ChainVerdict(entries=5, broken_at=0, head=_read(written)[-1].hash)


def test_a_tenant_without_entries_has_a_whole_chain(store: DatabaseStore) -> None:
    with store.transaction() as books:
        books.tenants.add(TOWN, policy=Policy())
    assert _verdict(store) == ChainVerdict(entries=0, broken_at=0, head=GENESIS)


def test_every_tenant_has_a_chain_of_its_own(written: DatabaseStore) -> None:
    other = TenantId("other")
    with written.transaction() as books:
        books.tenants.add(other, policy=Policy())
        sealed = books.journal.append(other, [_entry(1)], at=NOW)
        assert books.journal.verify(other).entries == 1
    assert (sealed[0].seq, sealed[0].previous) == (1, GENESIS)
    assert len(_read(written)) == 5


@pytest.mark.parametrize("table", ["journal", "journal_text"])
@pytest.mark.parametrize("act", ["UPDATE {} SET seq = seq + 10", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_or_delete_entries(
    written: DatabaseStore, database_url: str, table: str, act: str
) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        _by_hand(database_url, act.format(table))
    assert _verdict(written).broken_at == 0


def test_the_database_itself_refuses_to_put_another_text_in_place(written: DatabaseStore, database_url: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        _by_hand(database_url, "UPDATE journal_text SET text = 'all was well'")


def test_replacing_an_entry_counts_as_deleting_it(written: DatabaseStore, database_url: str) -> None:
    if database_url.startswith("postgresql"):
        return  # it has no such statement
    with pytest.raises(DBAPIError, match="append-only"):
        _by_hand(database_url, "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE seq = 2")


@pytest.mark.parametrize(
    ("tampering", "broken_at"),
    [
        ("UPDATE journal SET kind = 'wave.refused' WHERE seq = 4", 4),
        ("UPDATE journal SET subject = 'wave:W9' WHERE seq = 2", 2),
        ("UPDATE journal SET at_us = at_us + 1 WHERE seq = 2", 2),
        ("UPDATE journal SET hash = '{other}' WHERE seq = 3", 3),
        ("UPDATE journal SET previous = '{other}' WHERE seq = 3", 3),
        ("UPDATE journal SET canonical = {bytes} WHERE seq = 1", 1),
        ("DELETE FROM journal WHERE seq = 2", 2),
        ("DELETE FROM journal WHERE seq = 1", 1),
        ("DELETE FROM journal WHERE seq = 5", 5),
        ("UPDATE journal SET seq = 9 WHERE seq = 5", 5),
        ("UPDATE journal_text SET text = 'all was well'", 3),
        ("DELETE FROM journal_text", 3),
        ("UPDATE journal_head SET seq = 4", 6),
    ],
)
def test_tampering_by_hand_is_found_at_its_place(
    written: DatabaseStore, database_url: str, tampering: str, broken_at: int
) -> None:
    as_bytes = "'\\x7b7d'::bytea" if database_url.startswith("postgresql") else "x'7b7d'"
    _by_hand(database_url, tampering.format(other="a" * 64, bytes=as_bytes), guards=False)
    verdict = _verdict(written)
    assert verdict.broken_at == broken_at
    assert verdict.why


def test_an_entry_rewritten_with_its_hash_breaks_the_next_link(written: DatabaseStore, database_url: str) -> None:
    entry = _read(written)[1]
    forged = _canonical(written, 2).replace('"number":2', '"number":7')
    digest = hashlib.sha256(forged.encode()).hexdigest()
    as_bytes = f"'\\x{forged.encode().hex()}'::bytea"
    if database_url.startswith("sqlite"):
        as_bytes = f"x'{forged.encode().hex()}'"
    _by_hand(database_url, f"UPDATE journal SET canonical = {as_bytes}, hash = '{digest}' WHERE seq = 2", guards=False)
    assert entry.hash != digest
    assert _verdict(written).broken_at == 3


def _canonical(store: DatabaseStore, seq: int) -> str:
    with store.reading() as books:
        assert isinstance(books.journal, JournalBook)
        return str(json.loads(list(books.journal.export(TOWN))[seq - 1])["canonical"])


def test_a_redacted_text_is_gone_and_the_chain_stays_whole(written: DatabaseStore, database_url: str) -> None:
    with written.transaction() as books:
        books.journal.redact(TOWN, seq=3, name="reason")
    assert _read(written)[2].entry.texts == {}
    assert _verdict(written).broken_at == 0
    with engine_for(parsed(database_url)).connect() as connection:
        assert connection.execute(text("SELECT text, salt FROM journal_text")).all() == [(None, None)]


def test_a_redacted_text_leaves_no_trace_in_a_sqlite_file(tmp_path: Any) -> None:
    """Also not as free space: with the salt gone, its hash cannot be guessed back."""
    store = DatabaseStore.create_or_upgrade(f"sqlite:///{tmp_path}/kahn.db")
    with store.transaction() as books:
        books.tenants.add(TOWN, policy=Policy())
        books.journal.append(TOWN, [_entry(1, reason="Herr Schmidt is ill")], at=NOW)
    with store.transaction() as books:
        books.journal.redact(TOWN, seq=1, name="reason")
    store.close()
    assert not any(b"Schmidt" in file.read_bytes() for file in tmp_path.iterdir())


def test_redacting_what_is_not_there_is_refused(written: DatabaseStore) -> None:
    with pytest.raises(EntryRefused, match="no text 'reason'"), written.transaction() as books:
        books.journal.redact(TOWN, seq=2, name="reason")


def test_equal_texts_have_different_hashes(store: DatabaseStore) -> None:
    """Otherwise a short text could be guessed back from its hash after it was redacted."""
    with store.transaction() as books:
        books.tenants.add(TOWN, policy=Policy())
        books.journal.append(TOWN, [_entry(1, reason="ill"), _entry(2, reason="ill")], at=NOW)
    first, second = (json.loads(_canonical(store, seq))["texts"]["reason"] for seq in (1, 2))
    assert first != second


def test_an_unknown_tenant_has_no_journal(store: DatabaseStore) -> None:
    with pytest.raises(UnknownTenant), store.transaction() as books:
        books.journal.append(TOWN, [_entry(1)], at=NOW)
    assert _read(store) == ()


HOSTILE = [
    "", "🚢" * 1000, "'; DROP TABLE journal; --", "x" * 1_000_000, "a\tb\nc\r\n", "\u202egnp", "{{ 7*7 }}", "\\u0000",
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_comes_back_unchanged(store: DatabaseStore, hostile: str) -> None:
    with store.transaction() as books:
        books.tenants.add(TOWN, policy=Policy())
        books.journal.append(TOWN, [Entry(kind="k", subject="s", body={"a": hostile}, texts={"t": hostile})], at=NOW)
    read = _read(store)[0].entry
    assert (read.body["a"], read.texts["t"]) == (hostile, hostile)
    assert _verdict(store).broken_at == 0


@pytest.mark.parametrize("unstorable", ["a\0b", "\ud800"])
def test_text_that_no_database_can_hold_is_refused_and_nothing_is_written(
    written: DatabaseStore, unstorable: str
) -> None:
    for entry in (_entry(6, reason=unstorable), Entry(kind=unstorable, subject="s", body={})):
        with pytest.raises(UnstorableText, match="STO-014"), written.transaction() as books:
            books.journal.append(TOWN, [_entry(6), entry], at=NOW)
    assert len(_read(written)) == 5


@pytest.mark.parametrize("body", [{"a": float("nan")}, {"a": 2**60}, {"a": 2.0**60}, {"a": "\ud800"}, {"a": object()}])
def test_a_body_without_canonical_form_is_refused(written: DatabaseStore, body: dict[str, object]) -> None:
    with pytest.raises(EntryRefused, match="STO-019"), written.transaction() as books:
        books.journal.append(TOWN, [Entry(kind="k", subject="s", body=body)], at=NOW)
    assert len(_read(written)) == 5


def test_a_word_that_would_not_fit_an_index_is_refused(written: DatabaseStore) -> None:
    with pytest.raises(EntryRefused, match="longer than"), written.transaction() as books:
        books.journal.append(TOWN, [Entry(kind="k", subject="s" * 4_000, body={})], at=NOW)


_texts = st.text(st.characters(exclude_categories=["Cs"]))
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner),
    max_leaves=8,
)


@given(body=st.dictionaries(_texts, _json, max_size=4))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_body_comes_back_in_a_whole_chain_or_is_refused(store: DatabaseStore, body: dict[str, Any]) -> None:
    with store.transaction() as books:
        if not books.tenants.all():
            books.tenants.add(TOWN, policy=Policy())
        with suppress(EntryRefused):
            sealed = books.journal.append(TOWN, [Entry(kind="k", subject="s", body=body)], at=NOW)
            assert books.journal.read(TOWN, after=sealed[0].seq - 1)[0].entry.body == body
        assert books.journal.verify(TOWN).broken_at == 0

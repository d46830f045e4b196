"""Names and values in statements are quoted or refused, and come back as they were."""

from __future__ import annotations

import pytest

from tests.playbooks.modules import cause, shared

words = shared("kahn_mariadb_words")


@pytest.mark.parametrize("name", ["a`; drop database x", "a'b", "back\\slash", "ÄÖ"])
def test_names_and_texts_are_quoted(name: str) -> None:
    assert words.quoted(name).count("`") == 2 + 2 * name.count("`")
    assert words.text(name).count("'") == 2 + 2 * name.count("'")


def test_what_no_statement_can_hold_is_refused() -> None:
    for bad in ("", "a\0b", "x" * 65):
        assert cause(words.quoted, bad) == "parcel_damaged"
    assert cause(words.text, "a\0b") == "parcel_damaged"


def test_values_of_a_row_come_back_as_they_were() -> None:
    assert words.value_of("NULL") is None
    assert words.value_of("a\\tb\\nc\\\\nd") == "a\tb\nc\\nd"


@pytest.mark.parametrize(
    ("said", "cause_of_it"),
    [
        (b"ERROR 2002 (HY000): Can't connect to local server through socket", "database_away"),
        (b"ERROR 1049 (42000): Unknown database 'x'", "database_missing"),
        (b"ERROR 1114 (HY000): The table 'payment' is full", "disk_full"),
        (b"ERROR 1064 (42000): You have an error", "database_failed"),
    ],
)
def test_a_programs_last_words_tell_the_cause(said: bytes, cause_of_it: str) -> None:
    assert words.trouble_of("wohngeld", said).cause == cause_of_it


def test_the_digest_of_rows_knows_no_order_but_null_from_nothing() -> None:
    assert words.digest_of([["a", None], ["b", ""]]) == words.digest_of([["b", ""], ["a", None]])
    assert words.digest_of([["a", None]]) != words.digest_of([["a", ""]])

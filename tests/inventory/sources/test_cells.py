"""Bytes of a CSV file to rows of text."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.errors import ExpectedError
from inventory.sources.cells import decoded, rows_of
from inventory.sources.limits import BrokenFile, FileUnreadable, TooMuch

PATH = Path("list.csv")
TEXT = "Rechner;Raum\r\nBüro;1\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_encoding_an_office_writes_is_recognised(encoding: str) -> None:
    assert decoded(PATH, TEXT.encode(encoding)) == TEXT


def test_a_file_glued_together_from_two_encodings_is_refused_naming_a_line_of_each() -> None:
    with pytest.raises(FileUnreadable) as raised:
        decoded(PATH, "Büro\n".encode() + "Küche\n".encode("cp1252"))
    assert "line 1" in str(raised.value) and "line 2" in str(raised.value)


@pytest.mark.parametrize(
    "content", [b"a\0b\n", "a\0b".encode("utf-16"), b"\xff\xfe\x00\xd8", b"\x81\x8d\x8f", b"\xef\xbb\xbf\xff"]
)
def test_what_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(ExpectedError):
        decoded(PATH, content)


def test_a_start_may_end_in_the_middle_of_a_character() -> None:
    assert decoded(PATH, "Büro".encode()[:2], is_start=True) == "B"


def test_cells_lose_blanks_around_them_and_the_guard_against_formulas() -> None:
    assert list(rows_of(PATH, "a ; 'b'; '=1+1\n", ";")) == [("a", "'b'", "=1+1")]


def test_a_quotation_mark_that_does_not_end_is_refused_with_its_row() -> None:
    with pytest.raises(BrokenFile) as raised:
        list(rows_of(PATH, 'a;b\n1;2\n"3;4\n5;6\n', ";"))
    assert "row 3" in str(raised.value)


def test_a_cell_of_ten_megabytes_is_refused() -> None:
    with pytest.raises(BrokenFile):
        list(rows_of(PATH, "a;" + "x" * 10_000_000, ";"))


def test_a_row_of_a_hundred_thousand_columns_is_refused() -> None:
    with pytest.raises(TooMuch):
        list(rows_of(PATH, ";" * 100_000, ";"))


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.sources.cells.MAX_ROWS", 3)
    assert len(list(rows_of(PATH, "a\n" * 3, ";"))) == 3
    with pytest.raises(TooMuch):
        list(rows_of(PATH, "a\n" * 4, ";"))

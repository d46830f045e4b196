"""Bytes of a CSV file to rows of text: encoding, separator, quotes and limits, the same for every CSV format."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path

from inventory.errors import because
from inventory.observation import Place
from inventory.rejects import without_guard
from inventory.sources.limits import MAX_COLUMNS, MAX_ROWS, BrokenFile, FileUnreadable, TooMuch

SEPARATORS = (";", ",", "\t")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

_MOST_KNOWN = 20_000
"""Texts of one file that are kept once; a column in which each differs fills this and then costs no more."""

Row = tuple[str, ...]


def decoded(path: Path, content: bytes, *, is_start: bool = False) -> str:
    """The text of the file: UTF-8, UTF-16 or, where neither fits, Windows-1252. Raises FileUnreadable or BrokenFile.

    ``is_start`` says that the content may end in the middle of a character.
    """
    text = _with_marked_encoding(path, content, is_start=is_start)
    if text is None:
        text = _unmarked(path, content, is_start=is_start)
    if "\0" in text:
        raise BrokenFile(place=Place(file=str(path), row=text[: text.index("\0")].count("\n") + 1), why="it holds NUL")
    return text


def _with_marked_encoding(path: Path, content: bytes, *, is_start: bool) -> str | None:
    encoding, skip = next(((name, len(mark)) for mark, name in _BOMS if content.startswith(mark)), ("", 0))
    if not encoding:
        half = content[:4096]
        odd, even = half[1::2].count(0), half[::2].count(0)
        encoding = "utf-16-le" if odd > len(half) // 4 > even else "utf-16-be" if even > len(half) // 4 > odd else ""
    if not encoding:
        return None
    try:
        return codecs.getincrementaldecoder(encoding)().decode(content[skip:], final=not is_start)
    except UnicodeDecodeError as wrong:
        raise FileUnreadable(file=path, why=because("it is marked as {a} but is not", a=encoding)) from wrong


def _unmarked(path: Path, content: bytes, *, is_start: bool) -> str:
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(content, final=not is_start)
    except UnicodeDecodeError:
        pass
    if not is_start:
        _refuse_mixed(path, content)
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as wrong:
        raise FileUnreadable(file=path, why="it is neither UTF-8, UTF-16 nor Windows-1252 text") from wrong


def _refuse_mixed(path: Path, content: bytes) -> None:
    """A file with both UTF-8 and Windows-1252 lines was glued together; guessing would garble half of its names."""
    utf8_line = other_line = 0
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            utf8_line = utf8_line or number
        except UnicodeDecodeError:
            other_line = other_line or number
        if utf8_line and other_line:
            why = because("it mixes encodings: line {a} is UTF-8, line {b} is not", a=utf8_line, b=other_line)
            raise FileUnreadable(file=path, why=why)


def _lines(text: str) -> Iterator[str]:
    """The lines with their ends; a copy of the whole text is only made where ends of old machines (CR) stand in it."""
    if text.count("\r") != text.count("\r\n"):
        yield from io.StringIO(text, newline="")
        return
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def rows_of(path: Path, text: str, separator: str, *, skip_blanks: bool = False) -> Iterator[Row]:
    """The rows, cells without blanks around them; ``skip_blanks`` allows a blank before a quotation mark.

    Raises BrokenFile or TooMuch.
    """
    known: dict[str, str] = {}
    reader = csv.reader(_lines(text), delimiter=separator, strict=True, skipinitialspace=skip_blanks)
    number = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            place = Place(file=str(path), row=number + 1)
            raise BrokenFile(
                place=place, why=because("a quotation mark or cell does not end as it should ({a})", a=wrong)
            ) from wrong
        number += 1
        if len(row) > MAX_COLUMNS:
            raise TooMuch(file=Place(file=str(path), row=number), found=len(row), what="columns", limit=MAX_COLUMNS)
        if number > MAX_ROWS:
            raise TooMuch(file=path, found=f"more than {MAX_ROWS}", what="rows", limit=MAX_ROWS)
        yield tuple(_once(without_guard(cell.strip()), known) for cell in row)


def _once(cell: str, known: dict[str, str]) -> str:
    """The cell, the same object for the same text: what stands in thousands of rows is kept in memory once."""
    if len(known) < _MOST_KNOWN:
        return known.setdefault(cell, cell)
    return known.get(cell, cell)

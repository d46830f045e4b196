"""A foreign CSV export with headings: recognised by them, its rows by lower-case heading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from inventory.errors import ExpectedError, because
from inventory.observation import Place
from inventory.rejects import OWN_COLUMNS
from inventory.sources.cells import SEPARATORS, Row, decoded, rows_of
from inventory.sources.limits import BrokenFile, read_bytes, read_start

_FIRST_ROWS = 3
"""Headings stand in the first row, or after a line such as ``#TYPE ...``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row: its number as a person counts, its cells by lower-case heading, and itself."""

    number: int
    cells: Mapping[str, str]
    row: Row

    def get(self, *headings: str) -> str:
        """The first of these cells that says something."""
        return next((cell for one in headings if (cell := self.cells.get(one, ""))), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvTable:
    """A table whose headings were found."""

    path: Path
    headings: Row
    heading_row: int
    text: str
    separator: str

    def rows(self) -> Iterator[TableRow]:
        """The rows that are not empty. Raises BrokenFile or TooMuch."""
        keys = [heading_key(one) for one in self.headings]
        every = rows_of(self.path, self.text, self.separator, skip_blanks=True)
        for number, row in enumerate(every, start=1):
            if number <= self.heading_row or not any(row):
                continue
            cells: dict[str, str] = {}
            for key, cell in zip(keys, row, strict=False):
                if key not in OWN_COLUMNS:
                    cells.setdefault(key, cell)
            yield TableRow(number=number, cells=cells, row=row)


def heading_key(heading: str) -> str:
    """The heading without the mark of required columns, in lower case."""
    return " ".join(heading.strip().lstrip("*").casefold().split())


def has_headings(path: Path, *wanted: str) -> bool:
    """Whether a heading row holds all of these, in lower case."""
    try:
        start = decoded(path, read_start(path), is_start=True)
    except ExpectedError:
        return False
    return _found(path, start, wanted) is not None


def csv_table(path: Path, *wanted: str) -> CsvTable:
    """The table with these headings. Raises ExpectedError."""
    text = decoded(path, read_bytes(path))
    found = _found(path, text, wanted)
    if found is None:
        raise BrokenFile(place=Place(file=str(path), row=1), why=because("it has no columns {a}", a=", ".join(wanted)))
    return found


def _found(path: Path, text: str, wanted: tuple[str, ...]) -> CsvTable | None:
    for separator in SEPARATORS:
        try:
            first = list(islice(rows_of(path, text, separator, skip_blanks=True), _FIRST_ROWS))
        except ExpectedError:
            continue
        for number, row in enumerate(first, start=1):
            if set(wanted) <= {heading_key(cell) for cell in row}:
                return CsvTable(path=path, headings=row, heading_row=number, text=text, separator=separator)
    return None

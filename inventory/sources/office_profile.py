"""Kahn's proposal for a mapping profile: by the words of the headings, else by what stands under them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from inventory.addressing import parse_mac, parse_uuid
from inventory.errors import ExpectedError, because
from inventory.mapping import IGNORED, KIND, PERSON, MappedColumn, MappingProfile
from inventory.observation import Place
from inventory.parsing import parse_date
from inventory.sources.cells import SEPARATORS, decoded, rows_of
from inventory.sources.kind_words import machine_kind
from inventory.sources.limits import BrokenFile, read_bytes
from inventory.sources.office_list import PREAMBLE_ROWS, Numbered
from inventory.sources.office_words import FIELD_OF, bare_heading, field_of, fields_of, unit_in
from inventory.sources.sheet_stream import open_book
from inventory.sources.workbook import is_workbook

EXAMPLE_ROWS = 200
_ALIKE, _SHORTEST_ALIKE = 0.84, 5
_IP = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_SYSTEM = re.compile(r"windows|linux|debian|ubuntu|centos|rhel|red hat|sles|macos|vmware esx", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedColumn:
    """What Kahn takes a column for, why, and an example of what stands in it."""

    column: MappedColumn
    why: str
    """``heading``, ``similar to ...``, ``content``, ``unknown`` or ``set by you``."""
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A profile that is not one yet: what was found, to be looked at by a person."""

    columns: tuple[ProposedColumn, ...]
    sheet: str = ""

    def profile(self, name: str, *, kind: str = "") -> MappingProfile:
        """The profile as it stands. Raises InvalidProfile."""
        return MappingProfile(name=name, columns=tuple(one.column for one in self.columns), kind=kind, sheet=self.sheet)


def propose(path: Path, *, corrections: Mapping[str, str], sheet: str = "") -> Proposal:
    """What Kahn would take the columns for; ``corrections`` (heading -> field[:unit]) win. Raises ExpectedError."""
    name, rows = _rows(path, sheet, corrections)
    found = _headings(rows, corrections)
    if found is None:
        raise BrokenFile(place=Place(file=str(path)), why="no row of headings was found within its first rows")
    at = rows.index(found)
    body = [row for _, row in rows[at + 1 :]]
    taken: set[str] = set()
    columns: list[ProposedColumn] = []
    known = fields_of(found[1])
    for position, heading in enumerate(found[1]):
        if not heading:
            continue
        cells = [row[position] for row in body if position < len(row) and row[position]]
        said = corrections.get(heading)
        one = _proposed(heading, cells, said, _field(heading, cells, taken, known=known.get(heading)))
        columns.append(one)
        if one.column.field not in (IGNORED, PERSON):
            taken.add(one.column.field)
    return Proposal(columns=tuple(columns), sheet=name)


def _rows(path: Path, sheet: str, corrections: Mapping[str, str]) -> tuple[str, list[Numbered]]:
    """The sheet and the first rows of the list in it."""
    most = PREAMBLE_ROWS + EXAMPLE_ROWS
    if is_workbook(path):
        book = open_book(path)
        candidates = [one for one in book.sheets if not sheet or one == sheet]
        if not candidates:
            raise BrokenFile(place=Place(file=str(path)), why=because("it has no sheet {a!r}", a=sheet[:60]))
        firsts = {one: list(islice(book.rows(one), most)) for one in candidates}
        best = max(firsts, key=lambda one: _score(firsts[one], corrections))
        return best, firsts[best]
    text = decoded(path, read_bytes(path))
    tried: list[list[Numbered]] = []
    for separator in SEPARATORS:
        try:
            tried.append(list(islice(enumerate(rows_of(path, text, separator), start=1), most)))
        except ExpectedError:
            continue
    if not tried:
        raise BrokenFile(place=Place(file=str(path)), why="it is no table: no separator fits")
    return "", max(tried, key=lambda rows: _score(rows, corrections))


def _score(rows: Sequence[Numbered], corrections: Mapping[str, str]) -> tuple[int, int]:
    found = _headings(rows, corrections)
    return (_known(found[1], corrections), len(found[1])) if found else (0, 0)


def _headings(rows: Sequence[Numbered], corrections: Mapping[str, str]) -> Numbered | None:
    """The row with the most known headings; without any, the first row with the most filled cells."""
    first = [row for row in rows[:PREAMBLE_ROWS] if sum(1 for cell in row[1] if cell) > 1]
    if not first:
        return None
    return max(first, key=lambda row: (_known(row[1], corrections), sum(1 for cell in row[1] if cell), -row[0]))


def _known(headings: Iterable[str], corrections: Mapping[str, str]) -> int:
    return sum(1 for one in headings if one in corrections or field_of(one) is not None)


def _proposed(heading: str, cells: Sequence[str], correction: str | None, found: tuple[str, str]) -> ProposedColumn:
    field, why = found
    if correction is not None:
        field, why = correction.partition(":")[0], "set by you"
    unit = (correction or "").partition(":")[2] or (unit_in(heading) or "")
    unit = unit.replace("ib", "b") if field in ("ram_mib", "disk_gib", "disk_used_gib") else ""
    example = "" if field == PERSON else next(iter(cells), "")[:40]
    return ProposedColumn(column=MappedColumn(heading=heading, field=field, unit=unit), why=why, example=example)


def _field(heading: str, cells: Sequence[str], taken: set[str], *, known: str | None) -> tuple[str, str]:
    """The field and why; what is taken already is not proposed twice."""
    if known is not None and known not in taken:
        return known, "heading"
    bare = bare_heading(heading)
    alike = difflib.get_close_matches(bare, FIELD_OF, n=1, cutoff=_ALIKE) if len(bare) >= _SHORTEST_ALIKE else []
    if alike and FIELD_OF[alike[0]] not in taken:
        return FIELD_OF[alike[0]], f"similar to {alike[0]}"
    sample = cells[:EXAMPLE_ROWS]
    for field, holds in _CONTENT.items():
        if field not in taken and len(sample) > 1 and sum(map(holds, sample)) >= 0.9 * len(sample):
            return field, "content"
    return IGNORED, "unknown"


def _parses(parse: Callable[[str, str], object]) -> Callable[[str], bool]:
    def holds(cell: str) -> bool:
        try:
            parse("cell", cell)
        except ExpectedError:
            return False
        return True

    return holds


_CONTENT: Mapping[str, Callable[[str], bool]] = {
    "mac": _parses(parse_mac),
    "uuid": _parses(parse_uuid),
    "address": lambda cell: _IP.fullmatch(cell) is not None,
    "os_name": lambda cell: _SYSTEM.search(cell) is not None,
    KIND: lambda cell: machine_kind(cell) is not None,
    "purchased": _parses(parse_date),
}
"""Field -> whether a cell looks like one; asked only where the heading says nothing."""

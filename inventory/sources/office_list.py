"""A list of machines as an administration keeps it, whatever file it stands in: rows of cells to observations.

Lines before the headings, totals and remarks under them, short rows, decimal comma, dates as dd.mm.yyyy, units in
headings or cells. Sites, departments and procedures that a machine names exist thereby.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from inventory.addressing import parse_address
from inventory.errors import ExpectedError
from inventory.mapping import (
    IGNORED,
    KIND,
    KIND_OR_MODEL,
    NAME,
    PERSON,
    MappedColumn,
    MappingProfile,
    ProfileDoesNotFit,
    heading_key,
)
from inventory.model import AssetKind, InvalidValue
from inventory.observation import Observation, Place, Reading, Refusal, refusal_of
from inventory.parsing import parse_number
from inventory.rejects import OWN_COLUMNS
from inventory.sources.cells import Row
from inventory.sources.kind_words import kind_by_system, machine_kind, parse_machine_kind
from inventory.sources.limits import ColumnRefused, RowRefused
from inventory.sources.office_words import (
    GIB_PER_UNIT,
    SILENT,
    SIZE_FIELDS,
    fields_of,
    is_footer,
    is_totals,
    unit_in,
)
from inventory.sources.records import Cell, Claim, mentioned, observed

PREAMBLE_ROWS = 30
SAMPLE_ROWS = 2_000
"""So many rows are looked at to tell MB from GB where no heading says it."""
_NAMED = {"site": AssetKind.SITE, "department": AssetKind.DEPARTMENT, "procedures": AssetKind.PROCEDURE}
_SMALLEST_IN_MB, _LARGEST_IN_GB = 512.0, 128.0

Numbered = tuple[int, Row]
"""A row with its number as a person counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFile:
    """Where a list stands, what the source is called, and the profile by which it is to be read."""

    path: Path
    source: str
    profile: MappingProfile | None = None

    def columns_of(self, headings: Iterable[str]) -> dict[str, MappedColumn]:
        """What stands under each known heading, by the profile or else by what offices usually write."""
        if self.profile is not None:
            known = self.profile.by_heading()
            return {heading: known[key] for heading in headings if (key := heading_key(heading)) in known}
        found = fields_of(headings)
        return {heading: MappedColumn(heading=heading, field=field) for heading, field in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """The headings and what stands under each of them that is taken: position -> field; ``units`` per size field."""

    headings: Row
    columns: Mapping[int, str]
    units: Mapping[str, str]
    kind: str = ""

    def cell(self, row: Row, field: str) -> str:
        """The row's cell for that field; empty where there is none or it says nothing."""
        at = next((position for position, one in self.columns.items() if one == field), len(row))
        return _said(row[at]) if at < len(row) else ""


def heading_row(file: ListFile, first_rows: Iterable[Numbered]) -> tuple[int, Numbered] | None:
    """How many headings are known, and the row with the most of them, a name's among them; None when there is none."""
    best: tuple[int, Numbered] | None = None
    for number, row in islice(first_rows, PREAMBLE_ROWS):
        fields = {one.field for one in file.columns_of(row).values()}
        if NAME in fields and len(fields) > 1 and (best is None or len(fields) > best[0]):
            best = len(fields), (number, row)
    return best


def source_of(profile: MappingProfile | None, otherwise: str) -> str:
    """The source's name: each kept profile is a source of its own, whatever file it is read from."""
    return f"office:{profile.name}" if profile is not None else otherwise


def does_not_fit(file: ListFile) -> ProfileDoesNotFit:
    """The error of a list that has no row of headings which the profile knows."""
    assert file.profile is not None
    missing = ", ".join(repr(one.heading[:40]) for one in file.profile.columns if one.field not in (IGNORED, PERSON))
    return ProfileDoesNotFit(file=file.path, name=file.profile.name, missing=missing[:300])


def read_list(file: ListFile, headings: Numbered, body: Iterable[Numbered]) -> Reading:
    """Every machine that stands under the headings; ``body`` may be endless in length, it is read once."""
    rows = iter(body)
    sample = list(islice(rows, SAMPLE_ROWS))
    place = Place(file=str(file.path), row=headings[0])
    table, problems, notes = _table(file, place, headings[1], [row for _, row in sample])
    observations: list[Observation] = []
    for number, row in chain(sample, rows):
        passed_over = _passed_over(row)
        if passed_over is None:
            taken = _taken(file, table, Place(file=str(file.path), row=number), row)
            if isinstance(taken, Observation):
                observations.append(taken)
            else:
                problems += taken
        elif passed_over:
            notes.append(f"Row {number} was passed over: {passed_over}.")
    return Reading(
        source=file.source,
        observations=(*mentioned(observations, _NAMED), *observations),
        refusals=tuple(problems),
        headings=table.headings,
        notes=tuple(notes),
    )


def _taken(file: ListFile, table: _Table, place: Place, row: Row) -> Observation | tuple[Refusal, ...]:
    if any(row[len(table.headings) :]):
        return (refusal_of(RowRefused(why="it has more cells than there are headings"), place, row),)
    try:
        kind, model = _kind_and_model(table, row)
        cells = [*_cells(table, row), *model]
    except ExpectedError as wrong:
        return (refusal_of(wrong, place, row),)
    name = Cell(field="name", raw=table.cell(row, NAME), column=_heading(table, NAME))
    return observed(Claim(kind=kind, place=place, source=file.source, row=row), name, cells)


def _table(
    file: ListFile, place: Place, headings: Row, sample: Sequence[Row]
) -> tuple[_Table, list[Refusal], list[str]]:
    known = file.columns_of(headings)
    columns: dict[int, str] = {}
    refusals: list[Refusal] = []
    notes: list[str] = []
    for at, heading in enumerate(headings):
        if not heading or heading.casefold() in OWN_COLUMNS:
            continue
        field = known[heading].field if heading in known else ""
        if not field:
            notes.append(f"The column {heading[:80]!r} is not known and was not taken.")
        elif field == PERSON:
            notes.append(f"The column {heading[:80]!r} names persons and was not taken.")
        elif field == IGNORED:
            continue
        elif field in columns.values():
            error = ColumnRefused(column=heading[:80], why="another column already says the same")
            refusals.append(refusal_of(error, Place(file=place.file, row=place.row, column=heading[:80])))
        else:
            columns[at] = field
    units, problems = _units(place, headings, columns, _UnitsSaid(known=known, sample=sample))
    taken = {at: field for at, field in columns.items() if field not in SIZE_FIELDS or field in units}
    if file.profile is not None:
        missing = [one.heading for one in file.profile.columns if one.heading not in known and one.field != IGNORED]
        here = {heading_key(one) for one in headings}
        notes += [
            f"The profile's column {one[:80]!r} is not in this list." for one in missing if heading_key(one) not in here
        ]
    kind = file.profile.kind if file.profile is not None else ""
    return _Table(headings=headings, columns=taken, units=units, kind=kind), refusals + problems, notes


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnitsSaid:
    known: Mapping[str, MappedColumn]
    sample: Sequence[Row]

    def of(self, at: int, heading: str, field: str) -> str | None:
        """The unit: from the profile, the heading, or the sizes that stand under it."""
        said = self.known[heading].unit or unit_in(heading)
        return said or ("gb" if field != "ram_mib" else _likely_unit(row[at : at + 1] for row in self.sample))


def _units(
    place: Place, headings: Row, columns: Mapping[int, str], said: _UnitsSaid
) -> tuple[dict[str, str], list[Refusal]]:
    """The unit of each size column."""
    units: dict[str, str] = {}
    problems: list[Refusal] = []
    for at, field in columns.items():
        if field not in SIZE_FIELDS:
            continue
        unit = said.of(at, headings[at], field)
        if unit:
            units[field] = unit
        else:
            error = ColumnRefused(column=headings[at], why="it names no unit; write MB or GB behind the heading")
            problems.append(refusal_of(error, Place(file=place.file, row=place.row, column=headings[at])))
    return units, problems


def _likely_unit(cells: Iterable[Sequence[str]]) -> str | None:
    """MB where the largest memory is 512 or more, GB where it is 128 or less; between lies no safe guess."""
    largest = 0.0
    for cell in cells:
        try:
            largest = max(largest, *(parse_number("size", one, german=True) for one in cell))
        except (InvalidValue, TypeError):
            continue
    if largest >= _SMALLEST_IN_MB:
        return "mb"
    return "gb" if largest <= _LARGEST_IN_GB else None


def _passed_over(row: Row) -> str | None:
    """Why the row is no machine: empty (says nothing), totals or a remark; None when it is one."""
    filled = [cell for cell in row if cell]
    if not filled:
        return ""
    if is_totals(filled[0]):
        return "it sums up others"
    return "it is a remark under the list" if len(filled) == 1 and is_footer(filled[0]) else None


def _kind_and_model(table: _Table, row: Row) -> tuple[AssetKind, list[Cell]]:
    """The kind from a column that names it, else from the operating system; a 'Typ' may name the model instead."""
    said = table.cell(row, KIND)
    if said:
        return parse_machine_kind(said), []
    if table.kind:
        return AssetKind(table.kind), []
    type_or_model = table.cell(row, KIND_OR_MODEL)
    kind = machine_kind(type_or_model)
    if kind is not None:
        return kind, []
    has_model = "model" in table.columns.values()
    model = [Cell(field="model", raw=type_or_model, column=_heading(table, KIND_OR_MODEL))]
    return kind_by_system(table.cell(row, "os_name")), model if type_or_model and not has_model else []


def _cells(table: _Table, row: Row) -> list[Cell]:
    """The row's cells that say something, sizes in the field's own unit, of several addresses the first."""
    found: list[Cell] = []
    for at, field in table.columns.items():
        text = _said(row[at]) if at < len(row) else ""
        if not text or field in (NAME, KIND, KIND_OR_MODEL):
            continue
        raw: object = text
        if field in SIZE_FIELDS:
            raw = _size(field, text, table.units[field])
        elif field == "address":
            raw = _first_address(text)
        found.append(Cell(field=field, raw=raw, column=table.headings[at], german=True))
    return found


def _size(field: str, text: str, unit: str) -> float:
    """The size in the field's unit; a unit in the cell wins over the column's."""
    digits = re.sub(r"\s*(mi?b|gi?b|ti?b)$", "", text, flags=re.IGNORECASE)
    number = parse_number(field, digits, german=True)
    size = number * GIB_PER_UNIT[unit_in(text) or unit] * SIZE_FIELDS[field]
    return float(round(size)) if field == "ram_mib" else round(size, 3)


def _first_address(text: str) -> str:
    """Of several addresses the first, if each of them is one. Raises InvalidValue."""
    parts = [part for part in re.split(r"[,;/|\s]+", text) if part]
    if len(parts) > 1 and all(re.fullmatch(r"[0-9A-Fa-f.:]+", part) for part in parts):
        checked = [parse_address("address", part) for part in parts]
        return checked[0]
    return text


def _heading(table: _Table, field: str) -> str:
    return next((table.headings[at] for at, one in table.columns.items() if one == field), "")


def _said(cell: str) -> str:
    return "" if cell.casefold() in SILENT else cell

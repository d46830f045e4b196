"""A plan's rows as a spreadsheet: written so that no cell can start a formula, read with the inventory's suspicion."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from inventory.errors import ExpectedError
from inventory.rejects import formula_free
from inventory.sources.cells import SEPARATORS, decoded, rows_of
from inventory.sources.limits import FileUnreadable, read_bytes
from inventory.sources.workbook import is_workbook, read_sheets
from orchestrator.core.plan_rows import COLUMNS, NEEDED, FileRow
from orchestrator.supervisor.boundary import boundary

if TYPE_CHECKING:
    from openpyxl.cell import WriteOnlyCell

SHEET, WAVES = "plan", "waves"
WIDTHS = {"asset": 24, "wave": 8, "window": 44, "department": 26, "site": 26, "says": 50, "id": 38, "plan": 18}
_USUAL_WIDTH = 12
_MOST_TEXT = 32_000
"""A cell of a workbook holds no more than 32,767 characters."""


class PlanFileKind(ExpectedError):
    """A file name that says no format that a plan can be written in."""

    code, says = "PLAN-046", "{file} is neither an .xlsx nor a .csv file."
    remedy = "Name a file that ends in .xlsx or .csv."


class PlanFileNoTable(ExpectedError):
    """A file in which no plan can be found."""

    code, says = "PLAN-047", "{file} holds no plan: {why}."
    remedy = "Start from a file that `kahn plan export` has written; the columns asset and wave must be there."
    exit_code = 8


class PlanFileNotWritten(ExpectedError):
    """The file could not be put where it was wanted."""

    code, says = "PLAN-048", "{file} could not be written: {why}."
    remedy = "Give another place with `-o FILE`."
    exit_code = 7


# --------------------------------------------------------------------------- out


def write_plan_file(path: Path, rows: Sequence[Mapping[str, str]], *, waves: Mapping[str, str], german: bool) -> None:
    """The rows as .xlsx or .csv, whole or not at all. ``waves``: the keys that may be chosen -> their windows.

    Raises PlanFileKind, PlanFileNotWritten.
    """
    suffix = path.suffix.casefold()
    if suffix not in (".xlsx", ".csv"):
        raise PlanFileKind(file=path.name)
    headings = [german_word if german else name for name, german_word in COLUMNS.items()]
    table = [[row.get(name, "") for name in COLUMNS] for row in rows]
    content = _workbook(headings, table, waves) if suffix == ".xlsx" else _csv(headings, table)
    put_file(path, content)


def put_file(path: Path, content: bytes) -> None:
    """The file holds the whole content or is as it was before. Raises PlanFileNotWritten."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        beside.write_bytes(content)
        with boundary("plan.file.rename"):
            beside.replace(path)
    except OSError as cause:
        beside.unlink(missing_ok=True)
        raise PlanFileNotWritten(file=path, why=cause.strerror or cause) from cause


def _csv(headings: Sequence[str], table: Iterable[Sequence[str]]) -> bytes:
    """With the mark by which spreadsheet programs know UTF-8."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([formula_free(cell) for cell in row] for row in table)
    return written.getvalue().encode("utf-8-sig")


def _workbook(headings: Sequence[str], table: Iterable[Sequence[str]], waves: Mapping[str, str]) -> bytes:
    from openpyxl import Workbook  # brings numpy along; no other command needs them
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook(write_only=True)
    sheet = book.create_sheet(SHEET)
    sheet.freeze_panes = "C2"
    for letter, name in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", COLUMNS, strict=False):
        sheet.column_dimensions[letter].width = WIDTHS.get(name, _USUAL_WIDTH)
    sheet.append([_text_cell(sheet, text, bold=True) for text in headings])
    count = 1
    for row in table:
        sheet.append([_text_cell(sheet, text) for text in row])
        count += 1
    sheet.auto_filter.ref = f"A1:{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[len(COLUMNS) - 1]}{count}"
    if waves:
        choice = DataValidation(type="list", formula1=f"{WAVES}!$A$1:$A${len(waves)}", allow_blank=True)
        choice.add(f"B2:B{max(2, count)}")
        sheet.data_validations.append(choice)
    second = book.create_sheet(WAVES)
    second.column_dimensions["B"].width = WIDTHS["window"]
    for key, window in waves.items():
        second.append([_text_cell(second, key), _text_cell(second, window)])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _text_cell(sheet: object, text: str, *, bold: bool = False) -> WriteOnlyCell:
    """A cell that is text whatever it begins with, and that stays text when a person opens it for editing."""
    from openpyxl.cell import WriteOnlyCell  # as above
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Font

    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("\ufffd", text)[:_MOST_TEXT])
    cell.data_type = "s"
    cell.number_format = "@"
    if formula_free(text) != text:
        cell.quotePrefix = True
    if bold:
        cell.font = Font(bold=True)
    return cell


# --------------------------------------------------------------------------- in


def read_plan_file(path: Path) -> tuple[FileRow, ...]:
    """The file's rows with the cells of known columns; rows without any cell are passed over.

    Raises PlanFileNoTable, FileUnreadable, TooMuch, BrokenFile, HostileWorkbook.
    """
    rows = list(_workbook_rows(path) if is_workbook(path) else _csv_rows(path))
    if not rows:
        raise PlanFileNoTable(file=path.name, why="it is empty")
    columns = _columns(path, rows[0][1])
    return tuple(
        FileRow(number=number, cells={name: cells[at] for at, name in columns.items() if at < len(cells)})
        for number, cells in rows[1:]
        if any(cells)
    )


def _columns(path: Path, headings: Sequence[str]) -> dict[int, str]:
    """Position -> column. Headings in English or German; columns that a person added are passed over."""
    known = {word.casefold(): name for name, german in COLUMNS.items() for word in (name, german)}
    columns: dict[int, str] = {}
    for at, heading in enumerate(headings):
        name = known.get(heading.casefold())
        if name in columns.values():
            raise PlanFileNoTable(file=path.name, why=f"the column {heading[:40]!r} stands in it twice")
        if name is not None:
            columns[at] = name
    missing = [name for name in NEEDED if name not in columns.values()]
    if missing:
        raise PlanFileNoTable(file=path.name, why=f"its first row has no column {missing[0]!r}")
    return columns


def _csv_rows(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    text = decoded(path, read_bytes(path))
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    yield from enumerate(rows_of(path, text, separator), start=1)


def _workbook_rows(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    sheets = read_sheets(path, (SHEET,))
    if SHEET not in sheets:
        raise PlanFileNoTable(file=path.name, why=f"it has no sheet {SHEET!r}")
    for number, cells in sheets[SHEET]:
        yield number, tuple(_as_text(path, number, cell) for cell in cells)


def _as_text(path: Path, number: int, cell: object) -> str:
    """The cell as a person reads it. A spreadsheet makes a whole number of ``0417``; that is not undone."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool) or cell is None:
        return str(cell or "").lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ", timespec="minutes")
    if isinstance(cell, int | float):
        return str(cell)
    raise FileUnreadable(file=path, why=f"row {number} holds a cell that is neither text nor number")

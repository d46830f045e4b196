"""A workbook (XLSX) with one table; every text in it stays text, whatever it begins with."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

LONGEST = 32_767
"""Characters that a cell can hold."""


def sheet_bytes(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The workbook as the bytes of its file."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title=title[:31])
    sheet.freeze_panes = "A2"
    sheet.append([_text(sheet, name, font=Font(bold=True)) for name in columns])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _cell(sheet: Any, value: object) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return _text(sheet, str(value))


def _text(sheet: Any, text: str, *, font: Font | None = None) -> Any:
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text)[:LONGEST])
    cell.data_type = "s"  # a text that begins like a formula would become one
    if font is not None:
        cell.font = font
    return cell

"""Refused rows given back as CSV: the file's own headings and cells, then where, which rule, what and what to do."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from inventory.observation import Refusal

OWN_COLUMNS = ("row", "code", "says", "remedy")
"""Columns added to the file's own; an import passes them over, so that a corrected file can be imported as it is."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def rejects_csv(headings: tuple[str, ...], refusals: Iterable[Refusal], *, separator: str = ";") -> str:
    """One line per refused row, in the order of rows; no cell can start a formula in a spreadsheet."""
    by_row: dict[tuple[str, int, tuple[str, ...]], list[Refusal]] = {}
    for one in sorted(refusals, key=lambda one: (one.place.file, one.place.row, one.place.column, one.code)):
        by_row.setdefault((one.place.file, one.place.row, one.row), []).append(one)
    widest = max((len(row) for _, _, row in by_row), default=0)
    headings = _padded(headings, widest)
    own = tuple(name for name in headings if name not in OWN_COLUMNS)
    written = io.StringIO()
    writer = csv.writer(written, delimiter=separator, lineterminator="\r\n")
    writer.writerow([formula_free(cell) for cell in (*own, *OWN_COLUMNS)])
    for (_file, number, row), reasons in by_row.items():
        cells = [cell for name, cell in zip(headings, _padded(row, len(headings)), strict=True) if name in own]
        said = [
            str(number or ""),
            " ".join(dict.fromkeys(one.code for one in reasons)),
            " ".join(dict.fromkeys(_with_column(one) for one in reasons)),
            " ".join(dict.fromkeys(one.remedy for one in reasons)),
        ]
        writer.writerow([formula_free(cell) for cell in (*cells, *said)])
    return written.getvalue()


def formula_free(cell: str) -> str:
    """The cell so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def without_guard(cell: str) -> str:
    """The cell as it was before ``formula_free``."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA_STARTS) else cell


def _with_column(refusal: Refusal) -> str:
    return f"[{refusal.place.column}] {refusal.says}" if refusal.place.column else refusal.says


def _padded(row: tuple[str, ...], width: int) -> tuple[str, ...]:
    return row + ("",) * (width - len(row))

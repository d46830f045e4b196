"""A workbook in which every text stays text."""

from __future__ import annotations

import io

from openpyxl import load_workbook

from orchestrator.adapters.asset_sheet import LONGEST, sheet_bytes


def test_texts_stay_texts_whatever_they_begin_with_and_numbers_stay_numbers() -> None:
    rows = [("=1+1", 4096), ("\x07bell", None), ("+49 355", 1.5)]
    sheet = load_workbook(io.BytesIO(sheet_bytes("stadt", ("name", "ram"), rows)))["stadt"]
    cells = [[(one.value, one.data_type) for one in row] for row in sheet.iter_rows()]
    assert cells[1] == [("=1+1", "s"), (4096, "n")]
    assert cells[2][0] == ("\ufffdbell", "s") and cells[3] == [("+49 355", "s"), (1.5, "n")]


def test_a_cell_holds_no_more_than_a_spreadsheet_can() -> None:
    made = load_workbook(io.BytesIO(sheet_bytes("t", ("a",), [("x" * (LONGEST + 5),)])))
    assert len(str(made["t"]["A2"].value)) == LONGEST

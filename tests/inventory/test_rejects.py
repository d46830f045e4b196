"""Refused rows given back as CSV."""

from __future__ import annotations

import csv
import io

import pytest

from inventory.observation import Place, Refusal
from inventory.rejects import formula_free, rejects_csv, without_guard


def refused(row: int, *cells: str, column: str = "", code: str = "INV-001") -> Refusal:
    place = Place(file="list.csv", row=row, column=column)
    return Refusal(place=place, code=code, says="It is wrong.", remedy="Mend it.", row=cells)


def lines(headings: tuple[str, ...], *refusals: Refusal) -> list[list[str]]:
    return list(csv.reader(io.StringIO(rejects_csv(headings, refusals)), delimiter=";"))


def test_a_refused_row_comes_back_under_its_own_headings_with_row_code_reason_and_remedy() -> None:
    assert lines(("Rechner", "RAM"), refused(7, "apc;1", "viel", column="RAM")) == [
        ["Rechner", "RAM", "row", "code", "says", "remedy"],
        ["apc;1", "viel", "7", "INV-001", "[RAM] It is wrong.", "Mend it."],
    ]


def test_a_row_refused_for_two_reasons_comes_back_once_and_rows_keep_their_order() -> None:
    rows = lines(("a",), refused(9, "z"), refused(3, "y", column="a"), refused(3, "y", column="b", code="INV-013"))
    assert [(row[0], row[1], row[2]) for row in rows[1:]] == [("y", "3", "INV-001 INV-013"), ("z", "9", "INV-001")]


def test_columns_added_by_an_earlier_import_are_not_added_again() -> None:
    rows = lines(("a", "row", "code", "says", "remedy"), refused(2, "x", "5", "INV-009", "old", "old"))
    assert rows == [["a", "row", "code", "says", "remedy"], ["x", "2", "INV-001", "It is wrong.", "Mend it."]]


def test_cells_beyond_the_headings_are_given_back_too() -> None:
    assert lines(("a",), refused(2, "x", "", "lost?"))[1][:3] == ["x", "", "lost?"]


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_runs_as_a_formula_and_reading_it_back_gives_the_same(cell: str) -> None:
    assert formula_free(cell) == f"'{cell}"
    assert without_guard(formula_free(cell)) == cell
    assert cell not in rejects_csv((cell,), [refused(2, cell)]).replace(f"'{cell}", "")

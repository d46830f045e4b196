"""Plan files: what was written is read again, no cell starts a formula, hostile files are refused."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import openpyxl
import pytest

from inventory.errors import ExpectedError
from inventory.sources.limits import HostileWorkbook
from orchestrator.adapters.plan_file import (
    PlanFileKind,
    PlanFileNoTable,
    PlanFileNotWritten,
    read_plan_file,
    write_plan_file,
)
from orchestrator.core.plan_rows import COLUMNS

EVIL = ('=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0")
WAVES = {"W01": "Mon 2026-11-30 22:00-04:30 Europe/Berlin", "W02": "Tue"}


def rows(*names: str) -> list[dict[str, str]]:
    return [{"asset": name, "wave": "W01", "id": f"id-{at}", "plan": "abc"} for at, name in enumerate(names)]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".XLSX"])
@pytest.mark.parametrize("german", [False, True])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str, german: bool) -> None:
    file = tmp_path / f"plan{suffix}"
    write_plan_file(file, rows("apc-1", "0417", *EVIL, 'Büro; "3"'), waves=WAVES, german=german)
    read = read_plan_file(file)
    assert [row.cell("asset") for row in read] == ["apc-1", "0417", *EVIL, 'Büro; "3"']
    assert [row.number for row in read] == list(range(2, 10))
    assert {row.cell("wave") for row in read} == {"W01"}
    heading = "Inventarobjekt" if german else "asset"
    if suffix == ".csv":
        assert file.read_text(encoding="utf-8-sig").startswith(heading)


def test_no_cell_of_a_workbook_is_a_formula(tmp_path: Path) -> None:
    file = tmp_path / "plan.xlsx"
    write_plan_file(file, rows(*EVIL), waves={"=W1": "+x"}, german=False)
    book = openpyxl.load_workbook(file)
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in cells if str(cell.value)[0] in "=+-@")
    with zipfile.ZipFile(file) as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist())


def test_no_cell_of_a_csv_file_starts_a_formula(tmp_path: Path) -> None:
    file = tmp_path / "plan.csv"
    write_plan_file(file, rows(*EVIL), waves=WAVES, german=False)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        cells = [cell for row in csv.reader(opened, delimiter=";") for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_a_workbook_offers_the_waves_to_choose_from(tmp_path: Path) -> None:
    file = tmp_path / "plan.xlsx"
    write_plan_file(file, rows("a", "b"), waves=WAVES, german=False)
    sheet = openpyxl.load_workbook(file)["plan"]
    (choice,) = sheet.data_validations.dataValidation
    assert (choice.formula1, str(choice.sqref)) == ("waves!$A$1:$A$2", "B2:B3")


def test_a_person_may_sort_reorder_and_add_columns_and_save_with_commas(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("note,Welle,asset\nmy own,W02,apc-1\n,,\n,W01,apc-2\n")
    assert [(row.number, dict(row.cells)) for row in read_plan_file(file)] == [
        (2, {"wave": "W02", "asset": "apc-1"}),
        (4, {"wave": "W01", "asset": "apc-2"}),
    ]


def test_numbers_in_a_workbook_are_read_as_a_person_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "mine.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "plan"
    for row in (("asset", "wave"), (417, 2.5), (True, None), ("=1+1", "W01")):
        book.active.append(row)
    book.save(file)
    assert [tuple(row.cells.values()) for row in read_plan_file(file)] == [("417", "2.5"), ("true", ""), ("", "W01")]


@pytest.mark.parametrize("text", ["", "name;when\na;b\n", "asset;wave;Welle\na;W01;W02\n", "asset\napc-1\n"])
def test_a_file_without_the_needed_columns_or_with_one_twice_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan.csv"
    file.write_text(text)
    with pytest.raises(PlanFileNoTable):
        read_plan_file(file)


def test_hostile_and_broken_workbooks_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "plan.xlsx"
    write_plan_file(file, rows("a"), waves=WAVES, german=False)
    evil = tmp_path / "evil.xlsx"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(evil, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, part.replace(b"<worksheet", b"<!DOCTYPE x [<!ENTITY a 'b'>]><worksheet", 1))
    with pytest.raises(HostileWorkbook):
        read_plan_file(evil)
    for content in (b"PK\x03\x04nothing", b"\xd0\xcf\x11\xe0old", b"\xff\xfe\xff", b'"open'):
        evil.write_bytes(content)
        with pytest.raises(ExpectedError):
            read_plan_file(evil)


def test_a_workbook_without_the_sheet_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.xlsx"
    book = openpyxl.Workbook()
    book.active.append(("asset", "wave"))
    book.save(file)
    with pytest.raises(PlanFileNoTable, match="no sheet 'plan'"):
        read_plan_file(file)


def test_other_formats_and_places_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanFileKind):
        write_plan_file(tmp_path / "plan.pdf", [], waves={}, german=False)
    with pytest.raises(PlanFileNotWritten):
        write_plan_file(tmp_path / "nowhere" / "plan.csv", [], waves={}, german=False)
    assert list(tmp_path.iterdir()) == []


def test_every_column_has_a_german_heading_of_its_own() -> None:
    assert len({word.casefold() for pair in COLUMNS.items() for word in pair}) >= 2 * len(COLUMNS) - 1

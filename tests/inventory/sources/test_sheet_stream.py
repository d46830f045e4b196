"""A sheet is streamed: dates, numbers and formulas as an office would write them; bombs and endless sheets stopped."""

from __future__ import annotations

import time
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest

from inventory.errors import ExpectedError
from inventory.sources.limits import FileUnreadable, HostileWorkbook, TooMuch
from inventory.sources.sheet_stream import BLANK_RUN, MAX_CELL, has_sheet, open_book, sheet_names
from tests.inventory.builders import a_file
from tests.inventory.sources.workbooks import a_sheet, a_workbook, an_archive, parts_with, text_cell

MORNING = datetime.fromisoformat("2012-05-06T07:08")


def rows(path: Path) -> list[tuple[int, tuple[str, ...]]]:
    book = open_book(path)
    return list(book.rows(book.sheets[0]))


def of_xml(folder: Path, inside: str, **more: str) -> list[tuple[int, tuple[str, ...]]]:
    return rows(an_archive(folder, parts_with(a_sheet(inside), **more)))


def test_cells_are_text_as_an_office_writes_it(tmp_path: Path) -> None:
    written = [["a", 8, 119.5, date(2012, 5, 6), MORNING, True, None, 0.1 + 0.2, "1.024"]]
    assert rows(a_workbook(tmp_path, {"L": [[], *written]})) == [
        (2, ("a", "8", "119,5", "2012-05-06", "2012-05-06", "ja", "", "0,3", "1.024"))
    ]


def test_of_a_formula_its_last_result_counts_and_errors_say_nothing(tmp_path: Path) -> None:
    cells = (
        '<c r="A1" t="str"><f>HYPERLINK("http://x","y")</f><v>pc-1</v></c><c r="B1"><f>1+1</f></c>'
        '<c r="C1" t="e"><v>#REF!</v></c><c r="D1"><f>SUM(1)</f><v>4</v></c>'
    )
    assert of_xml(tmp_path, f'<row r="1">{cells}</row>') == [(1, ("pc-1", "", "", "4"))]


def test_dates_of_both_calendars_are_understood(tmp_path: Path) -> None:
    styles = '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="[$-407]d\\.\\ mmmm\\ yyyy"/></numFmts><cellXfs>'
    styles += '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="4"/></cellXfs></styleSheet>'
    cells = "".join(f'<c r="{letter}1" s="{at}"><v>41035</v></c>' for at, letter in enumerate("ABCD"))
    sheet = f'<row r="1">{cells}</row>'
    assert of_xml(tmp_path, sheet, styles=styles) == [(1, ("41035", "2012-05-06", "2012-05-06", "41035"))]
    parts = parts_with(a_sheet(sheet), styles=styles)
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    assert rows(an_archive(tmp_path, parts))[0][1][1] == "2016-05-07"


def test_cells_and_rows_without_a_place_follow_one_another(tmp_path: Path) -> None:
    inside = "<row><c><v>1</v></c><c/><c><v>3</v></c></row><row><c><v>4</v></c></row>"
    assert of_xml(tmp_path, inside) == [(1, ("1", "", "3")), (2, ("4",))]


def test_a_million_declared_rows_with_eight_filled_take_seconds(tmp_path: Path) -> None:
    filled = "".join(f'<row r="{at}">{text_cell(f"A{at}", f"pc-{at}")}</row>' for at in range(1, 9))
    empty = "".join(f'<row r="{at}"><c r="A{at}" s="1"/></row>' for at in range(9, 1_048_577))
    path = an_archive(tmp_path, parts_with(a_sheet(filled + empty)))
    start = time.process_time()
    book = open_book(path)
    assert len(list(book.rows("vInfo"))) == 8
    assert time.process_time() - start < 20
    assert "only empty rows" in book.notes[0]


def test_what_stands_after_a_short_gap_is_read(tmp_path: Path) -> None:
    inside = f'<row r="1"><c r="A1"><v>1</v></c></row><row r="{BLANK_RUN}"><c r="A{BLANK_RUN}"><v>2</v></c></row>'
    assert [number for number, _ in of_xml(tmp_path, inside)] == [1, BLANK_RUN]


def test_hidden_sheets_are_left_out(tmp_path: Path) -> None:
    path = a_workbook(tmp_path, {"A": [["x"]], "B": [["y"]]})
    assert sheet_names(path) == ("A", "B") and has_sheet(path, "a") and not has_sheet(path, "C")
    parts = {name: zipfile.ZipFile(path).read(name) for name in zipfile.ZipFile(path).namelist()}
    book = parts["xl/workbook.xml"].replace(
        b'name="B" sheetId="2" state="visible"', b'name="B" sheetId="2" state="hidden"'
    )
    assert sheet_names(an_archive(tmp_path, {**parts, "xl/workbook.xml": book})) == ("A",)
    assert not has_sheet(a_file(tmp_path, "a;b"), "A")


@pytest.mark.parametrize(
    ("inside", "error"),
    [
        (text_cell("A1", "x" * (MAX_CELL + 1)), HostileWorkbook),
        ('<c r="ZZZ1"><v>1</v></c>', HostileWorkbook),
        ('<c r="SG1"><v>1</v></c>', TooMuch),
        ('<c r="A1"><v>1</v>', FileUnreadable),
        ("<c r='A1'><v>&x;</v></c>", FileUnreadable),
    ],
)
def test_impossible_cells_refuse_the_workbook(tmp_path: Path, inside: str, error: type[ExpectedError]) -> None:
    with pytest.raises(error):
        of_xml(tmp_path, f'<row r="1">{inside}</row>')


def test_entities_are_refused_in_sheets_and_shared_texts(tmp_path: Path) -> None:
    doctype = '<!DOCTYPE x [<!ENTITY a "ha">]>'
    parts = parts_with(f'{doctype}<worksheet><sheetData><row r="1"><c><v>&a;</v></c></row></sheetData></worksheet>')
    with pytest.raises(HostileWorkbook):
        rows(an_archive(tmp_path, parts))
    with pytest.raises(HostileWorkbook):
        rows(an_archive(tmp_path, parts_with(a_sheet(""), sharedStrings=f"{doctype}<sst><si><t>&a;</t></si></sst>")))


def test_phonetic_signs_are_no_text(tmp_path: Path) -> None:
    texts = "<sst><si><r><t>Rat</t></r><r><t>haus</t></r><rPh><t>zzz</t></rPh></si></sst>"
    assert of_xml(tmp_path, '<row r="1"><c r="A1" t="s"><v>0</v></c></row>', sharedStrings=texts) == [(1, ("Rathaus",))]


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with pytest.raises(HostileWorkbook, match="unpacks"):
        rows(an_archive(tmp_path, parts_with(a_sheet(" " * 60_000_000))))

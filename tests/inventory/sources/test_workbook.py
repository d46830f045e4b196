"""An .xlsx file opened so that nothing in it can harm."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from inventory.errors import ExpectedError
from inventory.sources.limits import FileUnreadable, HostileWorkbook
from inventory.sources.workbook import MAX_UNPACKED_BYTES, check_entries, is_workbook, read_sheets
from tests.inventory.builders import a_file
from tests.inventory.sources.workbooks import PARTS, a_sheet, a_workbook, an_archive, parts_with, small_sheet

WANTED = ("vInfo", "vDisk")


def test_the_wanted_sheets_come_as_rows_with_their_numbers(tmp_path: Path) -> None:
    path = a_workbook(tmp_path, {"Other": [["x"]], "vInfo": [["VM"], [], ["srv"]], "tabvDisk": [["VM"]]})
    assert is_workbook(path)
    assert read_sheets(path, WANTED) == {"vInfo": [(1, ("VM",)), (3, ("srv",))], "vDisk": [(1, ("VM",))]}


def test_a_hand_made_workbook_is_read_too(tmp_path: Path) -> None:
    assert read_sheets(an_archive(tmp_path, parts_with(small_sheet())), WANTED)["vInfo"][1] == (2, ("srv",))


def test_a_sheet_padded_with_a_million_empty_rows_is_read_quickly(tmp_path: Path) -> None:
    padding = "".join(f'<row r="{at}"><c r="A{at}" s="0"/></row>' for at in range(3, 1_048_577))
    assert len(read_sheets(an_archive(tmp_path, parts_with(small_sheet(padding))), WANTED)["vInfo"]) == 2


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"PK\x03\x04" + b"x" * 100, b"\xd0\xcf\x11\xe0" + b"x" * 600])
def test_what_is_no_whole_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FileUnreadable):
        read_sheets(a_file(tmp_path, content), WANTED)


def test_an_archive_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    for parts in ({"a.txt": "x"}, {**PARTS, "xl/workbook.xml": "<x"}, {**PARTS, "xl/_rels/workbook.xml.rels": "x"}):
        with pytest.raises(FileUnreadable):
            read_sheets(an_archive(tmp_path, parts), WANTED)


def test_a_missing_or_damaged_sheet_is_an_expected_error_or_no_sheet(tmp_path: Path) -> None:
    assert read_sheets(an_archive(tmp_path, PARTS), WANTED) == {}
    with pytest.raises(FileUnreadable):
        read_sheets(an_archive(tmp_path, parts_with("<worksheet><sheetData><row>")), WANTED)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    sheet = a_sheet(" " * 20_000_000)
    with pytest.raises(HostileWorkbook) as raised:
        read_sheets(an_archive(tmp_path, parts_with(sheet)), WANTED)
    assert "unpacks to" in str(raised.value)


def an_entry(name: str = "xl/a.xml", **attributes: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("x")
    entry.filename = entry.orig_filename = name
    entry.file_size = entry.compress_size = 10
    for attribute, value in attributes.items():
        setattr(entry, attribute, value)
    return entry


@pytest.mark.parametrize(
    "entry",
    [
        an_entry("/etc/passwd"), an_entry("../x"), an_entry("xl/../../x"), an_entry("..\\x"), an_entry("C:x"),
        an_entry(external_attr=stat.S_IFLNK << 16), an_entry(flag_bits=1), an_entry(file_size=10_000_000),
        an_entry(file_size=MAX_UNPACKED_BYTES + 1, compress_size=MAX_UNPACKED_BYTES),
    ],
)  # fmt: skip
def test_entries_that_no_spreadsheet_program_writes_are_refused(entry: zipfile.ZipInfo) -> None:
    with pytest.raises(HostileWorkbook):
        check_entries(Path("x.xlsx"), [entry])


def test_entries_that_stand_there_twice_or_by_the_thousand_are_refused() -> None:
    with pytest.raises(HostileWorkbook):
        check_entries(Path("x.xlsx"), [an_entry(), an_entry()])
    with pytest.raises(HostileWorkbook):
        check_entries(Path("x.xlsx"), [an_entry(f"{at}") for at in range(5_001)])


def test_a_part_longer_than_its_directory_says_never_reaches_the_reader(tmp_path: Path) -> None:
    path = an_archive(tmp_path, parts_with(small_sheet()))
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    lying = path.read_bytes().replace(size.to_bytes(4, "little"), (40).to_bytes(4, "little"))
    path.write_bytes(lying)
    with pytest.raises(FileUnreadable):
        read_sheets(path, WANTED)


def test_declared_entities_are_refused_in_every_part_that_is_read(tmp_path: Path) -> None:
    hostile = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    for name in ("xl/workbook.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"):
        parts = parts_with(small_sheet())
        with pytest.raises(HostileWorkbook):
            read_sheets(an_archive(tmp_path, {**parts, name: hostile + parts.get(name, "<x/>")}), WANTED)


def test_macros_and_media_are_never_looked_at(tmp_path: Path) -> None:
    more = {"xl/vbaProject.bin": b"\0" * 1000, "xl/externalLinks/externalLink1.xml": b"<!DOCTYPE x>"}
    assert read_sheets(an_archive(tmp_path, {**parts_with(small_sheet()), **more}), WANTED)["vInfo"]


def test_a_damaged_byte_anywhere_is_at_most_an_expected_error(tmp_path: Path) -> None:
    good = an_archive(tmp_path, parts_with(small_sheet())).read_bytes()
    for at in range(0, len(good), 7):
        damaged = good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :]
        try:
            read_sheets(a_file(tmp_path, damaged), WANTED)
        except ExpectedError:
            continue

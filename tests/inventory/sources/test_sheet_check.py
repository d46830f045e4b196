"""What the XML parts of a workbook may hold."""

from __future__ import annotations

import pytest

from inventory.sources.limits import HostileWorkbook, TooMuch
from inventory.sources.sheet_check import check_sheet, check_xml, shared_lengths
from tests.inventory.sources.workbooks import a_sheet, small_sheet


def checked(sheet: str, lengths: list[int] | None = None) -> None:
    check_sheet("x.xlsx", sheet.encode(), lengths or [])


def test_an_ordinary_sheet_passes() -> None:
    checked(small_sheet())
    check_xml("x.xlsx", "sheet", small_sheet().encode())


@pytest.mark.parametrize(
    "part",
    [
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
        b'<?xml version="1.0" encoding="UTF-16"?><x/>',
        "<x/>".encode("utf-16"),
        b'<?xml version="1.0" encoding="utf-7"?><x/>',
    ],
)
def test_entities_and_encodings_that_could_hide_them_are_refused(part: bytes) -> None:
    with pytest.raises(HostileWorkbook):
        check_xml("x.xlsx", "sheet", part)


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="XFD1048576"><v>1</v></c>',
        "<c r='XFD1048576'><v>1</v></c>",
        '<x:c r="XFD1048576"><v>1</v></x:c>',
        '<c s="&gt;" r="XFD1048576"><v>1</v></c>',
        '<row r="1048576">' + "<c><v>1</v></c>" * 5 + "</row>",
        "<row>" + "<c/>" + "<c><v>1</v></c>" * 600 + "</row>",
    ],
)
def test_a_cell_far_out_is_refused_however_it_is_written(cell: str) -> None:
    with pytest.raises(TooMuch):
        checked(a_sheet(cell))


@pytest.mark.parametrize(
    "hiding",
    [
        '<![CDATA[<c "]]><c r="XFD1048576"><v>1</v></c>',
        '<!-- <c " --><c r="XFD1048576"><v>1</v></c>',
        '<?x <c " ?><c r="XFD1048576"><v>1</v></c>',
        '<c a="<" r="XFD1048576"><v>1</v></c>',
        '<c r="&#88;FD1048576"><v>1</v></c>',
        '<c r="A99999999"><v>1</v></c>',
        '<c r="XFC1"/><c><v>1</v></c>',
        '<c\tr = "XFC1"/><c><v>1</v></c>',
        '<row r="-1"></row>',
        '<c "',
    ],
)
def test_what_could_hide_a_cell_from_this_look_is_refused(hiding: str) -> None:
    with pytest.raises(HostileWorkbook):
        checked(a_sheet(hiding))


def test_empty_formatted_cells_reach_as_far_as_they_like() -> None:
    checked(small_sheet('<row r="1048576"><c r="A1048576" s="1"/><c r="XFD1048576" s="1" /></row>'))


def test_one_long_shared_text_in_a_million_cells_is_refused() -> None:
    lengths = shared_lengths("x.xlsx", b"<sst><si><t>" + b"x" * 30_000 + b"</t></si><si><t>short</t></si></sst>")
    assert len(lengths) == 2 and lengths[0] > 30_000
    many = "".join(f'<row><c r="A{at}" t="s"><v> 0 </v></c></row>' for at in range(1, 20_001))
    with pytest.raises(TooMuch):
        checked(a_sheet(many), lengths)
    checked(a_sheet(many.replace(" 0 ", "1")), lengths)


def test_shared_texts_may_not_hold_declarations() -> None:
    with pytest.raises(HostileWorkbook):
        shared_lengths("x.xlsx", b"<sst><![CDATA[<si>]]></sst>")

"""What the XML parts of a workbook may hold, looked at before any spreadsheet reader sees them."""

from __future__ import annotations

import re
from itertools import pairwise

from inventory.errors import because
from inventory.sources.limits import MAX_COLUMNS, MIB, HostileWorkbook, TooMuch

MAX_SHEET_ROWS = 20_001
"""Headings and 20,000 rows."""
MAX_SHEET_CELLS = 4_000_000
MAX_SHEET_TEXT_BYTES = 500 * MIB
"""Text of all cells of one sheet; a shared text counts as often as a cell refers to it."""
_PREFIX = rb"""<(?:[^\s<>/:"'=]++:)?"""
_CELL_START = re.compile(_PREFIX + rb"(?:c|row)[\s/>]")
_CELL_OR_ROW = re.compile(_PREFIX + rb"""(c|row)(\s(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+|/?)>""")
_REFERENCE = re.compile(rb"""\sr\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ANY_REFERENCE = re.compile(_PREFIX + rb"""c\s[^<>]*?\br\s*=""")
_CELL_NAME = re.compile(rb"([A-Z]{1,3})([0-9]{1,7})")
_VALUE = re.compile(_PREFIX + rb"v(?:\s[^<>]*+)?>([^<]*)")
_SHARED = re.compile(_PREFIX + rb"si[\s/>]")
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([^"']+)["']""")


def check_xml(file: object, name: str, part: bytes) -> None:
    """Refuse what could hide something: other encodings than UTF-8, declared entities. Raises HostileWorkbook."""
    encoding = _ENCODING.match(part.removeprefix(b"\xef\xbb\xbf"))
    if b"\0" in part or (encoding and encoding[1].lower() not in (b"utf-8", b"us-ascii")):
        raise HostileWorkbook(file=file, why=because("{a!r} is not written in UTF-8", a=name[:60]))
    if b"<!DOCTYPE" in part or b"<!ENTITY" in part:
        raise HostileWorkbook(file=file, why=because("{a!r} declares entities of its own", a=name[:60]))


def shared_lengths(file: object, part: bytes) -> list[int]:
    """Bytes of each shared text, in their order. Raises HostileWorkbook."""
    if b"<!" in part:
        raise HostileWorkbook(file=file, why="its shared texts hold comments or declarations")
    starts = [found.start() for found in _SHARED.finditer(part)]
    return [end - start for start, end in pairwise([*starts, len(part)])]


def check_sheet(file: object, part: bytes, lengths: list[int]) -> None:
    """Refuse a sheet whose table, gaps between its cells included, would not fit into memory.

    Comments and further instructions are refused because they could hide cells from this look.
    Raises HostileWorkbook or TooMuch.
    """
    if b"<!" in part or part.count(b"<?") > 1:
        raise HostileWorkbook(file=file, why="a sheet holds comments or instructions")
    columns, rows = _extent(file, part)
    if columns > MAX_COLUMNS:
        raise TooMuch(file=file, found=columns, what="columns", limit=MAX_COLUMNS)
    if rows * columns > MAX_SHEET_CELLS:
        raise TooMuch(file=file, found=rows, what="rows", limit=MAX_SHEET_ROWS)
    if sum(_text_bytes(found[1], lengths) for found in _VALUE.finditer(part)) > MAX_SHEET_TEXT_BYTES:
        raise TooMuch(file=file, found="more text", what="in one sheet", limit=f"{MAX_SHEET_TEXT_BYTES // MIB} MiB")


def _text_bytes(value: bytes, lengths: list[int]) -> int:
    """What a value may weigh: the shared text of that number, should it be one."""
    digits = value.strip()
    if digits.isdigit() and len(digits) < 9:
        number = int(digits)
        return lengths[number] if number < len(lengths) else 0
    return max(lengths, default=0) if b"&#" in value else len(value)


def _extent(file: object, part: bytes) -> tuple[int, int]:
    """The last column and row with a cell that is not empty."""
    widest = deepest = row = column = seen = 0
    is_counted = False
    for found in _CELL_OR_ROW.finditer(part):
        seen += 1
        tag, attributes = found.groups()
        if tag == b"row":
            reference = _REFERENCE.search(attributes)
            row, column = (_row_number(file, reference[1] or reference[2] or b"") if reference else row + 1), 0
            continue
        column += 1
        if attributes.endswith(b"/"):
            continue
        if reference := _REFERENCE.search(attributes):
            column, row = _cell_position(file, reference[1] or reference[2] or b"")
        else:
            is_counted = True
        widest, deepest = max(widest, column), max(deepest, row)
    if seen != len(_CELL_START.findall(part)):
        raise HostileWorkbook(file=file, why="a cell of it is not written as XML")
    if is_counted and _ANY_REFERENCE.search(part):
        # Empty cells are not looked at above, so the place of an unnamed cell after a named one is not known.
        raise HostileWorkbook(file=file, why="some of its cells name their place and some do not")
    return widest, deepest


def _row_number(file: object, text: bytes) -> int:
    if not text.isdigit() or len(text) > 7:
        raise HostileWorkbook(file=file, why=because("{a!r} is no row number", a=text[:20]))
    return int(text)


def _cell_position(file: object, text: bytes) -> tuple[int, int]:
    found = _CELL_NAME.fullmatch(text)
    if not found:
        raise HostileWorkbook(file=file, why=because("{a!r} is no cell", a=text[:20]))
    column = 0
    for letter in found[1]:
        column = column * 26 + letter - 64
    return column, int(found[2])

"""A workbook's sheets read row by row, so that a large list needs little memory and an endless one little time.

The parts are unpacked as a stream and given to expat, which fetches nothing; document types are refused. Of a formula
its last result counts, as the spreadsheet program stored it; it is never calculated here. Dates come as YYYY-MM-DD,
numbers with a decimal comma, as a German office would have written them in a text file.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO
from xml.parsers import expat

from inventory.errors import ExpectedError, because
from inventory.sources.limits import MAX_COLUMNS, MIB, FileUnreadable, HostileWorkbook, TooMuch, read_bytes
from inventory.sources.workbook import FRAME_PARTS, OLE_START, check_entries, check_frame, is_workbook, sheets_of

MAX_SHEET_ROWS = 1_048_576
MAX_CELL = 32_767
"""What a spreadsheet program itself allows in one cell."""
MAX_SHARED_BYTES = 120 * MIB
BLANK_RUN = 20_000
"""After so many empty rows in a row nobody's list goes on."""
_CHUNK = 256 * 1024
_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_NOT_A_FORMAT_LETTER = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_TEXTS, _STYLES = "xl/sharedStrings.xml", "xl/styles.xml"

SheetRow = tuple[int, tuple[str, ...]]
"""Row number as a person counts, and the cells up to the last one that says something."""


@dataclass(slots=True)
class Book:
    """An opened workbook: its sheets by name, in their order, hidden ones left out."""

    path: Path
    archive: zipfile.ZipFile
    parts: dict[str, str]
    texts: list[str]
    date_styles: frozenset[int]
    since_1904: bool
    notes: list[str] = field(default_factory=list)

    @property
    def sheets(self) -> tuple[str, ...]:
        """Names of the sheets."""
        return tuple(self.parts)

    def rows(self, sheet: str) -> Iterator[SheetRow]:
        """The rows that are not empty. Raises HostileWorkbook, TooMuch or FileUnreadable."""
        reader = _SheetReader(self)
        try:
            with self.archive.open(self.parts[sheet]) as opened:
                yield from reader.rows(opened)
        except ExpectedError:
            raise
        except Exception as cause:
            raise FileUnreadable(file=self.path, why="its sheets are damaged") from cause


def sheet_names(path: Path) -> tuple[str, ...]:
    """The names of a workbook's sheets. Raises FileUnreadable or HostileWorkbook."""
    return _opened(path, with_texts=False).sheets


def has_sheet(path: Path, name: str) -> bool:
    """Whether it is a workbook with a sheet of that name; an unreadable one has none."""
    if not is_workbook(path):
        return False
    try:
        return any(one.casefold().removeprefix("tab") == name.casefold() for one in sheet_names(path))
    except ExpectedError:
        return False


def open_book(path: Path) -> Book:
    """The workbook, its shared texts and formats read. Raises FileUnreadable or HostileWorkbook."""
    return _opened(path, with_texts=True)


def _opened(path: Path, *, with_texts: bool) -> Book:
    content = read_bytes(path)
    if content.startswith(OLE_START):
        raise FileUnreadable(file=path, why="it is encrypted or in the old .xls format; save it as .xlsx, no password")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
        check_entries(path, entries)
        frame = {one.filename: archive.read(one) for one in entries if one.filename in FRAME_PARTS - {_TEXTS}}
        check_frame(path, frame)
        known = {one.filename for one in entries}
        parts = {name: part for name, part in sheets_of(frame).items() if part in known}
        texts = _shared_texts(path, archive) if with_texts and _TEXTS in known else []
        styles = _date_styles(path, frame.get(_STYLES, b""))
    except ExpectedError:
        raise
    except Exception as cause:
        raise FileUnreadable(file=path, why="it is no undamaged .xlsx workbook") from cause
    since_1904 = re.search(rb"""date1904\s*=\s*["'](1|true)["']""", frame["xl/workbook.xml"]) is not None
    return Book(path, archive, parts, texts, styles, since_1904)


def _parser(path: Path) -> expat.XMLParserType:
    """A parser that declares nothing and fetches nothing."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.ordered_attributes = True

    def refuse(*_declared: object) -> None:
        raise HostileWorkbook(file=path, why="it declares entities of its own")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def _fed(path: Path, parser: expat.XMLParserType, opened: IO[bytes]) -> Iterator[None]:
    """Feed the part piece by piece; whoever collects rows takes them in between."""
    try:
        while chunk := opened.read(_CHUNK):
            parser.Parse(chunk, False)
            yield
        parser.Parse(b"", True)
        yield
    except expat.ExpatError as cause:
        raise FileUnreadable(file=path, why="its sheets are damaged") from cause


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


def _shared_texts(path: Path, archive: zipfile.ZipFile) -> list[str]:
    """The shared texts in their order, without phonetic signs."""
    reader = _TextReader(path)
    parser = _parser(path)
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.characters
    with archive.open(_TEXTS) as opened:
        for _ in _fed(path, parser, opened):
            pass
    return reader.texts


class _TextReader:
    """Shared texts, collected while expat runs over them."""

    def __init__(self, path: Path) -> None:
        self.texts: list[str] = []
        self._path = path
        self._pieces: list[str] = []
        self._is_text = self._is_phonetic = False
        self._weight = 0

    def start(self, tag: str, _attributes: Sequence[str]) -> None:
        name = _local(tag)
        if name == "si":
            self._pieces.clear()
        elif name == "rPh":
            self._is_phonetic = True
        elif name == "t":
            self._is_text = not self._is_phonetic

    def characters(self, text: str) -> None:
        if self._is_text:
            self._pieces.append(text)

    def end(self, tag: str) -> None:
        name = _local(tag)
        if name == "t":
            self._is_text = False
        elif name == "rPh":
            self._is_phonetic = False
        elif name == "si":
            text = "".join(self._pieces)
            self._weight += len(text)
            if self._weight > MAX_SHARED_BYTES:
                limit = f"{MAX_SHARED_BYTES // MIB} MiB"
                raise TooMuch(file=self._path, found="more text", what="in one workbook", limit=limit)
            self.texts.append(text if len(text) <= MAX_CELL else text[: MAX_CELL + 1])


def _date_styles(path: Path, part: bytes) -> frozenset[int]:
    """Numbers of the cell styles that show a number as a date."""
    own: dict[int, str] = {}
    styles: list[int] = []
    state = {"in_cells": False}

    def start(tag: str, attributes: Sequence[str]) -> None:
        name, said = _local(tag), dict(zip(attributes[::2], attributes[1::2], strict=False))
        if name == "numFmt":
            own[_whole(said.get("numFmtId"))] = said.get("formatCode", "")
        elif name == "cellXfs":
            state["in_cells"] = True
        elif name == "xf" and state["in_cells"]:
            styles.append(_whole(said.get("numFmtId")))

    def end(tag: str) -> None:
        if _local(tag) == "cellXfs":
            state["in_cells"] = False

    if not part:
        return frozenset()
    parser = _parser(path)
    parser.StartElementHandler, parser.EndElementHandler = start, end
    for _ in _fed(path, parser, io.BytesIO(part)):
        pass
    return frozenset(at for at, number in enumerate(styles) if number in _DATE_FORMATS or _is_date(own.get(number, "")))


def _is_date(code: str) -> bool:
    """Whether a format of the user's own shows a date: it has letters of day, month or year outside of quotes."""
    return re.search(r"[dmyDMY]", _NOT_A_FORMAT_LETTER.sub("", code.replace("General", ""))) is not None


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else -1


class _SheetReader:
    """Rows of one sheet, collected while expat runs over it."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._row = self._column = 0
        self._cells: dict[int, str] = {}
        self._ready: list[SheetRow] = []
        self._kind = self._style = ""
        self._pieces: list[str] | None = None
        self._last_filled = 0
        self._is_over = False

    def rows(self, opened: IO[bytes]) -> Iterator[SheetRow]:
        """The rows that are not empty, as they come."""
        parser = _parser(self._book.path)
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        for _ in _fed(self._book.path, parser, opened):
            yield from self._ready
            self._ready.clear()
            if self._is_over:
                self._book.notes.append(
                    f"After row {self._last_filled} come only empty rows; what stands far below was not read."
                )
                return

    def _start(self, tag: str, attributes: Sequence[str]) -> None:
        name = tag if ":" not in tag else _local(tag)
        if name == "c":
            self._open_cell(attributes)
        elif name in ("v", "t"):
            self._pieces = []
        elif name == "row":
            self._open_row(attributes)

    def _open_row(self, attributes: Sequence[str]) -> None:
        said = dict(zip(attributes[::2], attributes[1::2], strict=False))
        self._row = _whole(said["r"]) if "r" in said else self._row + 1
        if not 0 < self._row <= MAX_SHEET_ROWS:
            raise HostileWorkbook(file=self._book.path, why=because("{a!r} is no row number", a=said.get("r", "")[:20]))
        self._column = 0
        if self._row - self._last_filled > BLANK_RUN and self._last_filled:
            self._is_over = True

    def _open_cell(self, attributes: Sequence[str]) -> None:
        self._column += 1
        self._kind, self._style = "n", ""
        for at in range(0, len(attributes), 2):
            if attributes[at] == "r":
                self._column = _column_of(self._book.path, attributes[at + 1])
            elif attributes[at] == "t":
                self._kind = attributes[at + 1]
            elif attributes[at] == "s":
                self._style = attributes[at + 1]

    def _characters(self, text: str) -> None:
        if self._pieces is not None:
            self._pieces.append(text)

    def _end(self, tag: str) -> None:
        name = tag if ":" not in tag else _local(tag)
        if name in ("v", "t") and self._pieces is not None:
            text = self._value("".join(self._pieces)) if name == "v" else "".join(self._pieces)
            self._pieces = None
            if text and self._column:
                self._put(text)
        elif name == "row" and self._cells:
            if not self._is_over:
                widest = max(self._cells)
                get = self._cells.get
                self._ready.append((self._row, tuple(get(at, "") for at in range(1, widest + 1))))
                self._last_filled = self._row
            self._cells = {}

    def _put(self, text: str) -> None:
        if self._column > MAX_COLUMNS:
            raise TooMuch(file=self._book.path, found=self._column, what="columns", limit=MAX_COLUMNS)
        before = self._cells.get(self._column, "")
        text = (before + text).strip()
        if len(text) > MAX_CELL:
            why = because("row {a}, cell {b} holds more than {c} characters", a=self._row, b=self._column, c=MAX_CELL)
            raise HostileWorkbook(file=self._book.path, why=why)
        if text:
            self._cells[self._column] = text

    def _value(self, raw: str) -> str:
        """The stored value as text; errors such as ``#REF!`` say nothing."""
        kind = self._kind
        if kind == "s":
            number = _whole(raw.strip())
            return self._book.texts[number] if 0 <= number < len(self._book.texts) else ""
        if kind in ("str", "d"):
            return raw
        if kind == "b":
            return "ja" if raw.strip() == "1" else "nein"
        if kind == "e":
            return ""
        return self._number(raw.strip())

    def _number(self, raw: str) -> str:
        try:
            value = float(raw)
        except ValueError:
            return raw
        if _whole(self._style) in self._book.date_styles:
            return _day(value, since_1904=self._book.since_1904)
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return f"{value:.12g}".replace(".", ",")


def _day(serial: float, *, since_1904: bool) -> str:
    """The day of a spreadsheet's serial number. Its calendar since 1900 has a 29 February 1900 that never was."""
    if not 0 <= serial < 2_958_466:
        return ""
    epoch = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 - a day has no zone
    if not since_1904 and serial < 60:
        serial += 1
    return (epoch + timedelta(days=int(serial))).date().isoformat()


def _column_of(path: Path, reference: str) -> int:
    column = 0
    for letter in reference:
        if "A" <= letter <= "Z":
            column = column * 26 + ord(letter) - 64
        else:
            break
    if not 0 < column <= 16_384:
        raise HostileWorkbook(file=path, why=because("{a!r} is no cell", a=reference[:20]))
    return column

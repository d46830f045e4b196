"""An .xlsx file opened so that nothing in it can harm: named sheets as rows of cells.

The archive is unpacked by Python within limits, the few parts that are needed are looked through, and only they are
handed to the spreadsheet reader, in a new archive. So what it sees is exactly what was checked: lying sizes,
overlapping entries, symbolic links, macros, external links and media never reach it.
"""

from __future__ import annotations

import io
import posixpath
import stat
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree

from python_calamine import CalamineWorkbook

from inventory.errors import ExpectedError, because
from inventory.sources.limits import MIB, FileUnreadable, HostileWorkbook, read_bytes, read_start
from inventory.sources.sheet_check import check_sheet, check_xml, shared_lengths

MAX_UNPACKED_BYTES = 200 * MIB
MAX_RATIO = 200
"""An entry above 1 MiB that unpacks to more than this many times its packed size is a bomb."""
MAX_ENTRIES = 5_000
ZIP_START, OLE_START = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_BOOK, _RELATIONS, _TEXTS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"
FRAME_PARTS = frozenset({"[Content_Types].xml", "_rels/.rels", _BOOK, _RELATIONS, "xl/styles.xml", _TEXTS})
"""Parts that a reader needs beside the sheets themselves."""
_MAX_FRAME_BYTES = 10 * MIB

Cells = tuple[object, ...]
T = TypeVar("T")


def is_workbook(path: Path) -> bool:
    """Whether the file is an .xlsx archive, or an old or encrypted workbook that only the reading can refuse well."""
    return read_start(path).startswith((ZIP_START, OLE_START))


def read_sheets(path: Path, wanted: Sequence[str]) -> dict[str, list[tuple[int, Cells]]]:
    """The wanted sheets that are there, each as (row number as a person counts, cells); empty rows left out.

    Raises FileUnreadable, TooMuch or HostileWorkbook.
    """
    content = read_bytes(path)
    if content.startswith(OLE_START):
        raise FileUnreadable(file=path, why="it is encrypted or in the old .xls format; save it as .xlsx, no password")
    sheets, parts = _checked_parts(path, content, wanted)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    packed.seek(0)
    workbook = _guarded(path, lambda: CalamineWorkbook.from_filelike(packed))
    return _guarded(path, lambda: {name: _rows(workbook, real) for name, real in sheets.items()})


def _rows(workbook: CalamineWorkbook, sheet: str) -> list[tuple[int, Cells]]:
    rows = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    return [(number, tuple(row)) for number, row in enumerate(rows, start=1) if any(cell != "" for cell in row)]


def _guarded(path: Path, read: Callable[[], T]) -> T:
    """Whatever the reader raises, panics of its Rust part included, as an expected error."""
    try:
        return read()
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, ExpectedError):
        raise
    except BaseException as cause:
        raise FileUnreadable(file=path, why=because("its sheets are damaged ({a})", a=type(cause).__name__)) from cause


def _checked_parts(path: Path, content: bytes, wanted: Sequence[str]) -> tuple[dict[str, str], dict[str, bytes]]:
    """Wanted name -> the sheet's real name, and every part to hand on, unpacked within the limits and checked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            check_entries(path, entries)
            parts = {entry.filename: archive.read(entry) for entry in entries if entry.filename in FRAME_PARTS}
            check_frame(path, parts)
            sheets = _sheet_parts(parts, wanted)
            names = {entry.filename for entry in entries}
            parts |= {part: archive.read(part) for _, part in sheets.values() if part in names}
    except ExpectedError:
        raise
    except Exception as cause:
        raise FileUnreadable(file=path, why="it is no undamaged .xlsx workbook") from cause
    lengths = shared_lengths(path, parts.get(_TEXTS, b""))
    for _, part in sheets.values():
        if part in parts:
            check_xml(path, part, parts[part])
            check_sheet(path, parts[part], lengths)
    return {name: real for name, (real, part) in sheets.items() if part in parts}, parts


def check_entries(path: Path, entries: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse archives that no spreadsheet program writes, by their directory alone. Raises HostileWorkbook."""
    if len(entries) > MAX_ENTRIES:
        raise HostileWorkbook(file=path, why=because("it has {a} entries", a=len(entries)))
    if len({entry.filename for entry in entries}) != len(entries):
        raise HostileWorkbook(file=path, why="an entry stands in it twice")
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise HostileWorkbook(file=path, why=because("it unpacks to more than {a} MiB", a=MAX_UNPACKED_BYTES // MIB))
    for entry in entries:
        name = entry.orig_filename
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise HostileWorkbook(file=path, why=because("the entry {a!r} points outside of it", a=name[:60]))
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise HostileWorkbook(file=path, why=because("the entry {a!r} is a symbolic link", a=name[:60]))
        if entry.flag_bits & 0x1:
            raise HostileWorkbook(file=path, why="it is encrypted")
        if entry.file_size > MIB and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise HostileWorkbook(
                file=path, why=because("the entry {a!r} unpacks to {b} MiB", a=name[:60], b=entry.file_size // MIB)
            )


def check_frame(path: Path, parts: Mapping[str, bytes]) -> None:
    """Refuse parts that no spreadsheet program writes. Raises FileUnreadable or HostileWorkbook."""
    if _BOOK not in parts or _RELATIONS not in parts:
        raise FileUnreadable(file=path, why="it is an archive but no .xlsx workbook")
    for name, part in parts.items():
        check_xml(path, name, part)
        if name != _TEXTS and len(part) > _MAX_FRAME_BYTES:
            raise HostileWorkbook(file=path, why=because("{a!r} is {b} MiB long", a=name, b=len(part) // MIB))


def sheets_of(parts: Mapping[str, bytes], *, with_hidden: bool = False) -> dict[str, str]:
    """Name of each sheet, in their order -> its part."""
    relations = {
        one.get("Id", ""): posixpath.normpath(posixpath.join("/xl", one.get("Target", "")))[1:]
        for one in ElementTree.fromstring(parts[_RELATIONS])
    }
    found: dict[str, str] = {}
    for element in ElementTree.fromstring(parts[_BOOK]).iter():
        if element.tag.rpartition("}")[2] != "sheet" or (
            element.get("state", "visible") != "visible" and not with_hidden
        ):
            continue
        relation = next((value for key, value in element.attrib.items() if key.endswith("}id")), "")
        if relation in relations:
            found.setdefault(element.get("name", ""), relations[relation])
    return found


def _sheet_parts(parts: Mapping[str, bytes], wanted: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Wanted name -> the sheet's real name and its part; ``tabvInfo`` is an old name of ``vInfo``."""
    found: dict[str, tuple[str, str]] = {}
    for real, part in sheets_of(parts, with_hidden=True).items():
        for name in wanted:
            if real.casefold().removeprefix("tab") == name.casefold():
                found.setdefault(name, (real, part))
    return found

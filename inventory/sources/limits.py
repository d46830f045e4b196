"""How much of a foreign file is taken at all, and the errors that refuse a whole file."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

from inventory.errors import ExpectedError

MIB = 1024 * 1024
MAX_FILE_BYTES = 100 * MIB
MAX_ROWS = 1_000_000
MAX_COLUMNS = 500
_GZIP_START = b"\x1f\x8b"
LOOK_BYTES = 64 * 1024
"""How much is read to recognise a format."""


class FileUnreadable(ExpectedError):
    """Nothing of the file can be read."""

    code, says = "INV-002", "{file} cannot be read: {why}."
    remedy = "Check the file, or export it again from the program it comes from."
    exit_code = 2


class TooMuch(ExpectedError):
    """The file is larger than what is taken at once."""

    code, says = "INV-003", "{file} has {found} {what}; at most {limit} are taken."
    remedy = "Split the file and import the parts one after the other."
    exit_code = 2


class FormatUnknown(ExpectedError):
    """No source recognises the file."""

    code, says = "INV-004", "{file} is of no known format."
    remedy = "Known are: {known}. See docs/formats.md; for any other list: `kahn asset profile propose FILE NAME`."
    exit_code = 2


class BrokenFile(ExpectedError):
    """The file is of a known format but breaks its rules in a way that makes the rest doubtful."""

    code, says = "INV-005", "{place}: {why}."
    remedy = "Correct that place and import the file again; nothing of it was taken."
    exit_code = 2


class HostileWorkbook(ExpectedError):
    """The workbook holds what no program writes by accident."""

    code, says = "INV-006", "{file} was not opened: {why}."
    remedy = "Ask where the file comes from; save a fresh copy from the spreadsheet program and import that."
    exit_code = 2


class SheetMissing(ExpectedError):
    """The workbook lacks a sheet or column without which it says nothing."""

    code, says = "INV-007", "{file} has no {missing}."
    remedy = "Export all tabs again from RVTools (File, Export all to Excel)."
    exit_code = 2


class ColumnRefused(ExpectedError):
    """A column that cannot be taken; the other columns are."""

    code, says = "INV-008", "The column {column!r} was not taken: {why}."
    remedy = "Rename or remove the column; see docs/native-format.md for the known ones."
    exit_code = 8


class RowRefused(ExpectedError):
    """A row that cannot be taken as a whole."""

    code, says = "INV-009", "The row was not taken: {why}."
    remedy = "Correct the row in the source, or in the file of refused rows, and import it again."
    exit_code = 8


def read_bytes(path: Path, *, limit: int = MAX_FILE_BYTES) -> bytes:
    """The file's bytes, unpacked when it is gzipped, never more than ``limit``. Raises FileUnreadable or TooMuch."""
    content = _read(path, limit + 1)
    if content.startswith(_GZIP_START) and len(content) <= limit:
        content = _unpacked(path, content, limit + 1)
    if len(content) > limit:
        raise TooMuch(file=path, found=f"more than {limit // MIB}", what="MiB", limit=limit // MIB)
    return content


def read_start(path: Path) -> bytes:
    """The file's first bytes, enough to recognise its format, unpacked when it is gzipped. Raises FileUnreadable."""
    start = _read(path, LOOK_BYTES)
    if not start.startswith(_GZIP_START):
        return start
    try:
        return zlib.decompressobj(wbits=31).decompress(start, LOOK_BYTES)
    except zlib.error as cause:
        raise FileUnreadable(file=path, why="it is a damaged gzip file") from cause


def _unpacked(path: Path, content: bytes, count: int) -> bytes:
    """At most ``count`` bytes: a bomb is never unpacked further."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            return packed.read(count)
    except (OSError, EOFError, zlib.error) as cause:
        raise FileUnreadable(file=path, why="it is a damaged gzip file") from cause


def _read(path: Path, count: int) -> bytes:
    try:
        if not path.is_file():
            raise FileUnreadable(file=path, why="there is no such file, or it is no ordinary file")
        with path.open("rb") as opened:
            return opened.read(count)
    except (OSError, ValueError) as cause:
        why = cause.strerror if isinstance(cause, OSError) and cause.strerror else "its name is not valid"
        raise FileUnreadable(file=path, why=why) from cause

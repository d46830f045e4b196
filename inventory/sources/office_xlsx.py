"""The same list of machines in a workbook: the sheet with the most known headings, or the one the profile names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from inventory.errors import because
from inventory.mapping import MappingProfile
from inventory.observation import Place, Reading
from inventory.sources.limits import BrokenFile
from inventory.sources.office_list import ListFile, Numbered, does_not_fit, heading_row, read_list, source_of
from inventory.sources.sheet_stream import Book, open_book
from inventory.sources.workbook import is_workbook


class OfficeXlsx:
    """A German administration's list of machines as a workbook."""

    name = "office-xlsx"

    def __init__(self, profile: MappingProfile | None = None) -> None:
        self._profile = profile

    def recognises(self, path: Path) -> bool:
        """Whether it is a workbook; asked last, so that a workbook of no other kind is refused for its own reason."""
        return is_workbook(path)

    def read(self, path: Path) -> Reading:
        """Every machine of the list. Raises ExpectedError."""
        file = ListFile(path=path, source=source_of(self._profile, self.name), profile=self._profile)
        book = open_book(path)
        sheet, headings, others = chosen_sheet(file, book)
        body = (one for one in book.rows(sheet) if one[0] > headings[0])
        reading = read_list(file, headings, body)
        notes = [
            f"The sheet {other[:60]!r} holds a list too and was not read; keep a profile for it." for other in others
        ]
        return replace(reading, notes=(*reading.notes, *book.notes, *notes))


def chosen_sheet(file: ListFile, book: Book) -> tuple[str, Numbered, tuple[str, ...]]:
    """The sheet to read, its headings, and other sheets that hold lists. Raises BrokenFile."""
    wanted = file.profile.sheet if file.profile is not None else ""
    found = {
        sheet: best
        for sheet in book.sheets
        if (not wanted or sheet == wanted) and (best := heading_row(file, _first_rows(book, sheet))) is not None
    }
    if not found:
        if file.profile is not None:
            raise does_not_fit(file)
        why = "no headings of a machine list were found in any sheet"
        if wanted:
            why = because("no headings of a machine list were found in the sheet {a!r}", a=wanted[:60])
        raise BrokenFile(place=Place(file=str(file.path)), why=why)
    chosen = max(found, key=lambda sheet: found[sheet][0])
    return chosen, found[chosen][1], tuple(sheet for sheet in found if sheet != chosen)


def _first_rows(book: Book, sheet: str) -> Iterator[Numbered]:
    yield from book.rows(sheet)

"""The German office CSV: a list of machines as an administration keeps it, any encoding and separator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from inventory.errors import ExpectedError
from inventory.mapping import MappingProfile
from inventory.observation import Place, Reading
from inventory.sources.cells import SEPARATORS, Row, decoded, rows_of
from inventory.sources.limits import BrokenFile, read_bytes, read_start
from inventory.sources.office_list import ListFile, Numbered, does_not_fit, heading_row, read_list, source_of


class OfficeCsv:
    """A German administration's list of machines as text."""

    name = "office-csv"

    def __init__(self, profile: MappingProfile | None = None) -> None:
        self._profile = profile

    def recognises(self, path: Path) -> bool:
        """Whether headings of a machine list stand within the first rows."""
        try:
            start = decoded(path, read_start(path), is_start=True)
            return layout(self._file(path), start[: start.rfind("\n") + 1] or start) is not None
        except ExpectedError:
            return False

    def read(self, path: Path) -> Reading:
        """Every machine of the list. Raises ExpectedError."""
        text = decoded(path, read_bytes(path))
        found = layout(self._file(path), text)
        if found is None and self._profile is not None:
            raise does_not_fit(self._file(path))
        if found is None:
            raise BrokenFile(place=Place(file=str(path)), why="no headings of a machine list were found")
        separator, headings = found
        body = (one for one in numbered(path, text, separator) if one[0] > headings[0])
        return read_list(self._file(path), headings, body)

    def _file(self, path: Path) -> ListFile:
        return ListFile(path=path, source=source_of(self._profile, self.name), profile=self._profile)


def layout(file: ListFile, text: str) -> tuple[str, Numbered] | None:
    """The separator and the heading row: those with the most known headings."""
    best: tuple[int, str, Numbered] | None = None
    for separator in SEPARATORS:
        found = heading_row(file, _until_broken(numbered(file.path, text, separator)))
        if found is not None and (best is None or found[0] > best[0]):
            best = found[0], separator, found[1]
    return (best[1], best[2]) if best else None


def _until_broken(rows: Iterator[Numbered]) -> Iterator[Numbered]:
    """The rows before one that breaks the rules; reading the list then names that one."""
    try:
        yield from rows
    except ExpectedError:
        return


def numbered(path: Path, text: str, separator: str) -> Iterator[tuple[int, Row]]:
    """The rows with their numbers. Raises BrokenFile or TooMuch."""
    return enumerate(rows_of(path, text, separator), start=1)

"""The native form as CSV: one file per section, recognised by its first heading; headings are field names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inventory.errors import ExpectedError, because
from inventory.model import AssetKind
from inventory.observation import Observation, ObservedDependency, Place, Reading, Refusal, refusal_of
from inventory.rejects import OWN_COLUMNS
from inventory.sources.cells import SEPARATORS, Row, decoded, rows_of
from inventory.sources.limits import BrokenFile, ColumnRefused, RowRefused, read_bytes, read_start
from inventory.sources.native_form import BY_HEADING, Section, taken_entry
from inventory.sources.records import Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """One file's section and headings; ``columns`` are those taken, position -> column name."""

    section: Section
    headings: Row
    columns: Mapping[int, str]


class NativeCsv:
    """Kahn's own form, one CSV file per section."""

    name = "native-csv"

    def recognises(self, path: Path) -> bool:
        """Whether the first heading is that of a section."""
        try:
            start = decoded(path, read_start(path), is_start=True)
        except ExpectedError:
            return False
        return _separator(start) is not None

    def read(self, path: Path) -> Reading:
        """Observations or dependencies of one section. Raises ExpectedError."""
        text = decoded(path, read_bytes(path))
        separator = _separator(text)
        if separator is None:
            raise BrokenFile(place=Place(file=str(path), row=1), why="the first heading names no section")
        rows = rows_of(path, text, separator)
        table, problems = _table(path, next(rows, ()))
        observations: list[Observation] = []
        dependencies: list[ObservedDependency] = []
        for number, row in enumerate(rows, start=2):
            taken = self._taken(table, Place(file=str(path), row=number), row)
            if isinstance(taken, Observation):
                observations.append(taken)
            elif isinstance(taken, ObservedDependency):
                dependencies.append(taken)
            else:
                problems += taken
        return Reading(
            source=self.name,
            observations=tuple(observations),
            dependencies=tuple(dependencies),
            refusals=tuple(problems),
            headings=table.headings,
        )

    def _taken(self, table: _Table, place: Place, row: Row) -> Observation | ObservedDependency | tuple[Refusal, ...]:
        if any(row[len(table.headings) :]):
            return (refusal_of(RowRefused(why="it has more cells than there are headings"), place, row),)
        cells = [(name, row[at]) for at, name in table.columns.items() if at < len(row) and row[at]]
        if not cells:
            return ()
        claim = Claim(kind=AssetKind.SITE, place=place, source=self.name, row=row)
        return taken_entry(table.section, claim, cells)


def _separator(text: str) -> str | None:
    """The separator with which the first heading is that of a section."""
    first_line = text.lstrip("\ufeff").split("\n", 1)[0].strip()
    for separator in SEPARATORS:
        if first_line.split(separator)[0].strip().strip('"').casefold() in BY_HEADING:
            return separator
    return None


def _table(path: Path, headings: Row) -> tuple[_Table, list[Refusal]]:
    """Which columns are taken, and a refusal for each that is unknown or stands there twice."""
    section = BY_HEADING.get(headings[0].casefold() if headings else "")
    if section is None:
        raise BrokenFile(place=Place(file=str(path), row=1), why="the first heading names no section")
    columns: dict[int, str] = {}
    refusals: list[Refusal] = []
    for at, heading in enumerate(headings):
        name = heading.casefold()
        if not name or name in OWN_COLUMNS:
            continue
        why = because("{a} have no such field", a=section.key) if not section.takes(name) else ""
        why = why or ("it stands there twice" if name in columns.values() else "")
        if why:
            error = ColumnRefused(column=heading[:80], why=why)
            refusals.append(refusal_of(error, Place(file=str(path), row=1, column=heading[:80])))
        else:
            columns[at] = name
    return _Table(section=section, headings=headings, columns=columns), refusals

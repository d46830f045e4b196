"""The native form as one JSON document: ``{"kahn_inventory": 1, "sites": [...], ..., "dependencies": [...]}``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from inventory.errors import ExpectedError, because
from inventory.model import AssetKind, is_attribute
from inventory.observation import Observation, ObservedDependency, Place, Reading, Refusal, refusal_of
from inventory.sources.cells import decoded
from inventory.sources.json_text import json_document
from inventory.sources.limits import MAX_ROWS, BrokenFile, ColumnRefused, RowRefused, TooMuch, read_bytes, read_start
from inventory.sources.native_form import BY_KEY, DEPENDENCY_COLUMNS, Section, taken_entry
from inventory.sources.records import Claim

MARK = "kahn_inventory"
VERSION = 1
MAX_DEPTH = 4
"""Document, section, entry, list of names."""
HEADINGS = ("section", "entry")


class NativeJson:
    """Kahn's own form as JSON; an entry's row number is its position in its section, from 1."""

    name = "native-json"

    def recognises(self, path: Path) -> bool:
        """Whether it is a JSON document with Kahn's mark."""
        try:
            start = decoded(path, read_start(path), is_start=True).lstrip()
        except ExpectedError:
            return False
        return start.startswith(("{", "["))

    def read(self, path: Path) -> Reading:
        """Everything in the document. Raises ExpectedError."""
        document = _document(path, decoded(path, read_bytes(path)))
        observations: list[Observation] = []
        dependencies: list[ObservedDependency] = []
        problems: list[Refusal] = []
        for key, entries in document.items():
            if key == MARK:
                continue
            section = BY_KEY.get(key)
            if section is None:
                error = ColumnRefused(column=key[:80], why="the document has no such section")
                problems.append(refusal_of(error, Place(file=str(path), column=key[:80])))
                continue
            for taken in self._section(path, section, entries):
                if isinstance(taken, Observation):
                    observations.append(taken)
                elif isinstance(taken, ObservedDependency):
                    dependencies.append(taken)
                else:
                    problems.append(taken)
        return Reading(
            source=self.name,
            observations=tuple(observations),
            dependencies=tuple(dependencies),
            refusals=tuple(problems),
            headings=HEADINGS,
        )

    def _section(
        self, path: Path, section: Section, entries: object
    ) -> list[Observation | ObservedDependency | Refusal]:
        if not isinstance(entries, list):
            raise BrokenFile(place=Place(file=str(path), column=section.key), why="a list is expected")
        if len(entries) > MAX_ROWS:
            raise TooMuch(file=path, found=len(entries), what=section.key, limit=MAX_ROWS)
        found: list[Observation | ObservedDependency | Refusal] = []
        unknown: set[str] = set()
        names = _column_names(section)
        for number, entry in enumerate(entries, start=1):
            place = Place(file=str(path), row=number, column=section.key)
            row = (section.key, json.dumps(entry, ensure_ascii=False))
            if not isinstance(entry, dict):
                found.append(refusal_of(RowRefused(why="an entry in braces is expected"), place, row))
                continue
            claim = Claim(kind=AssetKind.SITE, place=place, source=self.name, row=row)
            known, strange = _known(section, names, entry)
            found += [_unknown_key(place, key) for key in strange if key not in unknown]
            unknown.update(strange)
            taken = taken_entry(section, claim, known.items())
            found += taken if isinstance(taken, tuple) else (taken,)
        return found


def _column_names(section: Section) -> dict[str, str]:
    """Key of an entry -> column: ``name`` is the section's first heading."""
    if section.columns == DEPENDENCY_COLUMNS:
        return {key: key for key in DEPENDENCY_COLUMNS}
    return {"name" if key == section.heading else key: key for key in section.columns}


def _known(
    section: Section, names: Mapping[str, str], entry: Mapping[str, object]
) -> tuple[dict[str, object], list[str]]:
    """The entry by column names, and keys that mean nothing here."""
    own = {key: key for key in entry if key not in names and is_attribute(key) and section.takes(key)}
    known = {names.get(key, key): value for key, value in entry.items() if key in names or key in own}
    return known, [key for key in entry if key not in names and key not in own]


def _unknown_key(place: Place, key: str) -> Refusal:
    return refusal_of(ColumnRefused(column=key[:80], why=because("{a} have no such field", a=place.column)), place)


def _document(path: Path, text: str) -> dict[str, object]:
    place = Place(file=str(path))
    document = json_document(path, text, depth=MAX_DEPTH)
    if not isinstance(document, dict) or MARK not in document:
        raise BrokenFile(place=place, why=because('it is JSON, but lacks "{a}": {b}', a=MARK, b=VERSION))
    if type(document[MARK]) is not int or document[MARK] != VERSION:
        raise BrokenFile(
            place=place, why=because("it is of version {a!r}; known is {b}", a=str(document[MARK])[:20], b=VERSION)
        )
    return document

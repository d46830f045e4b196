"""Kahn's own form of an inventory: its six sections, and one entry of a section to what it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inventory.errors import ExpectedError, because
from inventory.model import FIELDS, MACHINES, AssetKind, is_attribute
from inventory.observation import Observation, ObservedDependency, Refusal, refusal_of
from inventory.parsing import clean_text
from inventory.sources.kind_words import parse_dependency_kind, parse_machine_kind
from inventory.sources.limits import RowRefused
from inventory.sources.records import Cell, Claim, observed

DEPENDENCY_COLUMNS = ("from", "needs", "kind", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the native form: its key in JSON, the heading its CSV file begins with, the kinds in it."""

    key: str
    heading: str
    kinds: frozenset[AssetKind]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields an entry may have besides its name (and kind, for machines)."""
        return tuple(name for name, field in FIELDS.items() if self.kinds & field.kinds)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every heading its CSV file may have."""
        if not self.kinds:
            return DEPENDENCY_COLUMNS
        return (self.heading, *(("kind",) if self.kinds == MACHINES else ()), *self.fields)

    def takes(self, column: str) -> bool:
        """Whether its entries may have such a column: one of its own, or an attribute of the town's."""
        return column in self.columns or (bool(self.kinds) and is_attribute(column))


SECTIONS: tuple[Section, ...] = (
    Section(key="sites", heading="site", kinds=frozenset({AssetKind.SITE})),
    Section(key="departments", heading="department", kinds=frozenset({AssetKind.DEPARTMENT})),
    Section(key="machines", heading="machine", kinds=MACHINES),
    Section(key="seats", heading="seat", kinds=frozenset({AssetKind.SEAT})),
    Section(key="procedures", heading="procedure", kinds=frozenset({AssetKind.PROCEDURE})),
    Section(key="dependencies", heading="from", kinds=frozenset()),
)
BY_HEADING: Mapping[str, Section] = {one.heading: one for one in SECTIONS}
BY_KEY: Mapping[str, Section] = {one.key: one for one in SECTIONS}

Taken = Observation | ObservedDependency


def taken_entry(
    section: Section, claim: Claim, cells: Iterable[tuple[str, object]]
) -> Observation | ObservedDependency | tuple[Refusal, ...]:
    """One entry: its cells by known column name, as an observation or dependency, or why it is none."""
    by_name = dict(cells)
    if not section.kinds:
        return _dependency(claim, by_name)
    name = Cell(field="name", raw=by_name.pop(section.heading, None), column=section.heading)
    if section.kinds != MACHINES:
        kind = min(section.kinds)
    else:
        try:
            kind = parse_machine_kind(_required("kind", by_name.pop("kind", None)))
        except ExpectedError as wrong:
            return (refusal_of(wrong, claim.place, claim.row),)
    fitting = Claim(kind=kind, place=claim.place, source=claim.source, row=claim.row)
    return observed(fitting, name, (Cell(field=field, raw=raw, column=field) for field, raw in by_name.items()))


def _dependency(claim: Claim, by_name: Mapping[str, object]) -> ObservedDependency | tuple[Refusal, ...]:
    try:
        return ObservedDependency(
            asset=_required("from", by_name.get("from")),
            needs=_required("needs", by_name.get("needs")),
            kind=parse_dependency_kind(_required("kind", by_name.get("kind"))),
            note=clean_text("note", by_name.get("note") or ""),
            place=claim.place,
            source=claim.source,
            row=claim.row,
        )
    except ExpectedError as wrong:
        return (refusal_of(wrong, claim.place, claim.row),)


def _required(column: str, raw: object) -> str:
    text = clean_text(column, "" if raw is None else raw)
    if not text:
        raise RowRefused(why=because("its {a} is missing", a=column))
    return text

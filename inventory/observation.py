"""One source's claim about one asset, with its origin; and what a reading of a whole source gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from inventory.errors import ExpectedError
from inventory.model import AssetKind, DependencyKind, Value

PLACES_SAY: Mapping[tuple[bool, bool], str] = {
    (False, False): "{file}",
    (True, False): "{file}, row {row}",
    (False, True): "{file}, column {column!r}",
    (True, True): "{file}, row {row}, column {column!r}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a source something stands, for messages: file, row (1-based as a person counts), column."""

    file: str
    row: int = 0
    column: str = ""

    def __str__(self) -> str:
        return self.says.format(**self.facts)

    @property
    def says(self) -> str:
        """The place in English, for a face to translate."""
        return PLACES_SAY[bool(self.row), bool(self.column)]

    @property
    def facts(self) -> Mapping[str, object]:
        """What fills it in."""
        return {"file": self.file, "row": self.row, "column": self.column}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one source says of one asset. ``values`` holds only what the source mentions."""

    kind: AssetKind
    name: str
    values: Mapping[str, Value] = field(default_factory=dict)
    place: Place
    source: str
    """Name of the format or service, such as ``native-csv`` or ``rvtools``."""
    row: tuple[str, ...] = ()
    """The row as it stood in the source, to be given back should it be refused."""
    kind_is_guess: bool = False
    """The source does not say what it is, so a kind that is known already holds."""
    source_id: str = ""
    """What the source itself calls the record for ever (a key of its database); empty: it knows it by its name."""
    about: tuple[str, str] | None = None
    """The claim (source and key) about whose asset it was made, whatever name and marks it tells; None: to be found."""
    aliases: tuple[str, ...] = ()
    """Other names by which the record is known."""
    observed_us: int = 0
    """When it was so, microseconds since 1970 UTC; 0: as old as the file it stands in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedDependency:
    """What one source says of a dependency, by names; resolved to assets when merged."""

    asset: str
    needs: str
    kind: DependencyKind
    note: str = ""
    evidence: str = ""
    """By what it is known: a connection seen, a contract, a configuration file."""
    mib_per_day: float = 0
    """How much goes over it on a day; 0: not known."""
    place: Place
    source: str
    row: tuple[str, ...] = ()
    observed_us: int = 0
    """When it was so; 0: as old as the file it stands in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One row (or cell) that was not taken: where, what is wrong, what to do, and the row itself to give back."""

    place: Place
    code: str
    says: str
    remedy: str
    row: tuple[str, ...] = ()
    templates: tuple[str, str] = field(default=("", ""), compare=False)
    """What ``says`` and ``remedy`` were made of, for a face to translate."""
    facts: Mapping[str, object] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything one source gave: what was understood, what was refused, what was passed over on purpose."""

    source: str
    observations: tuple[Observation, ...] = ()
    dependencies: tuple[ObservedDependency, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    headings: tuple[str, ...] = ()
    """The file's own headings, so that refused rows can be written back in the same shape."""
    notes: tuple[str, ...] = ()
    """What was passed over on purpose (totals row, unknown columns), one sentence each."""


def refusal_of(error: ExpectedError, place: Place, row: tuple[str, ...] = ()) -> Refusal:
    """The expected error as a refusal of what stands at that place."""
    says, remedy = error.says.format(**error.facts), error.remedy.format(**error.facts)
    templates = (error.says, error.remedy)
    return Refusal(
        place=place, code=error.code, says=says, remedy=remedy, row=row, templates=templates, facts=error.facts
    )


def entries_refused(refusals: Iterable[Refusal]) -> int:
    """How many entries these refusals are about: one with two troubles counts once, a column that was refused not."""
    found: set[object] = set()
    for number, one in enumerate(refusals):
        if one.row or one.place.row:
            if one.row or not one.place.column:
                found.add((one.place.file, one.place.row, one.row))
        elif not one.place.column:
            found.add(number)
    return len(found)


def columns_refused(refusals: Iterable[Refusal]) -> int:
    """How many columns were refused as a whole: no entries, as all rows are taken without them."""
    return sum(1 for one in refusals if one.place.column and not one.row)

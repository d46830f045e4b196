"""What a machine-made export gives, gathered piece by piece.

A person can correct a cell of their own list, but not what a program wrote into its export. So a value that cannot be
taken is left out here and noted, and only an entry without a usable name is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from inventory.errors import ExpectedError
from inventory.model import AssetKind, DependencyKind, Field, InvalidValue, Value, field_named
from inventory.observation import Observation, ObservedDependency, Place, Reading, Refusal, refusal_of
from inventory.parsing import MAX_LIST, clean_text, parse_value
from inventory.sources.limits import RowRefused
from inventory.sources.records import Cell, Claim, mentioned, observed

_NAMED = {"site": AssetKind.SITE, "department": AssetKind.DEPARTMENT, "procedures": AssetKind.PROCEDURE}
MAX_NOTES = 500
_SILENT: tuple[object, ...] = (None, "", (), [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where an entry stands, and the row to give back should it be refused."""

    place: Place
    row: tuple[str, ...]
    source_id: str = ""
    """What the source calls the entry for ever."""
    observed_us: int = 0
    """When it was so, microseconds since 1970 UTC; 0: as old as the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """By what a dependency is known, how much goes over it, and when it was seen last."""

    evidence: str = ""
    mib_per_day: float = 0
    observed_us: int = 0


@dataclass(slots=True)
class Gathering:
    """One file being read; ``reading`` is the result."""

    path: Path
    source: str
    headings: tuple[str, ...] = ("entry",)
    observations: list[Observation] = field(default_factory=list)
    dependencies: list[ObservedDependency] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def place(self, row: int = 0, column: str = "") -> Place:
        """A place in this file."""
        return Place(file=str(self.path), row=row, column=column)

    def spot(self, number: int, row: tuple[str, ...], source_id: str = "") -> Spot:
        """A row in this file."""
        return Spot(place=self.place(number), row=row, source_id=source_id)

    def note(self, text: str) -> None:
        """Say what was passed over on purpose; beyond ``MAX_NOTES`` nobody reads on."""
        if len(self.notes) < MAX_NOTES:
            self.notes.append(text)

    def refuse(self, error: ExpectedError, place: Place, row: Iterable[str] = ()) -> None:
        """Give one entry back."""
        self.refusals.append(refusal_of(error, place, tuple(row)))

    def asset(
        self, kind: AssetKind, name: str, said: Mapping[str, object], *, place: Place | Spot, guessed_kind: bool = False
    ) -> None:
        """Take one asset; what it says that cannot be taken is noted, a name that cannot be one refuses it."""
        spot = place if isinstance(place, Spot) else Spot(place=place, row=(name,))
        claim = Claim(kind=kind, place=spot.place, source=self.source, row=spot.row)
        taken = observed(claim, Cell(field="name", raw=name, column="name"), ())
        if not isinstance(taken, Observation):
            self.refusals += taken
            return
        values: dict[str, Value] = {}
        for field_name, raw in said.items():
            known = field_named(field_name)
            if raw not in _SILENT and known is not None and kind in known.kinds:
                value = self._value(name, known, raw)
                if value is not None and value not in _SILENT:
                    values[field_name] = value
        own = spot.source_id[:300] if spot.source_id.isprintable() else ""
        taken = replace(taken, source_id=own, observed_us=spot.observed_us)
        self.observations.append(replace(taken, values=values, kind_is_guess=guessed_kind))

    def _value(self, name: str, known: Field, raw: object) -> Value | None:
        field_name = known.name
        if isinstance(raw, list | tuple) and known.type == "list" and not known.refers_to:
            return self._texts(name, field_name, raw)
        try:
            return parse_value(known, raw)
        except InvalidValue as wrong:
            self.note(f"{name[:60]}: {field_name} {str(raw)[:60]!r} was left out: {wrong.facts['why']}.")
            return None

    def _texts(self, name: str, field_name: str, raw: Iterable[object]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for one in raw:
            try:
                found[clean_text(field_name, " ".join(str(one).split())).replace("|", "/")] = None
            except InvalidValue as wrong:
                self.note(f"{name[:60]}: {field_name} {str(one)[:60]!r} was left out: {wrong.facts['why']}.")
        found.pop("", None)
        if len(found) > MAX_LIST:
            self.note(f"{name[:60]}: of {len(found)} {field_name} the first {MAX_LIST} were taken.")
        return tuple(sorted(found))[:MAX_LIST]

    def dependency(
        self, asset: str, needs: str, kind: DependencyKind, *, place: Place, seen: Seen | None = None
    ) -> None:
        """Take one dependency by names."""
        seen = seen or Seen()
        try:
            asset, needs = clean_text("from", asset), clean_text("needs", needs)
            evidence = clean_text("evidence", seen.evidence)
            if not asset or not needs:
                raise RowRefused(why="one of its two ends is missing")
        except ExpectedError as wrong:
            self.refuse(wrong, place, (asset, needs))
            return
        one = ObservedDependency(
            asset=asset,
            needs=needs,
            kind=kind,
            evidence=evidence,
            mib_per_day=seen.mib_per_day,
            observed_us=seen.observed_us,
            place=place,
            source=self.source,
            row=(asset, needs, evidence),
        )
        self.dependencies.append(one)

    def reading(self) -> Reading:
        """Everything gathered; places and procedures that machines name exist thereby."""
        return Reading(
            source=self.source,
            observations=(*mentioned(self.observations, _NAMED), *self.observations),
            dependencies=tuple(self.dependencies),
            refusals=tuple(self.refusals),
            headings=self.headings,
            notes=tuple(self.notes),
        )

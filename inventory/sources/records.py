"""One row's cells, by field, to one observation or to refusals; shared by every format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from inventory.errors import because
from inventory.model import MAX_ATTRIBUTES, AssetKind, Field, InvalidValue, Value, field_named, is_attribute
from inventory.naming import parse_name
from inventory.observation import Observation, Place, Refusal, refusal_of
from inventory.parsing import clean_text, parse_value
from inventory.sources.limits import RowRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a source says of one field: the raw value and the column it stood in."""

    field: str
    raw: object
    column: str
    german: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Where one row stands, what it is, and the row itself."""

    kind: AssetKind
    place: Place
    source: str
    row: tuple[str, ...]


def observed(claim: Claim, name: Cell, cells: Iterable[Cell]) -> Observation | tuple[Refusal, ...]:
    """The row as an observation, or every reason why it is none. Empty cells say nothing."""
    problems: list[Refusal] = []
    values: dict[str, Value] = {}
    spelled = ""
    try:
        spelled = _name(claim, name)
    except (InvalidValue, RowRefused) as wrong:
        problems.append(refusal_of(wrong, _at(claim.place, name.column), claim.row))
    for cell in cells:
        if cell.raw is None or cell.raw == "":
            continue
        try:
            values[cell.field] = parse_value(_field(cell.field), cell.raw, german=cell.german)
        except InvalidValue as wrong:
            problems.append(refusal_of(wrong, _at(claim.place, cell.column), claim.row))
    if sum(map(is_attribute, values)) > MAX_ATTRIBUTES:
        error = RowRefused(why=because("it has more than {a} attributes of your own", a=MAX_ATTRIBUTES))
        problems.append(refusal_of(error, claim.place, claim.row))
    if problems:
        return tuple(problems)
    return Observation(
        kind=claim.kind,
        name=spelled,
        values=MappingProxyType(values),
        place=claim.place,
        source=claim.source,
        row=claim.row,
    )


def _field(name: str) -> Field:
    found = field_named(name)
    if found is None:
        raise KeyError(name)
    return found


def _at(place: Place, column: str) -> Place:
    return replace(place, column=f"{place.column}.{column}" if place.column else column)


def _name(claim: Claim, name: Cell) -> str:
    text = clean_text("name", name.raw) if name.raw not in (None, "") else ""
    if not text:
        raise RowRefused(why="it has no name")
    return parse_name(claim.kind, text)


def mentioned(observations: Iterable[Observation], kinds: Mapping[str, AssetKind]) -> tuple[Observation, ...]:
    """The places and procedures that machines name, as assets of their own with no more than a name.

    For formats that list machines only: what a machine of theirs names, exists.
    """
    found: dict[tuple[AssetKind, str], Observation] = {}
    for one in observations:
        for field, kind in kinds.items():
            said = one.values.get(field, ())
            for name in said if isinstance(said, tuple) else (str(said),):
                key = kind, name
                if key not in found:
                    found[key] = Observation(
                        kind=kind,
                        name=name,
                        place=one.place,
                        source=one.source,
                        row=one.row,
                        observed_us=one.observed_us,
                    )
    return tuple(found.values())

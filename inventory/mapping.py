"""A mapping profile: which field stands under which heading of a list, proposed by Kahn and confirmed by a person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from inventory.errors import ExpectedError, because
from inventory.model import ATTRIBUTE, MACHINES, MAX_ATTRIBUTES, AssetKind, has_field, is_attribute, name_key

NAME, KIND, KIND_OR_MODEL, PERSON, IGNORED = "name", "kind", "kind or model", "person", "-"
SPECIAL = frozenset({NAME, KIND, KIND_OR_MODEL, PERSON, IGNORED})
"""What may stand under a heading besides the fields of machines; persons and ignored columns are not taken."""
UNITS = ("mb", "gb", "tb")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_LONGEST_ATTRIBUTE = 38
_PROFILE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")


class InvalidProfile(ExpectedError):
    """A mapping profile that cannot be used."""

    code, says = "INV-050", "The mapping profile {name!r} cannot be used: {why}."
    remedy = "Look at `kahn asset profile propose FILE NAME` and set what is wrong with --set."


class ProfileDoesNotFit(ExpectedError):
    """A list has none of the headings that the profile maps."""

    code, says = "INV-051", "{file} does not fit the mapping profile {name!r}: its headings lack {missing}."
    remedy = "Name another profile, or propose a new one: `kahn asset profile propose FILE NAME`."


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedColumn:
    """One heading as it stands in the list, and what stands under it; ``unit`` for sizes whose heading names none."""

    heading: str
    field: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingProfile:
    """The columns of one sort of list. ``kind`` is that of rows that do not say it. Raises InvalidProfile."""

    name: str
    columns: tuple[MappedColumn, ...]
    kind: str = ""
    sheet: str = ""
    """The sheet of a workbook; empty: the one with the most known headings."""

    def __post_init__(self) -> None:
        why = self._problem()
        if why:
            raise InvalidProfile(name=self.name[:60], why=why)

    def _problem(self) -> str:
        if not _PROFILE_NAME.fullmatch(self.name):
            return "its name is no short word of a-z, 0-9, - and _"
        if self.kind and self.kind not in MACHINES:
            return because("{a!r} is no kind of machine", a=self.kind[:40])
        fields = [one.field for one in self.columns if one.field not in (IGNORED, PERSON)]
        unknown = next((one for one in fields if one not in SPECIAL and not is_machine_field(one)), None)
        if unknown is not None:
            return because("machines have no field {a!r}", a=unknown[:40])
        twice = next((one for one in fields if fields.count(one) > 1), None)
        if twice is not None:
            return because("two columns are mapped to {a}", a=twice)
        if sum(map(is_attribute, fields)) > MAX_ATTRIBUTES:
            return because("it keeps more than {a} attributes of your own", a=MAX_ATTRIBUTES)
        if NAME not in fields:
            return "no column holds the name of the machine"
        if any(one.unit not in ("", *UNITS) for one in self.columns):
            return because("a unit is none of {a}", a=", ".join(UNITS))
        keys = [heading_key(one.heading) for one in self.columns]
        return "a heading stands in it twice" if len(set(keys)) != len(keys) else ""

    def by_heading(self) -> Mapping[str, MappedColumn]:
        """Heading in its compared form -> column."""
        return {heading_key(one.heading): one for one in self.columns}


def is_machine_field(name: str) -> bool:
    """Whether machines have such a field, or it may be an attribute of the town's own."""
    return has_field(AssetKind.SERVER, name)


def attribute_for(heading: str) -> str:
    """The attribute of a town's own that suits a heading: ``Kosten-Träger`` becomes ``attr.kosten_traeger``."""
    latin = heading.casefold().translate(_UMLAUTS)
    word = re.sub(r"[^a-z0-9]+", "_", unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode())
    word = word.strip("_")[:_LONGEST_ATTRIBUTE].strip("_") or "column"
    return f"{ATTRIBUTE}{word if word[0].isalpha() else f'x_{word}'}"


def heading_key(heading: str) -> str:
    """The form in which headings are compared."""
    return name_key(heading)

"""What a source says of one record, kept for good: each field with where it stood and when it was so.

Claims of one source about one record are joined field by field, the newest wins. Joining is free of order, repeatable
and associative, so that the order in which files are imported does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from inventory.model import AssetId, AssetKind, Value, name_group, name_key
from inventory.observation import Observation

ClaimKey = tuple[str, str]
"""Source, and the record's key in that source."""
NOBODY = AssetId("")
_ABOUT = ":@"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where something stands, when it was so and when it was taken in (microseconds since 1970 UTC)."""

    file: str
    row: int
    observed_us: int
    imported_us: int

    @property
    def order(self) -> tuple[int, int, str, int]:
        """The newer the higher; of one observation taken in twice the first counts."""
        return self.observed_us, -self.imported_us, self.file, -self.row


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One source's record. ``values`` holds only what that source ever said; kind and name are those of ``origin``."""

    source: str
    key: str
    kind: AssetKind
    name: str
    values: Mapping[str, Value]
    origin: Origin
    """Of the newest observation."""
    older: Mapping[str, Origin] = field(default_factory=dict)
    """Origin of each field that the newest observation does not mention."""
    first_us: int
    """When the source first had the record."""
    gone_us: int = 0
    """When a complete list of this source no longer had it; 0 for never."""
    asset: AssetId = NOBODY
    """The asset it speaks of."""
    kind_is_guess: bool = False
    """The source does not say what it is: any source that does, counts more."""
    aliases: tuple[str, ...] = ()
    """Other names it has or had in this source, as they are compared, sorted: a record that its source knows by a key
    of its own stays with its asset when it is renamed there."""

    @property
    def id(self) -> ClaimKey:
        """Its key among all claims of the tenant."""
        return self.source, self.key

    @property
    def about(self) -> ClaimKey | None:
        """The claim it was made about, where it was made about a known asset and not found by its marks."""
        _group, mark, about = self.key.partition(_ABOUT)
        source, _bar, key = about.partition("|")
        return (source, key) if mark else None

    @property
    def is_gone(self) -> bool:
        """Whether the source had it once and no longer."""
        return self.gone_us > self.origin.observed_us

    @property
    def last_us(self) -> int:
        """When the source last had the record."""
        return self.origin.observed_us

    def of_asset(self, asset: AssetId) -> Claim:
        """The same claim, speaking of that asset."""
        return Claim(
            source=self.source,
            key=self.key,
            kind=self.kind,
            name=self.name,
            values=self.values,
            origin=self.origin,
            older=self.older,
            first_us=self.first_us,
            gone_us=self.gone_us,
            asset=asset,
            kind_is_guess=self.kind_is_guess,
            aliases=self.aliases,
        )

    def origin_of(self, name: str) -> Origin:
        """Where the field comes from."""
        return self.older.get(name, self.origin)

    def facts(self) -> Iterator[tuple[str, Value, Origin]]:
        """Each field with its value and origin."""
        for name, value in self.values.items():
            yield name, value, self.older.get(name, self.origin)


def record_key(kind: AssetKind, name: str, source_id: str = "") -> str:
    """How a source's record is found again: by the source's own key, else by name within its group."""
    return f"{name_group(kind)}:#{source_id}" if source_id else f"{name_group(kind)}:{name_key(name)}"


def key_about(kind: AssetKind, other: ClaimKey) -> str:
    """The key of a claim made about the asset of another claim, whatever name and marks it has."""
    return f"{name_group(kind)}{_ABOUT}{other[0]}|{other[1]}"


def observed_key(one: Observation) -> str:
    """The key of the record that the observation speaks of."""
    if one.about is not None:
        return key_about(one.kind, one.about)
    return record_key(one.kind, one.name, one.source_id)


def claim_of(one: Observation, *, observed_us: int, imported_us: int) -> Claim:
    """The observation as a claim of that time."""
    return Claim(
        source=one.source,
        key=observed_key(one),
        kind=one.kind,
        name=one.name,
        values=one.values,
        origin=Origin(file=one.place.file, row=one.place.row, observed_us=observed_us, imported_us=imported_us),
        first_us=observed_us,
        kind_is_guess=one.kind_is_guess,
        aliases=tuple(sorted({name_key(name) for name in one.aliases} - {name_key(one.name)})),
    )


def joined(one: Claim, other: Claim) -> Claim:
    """Two claims of one source about one record as one: field by field the newest."""
    newer, elder = (one, other) if _newness(one) >= _newness(other) else (other, one)
    values: dict[str, Value] = {}
    origins: dict[str, Origin] = {}
    for name in sorted({*newer.values, *elder.values}):
        said = [claim for claim in (newer, elder) if name in claim.values]
        best = max(said, key=lambda claim: _weight(claim, name))
        values[name] = best.values[name]
        if best.origin_of(name) != newer.origin:
            origins[name] = best.origin_of(name)
    return replace(
        newer,
        values=newer.values if values == newer.values else values,
        older=origins,
        first_us=min(one.first_us, other.first_us),
        gone_us=max(one.gone_us, other.gone_us),
        asset=one.asset or other.asset,
        aliases=_aliases(newer, elder),
    )


def _aliases(newer: Claim, elder: Claim) -> tuple[str, ...]:
    if newer.name == elder.name and newer.aliases == elder.aliases:
        return newer.aliases
    return tuple(sorted({*newer.aliases, *elder.aliases, name_key(elder.name)} - {name_key(newer.name)}))


def comparable(value: Value) -> str:
    """The value in a form in which any two values can be put in order."""
    return f"{type(value).__name__}:{value!r}"


def is_same_said(one: Claim, other: Claim) -> bool:
    """Whether both say the same, whenever it was."""
    return (one.kind, one.name, one.values, one.is_gone) == (other.kind, other.name, other.values, other.is_gone)


def _newness(claim: Claim) -> tuple[object, ...]:
    return claim.origin.observed_us, claim.name, not claim.kind_is_guess, claim.kind.value, claim.origin.order


def _weight(claim: Claim, name: str) -> tuple[object, ...]:
    origin = claim.origin_of(name)
    return origin.observed_us, comparable(claim.values[name]), origin.order

"""What an import or a decision would change: a value that can be shown before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from inventory.claims import Claim, ClaimKey, Origin, joined, key_about, record_key
from inventory.decisions import Decision
from inventory.model import Asset, AssetId, Dependency, Snapshot, TenantId, Value
from inventory.observation import Refusal
from inventory.precedence import Precedence


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field of one asset that would get another value; None means it was not known."""

    field: str
    before: Value | None
    after: Value | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeared:
    """An asset not known before."""

    asset: Asset
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A known asset (its record after the change) and the fields that differ."""

    asset: Asset
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """An asset that is none any more: found to be another one (``into``), or no longer in any complete list."""

    asset: Asset
    into: AssetId | None = None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of every entry of a reading: records and dependencies, each counted once; parts make the whole."""

    new: int = 0
    """Entries of which an asset or a dependency appears."""
    changed: int = 0
    """Entries of a known asset that changes, and dependencies known otherwise."""
    unchanged: int = 0
    """Entries that change nothing, those said twice in one reading included."""
    rejected: int = 0
    """Entries that were refused, whatever number of troubles each has."""

    @property
    def read(self) -> int:
        """All entries."""
        return self.new + self.changed + self.unchanged + self.rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """All that an import would do to one tenant's inventory. Nothing vanishes because a source was silent."""

    tenant: TenantId
    appeared: tuple[Appeared, ...] = ()
    changed: tuple[Changed, ...] = ()
    gone: tuple[Gone, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    """Dependencies not known before, or known otherwise."""
    claims: tuple[Claim, ...] | None = None
    """Claims that are new or other than before; None: what appeared and changed is itself what its source claims."""
    refusals: tuple[Refusal, ...] = ()
    unchanged: int = 0
    """Records mentioned again with nothing new."""
    confirmed: int = 0
    """Of these, records that say the same as before at a later time."""
    overruled: int = 0
    """Of these, records that say something new which does not count: another source, or a newer word, holds."""
    tally: Tally = field(default_factory=Tally)
    """What became of each entry of the reading."""

    @property
    def is_empty(self) -> bool:
        """Whether writing it would change nothing."""
        return not (self.appeared or self.changed or self.gone or self.dependencies or self.claims)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """One tenant's inventory with all that it comes from: claims, people's decisions, whose word counts."""

    snapshot: Snapshot
    claims: Mapping[ClaimKey, Claim] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    precedence: Precedence = field(default_factory=Precedence)
    version: int = 0
    """Rises with whatever is written."""

    @property
    def tenant(self) -> TenantId:
        """Whose it is."""
        return self.snapshot.tenant

    @property
    def assets(self) -> tuple[Asset, ...]:
        """All records, by id."""
        return self.snapshot.assets

    def claims_of(self, asset: AssetId) -> tuple[Claim, ...]:
        """All that sources say of one asset, by source."""
        return tuple(self.claims[key] for key in sorted(self.claims) if self.claims[key].asset == asset)


def applied(holdings: Holdings, changes: ChangeSet) -> Holdings:
    """The inventory as it would be once the changes are written."""
    assets = holdings.snapshot.by_id()
    assets.update((one.asset.id, one.asset) for one in changes.changed)
    assets.update((one.asset.id, one.asset) for one in changes.appeared)
    into = {one.asset.id: one.into for one in changes.gone}
    for gone in into:
        assets.pop(gone, None)
    fresh = {(one.asset, one.needs, one.kind) for one in changes.dependencies}
    kept = [one for one in holdings.snapshot.dependencies if (one.asset, one.needs, one.kind) not in fresh]
    return replace(
        holdings,
        snapshot=Snapshot(
            tenant=holdings.tenant,
            assets=tuple(assets.values()),
            dependencies=redirected((*kept, *changes.dependencies), into),
        ),
        claims={**holdings.claims, **{one.id: one for one in changes.claims or ()}},
    )


def claims_in(changes: ChangeSet, known: Mapping[AssetId, tuple[Claim, ...]], *, at_us: int) -> tuple[Claim, ...]:
    """The claims of the change set; where it has none, what appeared or changed is what its source claims now.

    ``known`` are the claims there are on the assets that change.
    """
    if changes.claims is not None:
        return changes.claims
    found = [
        _claimed(one.asset, one.source, record_key(one.asset.kind, one.asset.name), one.asset.values, at_us=at_us)
        for one in changes.appeared
    ]
    for one in changes.changed:
        theirs = known.get(one.asset.id, ())
        about = min((claim.id for claim in theirs if claim.about is None), default=None)
        key = key_about(one.asset.kind, about) if about else record_key(one.asset.kind, one.asset.name)
        for source, said in _by_source(one).items():
            fresh = _claimed(one.asset, source, key, said, at_us=at_us)
            old = next((claim for claim in theirs if claim.id == fresh.id), None)
            found.append(joined(old, fresh) if old else fresh)
    return tuple(found)


def _by_source(changed: Changed) -> dict[str, dict[str, Value]]:
    found: dict[str, dict[str, Value]] = {}
    for change in changed.changes:
        said = found.setdefault(change.source, {})
        if change.after is not None and change.field in changed.asset.values:
            said[change.field] = change.after
    return found


def _claimed(asset: Asset, source: str, key: str, values: Mapping[str, Value], *, at_us: int) -> Claim:
    return Claim(
        source=source,
        key=key,
        kind=asset.kind,
        name=asset.name,
        values=values,
        origin=Origin(file="", row=0, observed_us=at_us, imported_us=at_us),
        first_us=at_us,
        asset=asset.id,
    )


def redirected(dependencies: tuple[Dependency, ...], into: Mapping[AssetId, AssetId | None]) -> tuple[Dependency, ...]:
    """The dependencies with assets that became another one replaced by it, and without those that are no more."""
    if not into:
        return dependencies
    found: dict[tuple[AssetId, AssetId, str], Dependency] = {}
    for one in dependencies:
        asset, needs = _now(one.asset, into), _now(one.needs, into)
        if asset and needs and asset != needs:
            found.setdefault((asset, needs, one.kind), replace(one, asset=asset, needs=needs))
    return tuple(found.values())


def _now(asset: AssetId, into: Mapping[AssetId, AssetId | None]) -> AssetId | None:
    """What the asset is now; None when it is no more. Ends, as nothing is ever put into what became another."""
    seen: set[AssetId] = set()
    now: AssetId | None = asset
    while now is not None and now in into and now not in seen:
        seen.add(now)
        now = into[now]
    return now

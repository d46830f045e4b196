"""What changed in the inventory since the plan in force was made: of its assets, and what it does not know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory.dependencies import succession_of
from inventory.errors import ExpectedError
from inventory.model import Asset, AssetId, TenantId
from inventory.tables import micros
from orchestrator.core.plan import Plan
from orchestrator.ports import Books

_HARMLESS = frozenset({"host_key"})
"""Fields that are meant to come after planning."""


class NoPlanYet(ExpectedError):
    """There is no plan that the inventory could have drifted from."""

    code, says = "INV-043", "{tenant} has no plan yet."
    remedy = "Make one with `kahn plan propose`."
    exit_code = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """One change of an asset in the plan; ``gone``: it is no longer in the inventory at all."""

    wave: str
    name: str
    field: str
    before: Any
    after: Any
    source: str
    at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """All that is other than when the plan was made."""

    since: datetime
    changes: tuple[Drifted, ...]
    gone: tuple[AssetId, ...]
    """Assets of the plan that are no more."""
    unplanned: tuple[Asset, ...]
    """Assets of the kinds it plans of which the plan says nothing, neither a wave nor why not."""

    @property
    def is_none(self) -> bool:
        """Whether the plan still fits the inventory."""
        return not (self.changes or self.gone or self.unplanned)


def drift_in(books: Books, tenant: TenantId) -> Drift:
    """The drift from the plan in force. Raises NoPlanYet."""
    plan = books.plans.current(tenant)
    since = _made_at(books, tenant, plan) if plan else None
    if plan is None or since is None:
        raise NoPlanYet(tenant=tenant)
    snapshot = books.assets.snapshot(tenant)
    known = snapshot.by_id()
    helping = {*succession_of(snapshot).replaces, *(one.id for one in known.values() if one.text("role"))}
    wave_of = {asset: str(wave.key) for wave in plan.waves for asset in wave.assets}
    spoken_of = {*wave_of, *(asset for one in plan.why_not for asset in one.assets)}
    kinds = {known[asset].kind for asset in spoken_of if asset in known}
    return Drift(
        since=since,
        changes=_changes(books, tenant, known, wave_of, since=since),
        gone=tuple(sorted(asset for asset in wave_of if asset not in known)),
        unplanned=tuple(
            one for one in known.values() if one.id not in spoken_of and one.id not in helping and one.kind in kinds
        ),
    )


def _made_at(books: Books, tenant: TenantId, plan: Plan) -> datetime | None:
    """When the first wave of the plan was written down."""
    times = [
        one.at
        for one in books.journal.read(tenant)
        if one.entry.kind == "wave.content" and one.entry.body.get("plan") == plan.fingerprint
    ]
    return min(times, default=None)


def _changes(
    books: Books, tenant: TenantId, known: dict[AssetId, Asset], wave_of: dict[AssetId, str], *, since: datetime
) -> tuple[Drifted, ...]:
    planned = {known[asset].name: wave for asset, wave in wave_of.items() if asset in known}
    return tuple(
        Drifted(
            wave=planned[str(one["asset"])],
            name=str(one["asset"]),
            field=str(one["field"]),
            before=one["before"],
            after=one["after"],
            source=str(one["source"]),
            at_us=int(str(one["at_us"])),
        )
        for one in books.assets.history(tenant, planned)
        if int(str(one["at_us"])) > micros(since) and one["field"] not in _HARMLESS and one["asset"] in planned
    )

"""Reading the grounds of a report: waves, plan, inventory and the record behind them, all at one moment."""

from __future__ import annotations

from inventory.model import TenantId
from orchestrator.actions.control_wave import unfinished_acts
from orchestrator.actions.desk import Desk
from orchestrator.actions.look_around import surroundings
from orchestrator.actions.record import progress_in
from orchestrator.actions.sign import standing_of
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.places import WaveCase
from orchestrator.core.report import Freshness, Grounds
from orchestrator.ports import ChainVerdict, WaveRow

SIGNATURES_COUNT = (WaveState.PROPOSED, WaveState.APPROVED, WaveState.SCHEDULED)
"""States in which it matters now whether the signatures still hold."""
INVENTORY = "inventory"


def grounds_in(desk: Desk, tenant: TenantId, *, verify: bool = True) -> Grounds:
    """All that a report may look at. ``verify``: read the whole record again from its first entry on.

    Without it the record counts as whole only as far as nobody looked. Raises UnknownTenant.
    """
    books = desk.books
    policy, snapshot = books.tenants.policy(tenant), books.assets.snapshot(tenant)
    return Grounds(
        tenant=tenant,
        snapshot=snapshot,
        cases=tuple(case_of(desk, wave) for wave in books.waves.all(tenant)),
        plan=books.plans.current(tenant),
        zone=policy.zone,
        freshness=freshness_in(desk, tenant, verdict=books.journal.verify(tenant) if verify else None),
        retiring=frozenset(key for key, asset in snapshot.by_id().items() if policy.retires(asset)),
    )


def case_of(desk: Desk, wave: WaveRow) -> WaveCase:
    """The wave with its progress and, where it matters, what its signatures amount to now."""
    standing = standing_of(desk, wave) if wave.state in SIGNATURES_COUNT else None
    progress = progress_in(desk.books, wave)
    return WaveCase(
        content=wave.content,
        progress=progress,
        standing=standing,
        around=surroundings(desk, wave),
        unfinished=unfinished_acts(desk, wave, progress),
    )


def freshness_in(desk: Desk, tenant: TenantId, *, verdict: ChainVerdict | None) -> Freshness:
    """How old what is known is, and whether its record is whole (None: not looked)."""
    journal = desk.books.journal
    imports = journal.read(tenant, subject=INVENTORY)
    read_at = imports[-1].at if imports else None
    if verdict is None:
        return Freshness(as_of=desk.now, entries=0, head="", whole=True, inventory_read=read_at)
    newest = journal.read(tenant, after=verdict.entries - 1) if verdict.entries and not verdict.broken_at else ()
    return Freshness(
        as_of=desk.now,
        entries=verdict.entries,
        head=verdict.head if verdict.entries else "",
        whole=not verdict.broken_at,
        why_broken=verdict.why,
        last_fact=newest[-1].at if newest else None,
        inventory_read=read_at,
    )

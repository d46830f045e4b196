"""Looking around: facts of the outer world that the rules and the views need beside a wave's own record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from orchestrator.actions.desk import Desk
from orchestrator.actions.read_times import times_of
from orchestrator.core.alarms import allowed_outage
from orchestrator.core.asked_old import known_addresses
from orchestrator.core.calendar import frozen_span
from orchestrator.core.constraints import EVERYWHERE
from orchestrator.core.estimates import took_of
from orchestrator.core.policy import Policy
from orchestrator.core.runbook import Direction
from orchestrator.core.surroundings import Room, Surroundings
from orchestrator.ports import WaveRow

Took = Mapping[str, Sequence[float]]


def surroundings(
    desk: Desk, wave: WaveRow, *, rooms: Iterable[Room] = (), clock_jump_s: int = 0, took: Took | None = None
) -> Surroundings:
    """What surrounds the wave now. ``took``: what ``earlier_times`` read a while ago; read anew when not given."""
    policy = desk.books.tenants.policy(wave.tenant)
    allowed = allowed_outage(wave.content, policy)
    return Surroundings(
        stopped=desk.books.launches.stopped() is not None,
        frozen=_freeze_in_force(desk, policy),
        full=next((room.where for room in rooms if room.free_gib < policy.disk_free_gib), ""),
        clock_jump_s=clock_jump_s,
        driven=desk.books.driven(),
        outage_allowed_s=int(allowed.total_seconds()) if allowed else 0,
        took=earlier_times(desk, wave) if took is None else took,
    )


def known_machines(desk: Desk, wave: WaveRow, direction: Direction) -> Mapping[str, str]:
    """Names of the inventory's machines by their address, where a service check of procedures wants them."""
    if direction is not Direction.SERVICE or not wave.content.runbook.procedure:
        return {}
    return known_addresses(desk.books.assets.snapshot(wave.tenant).assets)


def _freeze_in_force(desk: Desk, policy: Policy) -> str:
    """Name of a freeze of all assets that holds now; narrowed ones are a matter of planning."""
    zone = ZoneInfo(policy.zone)
    for freeze in policy.freezes:
        if freeze.scope == EVERYWHERE and freeze.first <= freeze.last:
            first, after = frozen_span(freeze, zone)
            if first <= desk.now < after:
                return freeze.name
    return ""


def earlier_times(desk: Desk, wave: WaveRow) -> Took:
    """How long runs of the same runbook took in this tenant's waves and rehearsals, by ``direction:step``."""
    times = times_of(desk.books, wave.tenant, wave.content.runbook.name)
    return took_of(times, forks=wave.content.thresholds.forks)

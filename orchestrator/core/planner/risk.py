"""How likely each wave is to give trouble, in points with their reasons. A rule of thumb, no probability.

Seat migrations fail in 3 to 7 of 100 cases, twice as often in a first wave; the points follow that and what the wave
holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from inventory.model import Snapshot
from orchestrator.core.plan import PlannedWave, Risk
from orchestrator.core.planner.traits import Traits, traits_of
from orchestrator.core.policy import Policy

MOST = 100
FIRST_OF_ITS_KIND, VERY_HIGH, HIGH, CROWDED, BOUND, MANY_USERS = 20, 15, 5, 15, 10, 10
USERS_AT = 500
BOUND_AT = 5


def with_risks(waves: Sequence[PlannedWave], snapshot: Snapshot, policy: Policy) -> tuple[PlannedWave, ...]:
    """The same waves, each with its risk."""
    traits = traits_of(snapshot, [asset for wave in waves for asset in wave.assets])
    seen: set[str] = set()
    found = []
    for wave in sorted(waves, key=lambda one: one.window.opens):
        members = [traits[asset] for asset in wave.assets]
        found.append(replace(wave, risk=_risk(wave, members, policy, is_first=wave.runbook not in seen)))
        seen.add(wave.runbook)
    return tuple(found)


def _risk(wave: PlannedWave, members: Sequence[Traits], policy: Policy, *, is_first: bool) -> Risk:
    reasons = sorted(_reasons(wave, members, policy, is_first=is_first), key=lambda one: (-one[0], one[1]))
    return Risk(score=min(MOST, sum(points for points, _ in reasons)), reasons=tuple(says for _, says in reasons))


def _reasons(
    wave: PlannedWave, members: Sequence[Traits], policy: Policy, *, is_first: bool
) -> Iterable[tuple[int, str]]:
    if is_first:
        yield FIRST_OF_ITS_KIND, f"the first wave by {wave.runbook}"
    for points, name in ((VERY_HIGH, "sehr hoch"), (HIGH, "hoch")):
        count = sum(one.protection == name for one in members)
        if count:
            yield min(3, count) * points, f"{count} of protection class {name}"
    if len(members) >= 0.9 * policy.assets_per_window:
        yield CROWDED, f"{len(members)} assets, of {policy.assets_per_window} that a window takes"
    largest = max((len(group.assets) for group in wave.groups), default=0)
    if largest >= BOUND_AT:
        yield BOUND, f"{largest} assets that move together or not at all"
    users = sum(one.users for one in members)
    if users >= USERS_AT:
        yield MANY_USERS, f"{users} users"

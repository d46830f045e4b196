"""The start gate for freezes of some assets: those that one keeps back now stay behind, the wave goes without them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from inventory.model import AssetId, Snapshot
from orchestrator.core.calendar import frozen_span
from orchestrator.core.constraints import Scope
from orchestrator.core.explain import Sentence
from orchestrator.core.freezes import frozen_days, frozen_hours
from orchestrator.core.planner.traits import holds, traits_of
from orchestrator.core.policy import Freeze, Policy
from orchestrator.core.ready_line import ENGINEER, HELD, ReadyLine, good
from orchestrator.core.wave import WaveContent

GATE = "narrow_freeze"


def narrow_freeze_line(content: WaveContent, snapshot: Snapshot, policy: Policy, *, now: datetime) -> ReadyLine:
    """Whether a freeze, or hours, of some assets touch what is left of the window, and whom they keep back."""
    touching = list(_touching(content, policy, now))
    known = snapshot.by_id()
    there = [move.asset for move in content.moves if move.asset in known and known[move.asset].is_machine]
    traits = traits_of(snapshot, there) if touching else {}
    own: dict[AssetId, str] = {}
    for name, scope in touching:
        own.update({one: name for one in there if one not in own and holds(scope, traits[one])})
    kept = _with_groups(content, own)
    if not kept:
        return good(GATE, Sentence(says="no freeze of some assets keeps one back"))
    return ReadyLine(
        gate=GATE,
        verdict=HELD,
        says=Sentence(
            says="{count} assets stay behind: {names} keeps them back in this window",
            facts={"count": len(kept), "names": ", ".join(_once(kept.values()))},
        ),
        owner=ENGINEER,
        remedy=Sentence(says="plan the wave again, or change the tenant's policy"),
        assets=tuple(kept),
    )


def _with_groups(content: WaveContent, own: Mapping[AssetId, str]) -> dict[AssetId, str]:
    """What moves together stays behind together."""
    kept = dict(own)
    for group in content.groups:
        names = [own[one] for one in group.assets if one in own]
        kept.update({one: names[0] for one in group.assets if names and one not in kept})
    return kept


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _touching(content: WaveContent, policy: Policy, now: datetime) -> Iterator[tuple[str, Scope]]:
    """Name and scope of each that touches the time from now, or the opening if that is later, to the closing.

    Days of all assets block the wave elsewhere; hours are looked at here, whomever they are for.
    """
    zone, begin, end = ZoneInfo(policy.zone), max(now, content.window.opens), content.window.closes
    first, last = begin.astimezone(zone).date(), end.astimezone(zone).date()
    for one in frozen_days(policy, first=first, last=last):
        opens, closes = frozen_span(Freeze(name=one.name, first=one.first, last=one.last), zone)
        if not one.scope.is_all and opens < end and begin < closes:
            yield one.name, one.scope
    for hours in policy.planning.hours:
        if any(opens < end and begin < closes for opens, closes in frozen_hours(hours, zone, first=first, last=last)):
            yield hours.name, hours.scope

"""Gates that people open: what was confirmed, by whom and when, against what the tenant demands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from math import ceil

from inventory.model import AssetId
from orchestrator.core.demands import REHEARSAL, Demand, Reach
from orchestrator.core.explain import Sentence
from orchestrator.core.ready_line import BLOCKS, HELD, OK, ReadyLine, good
from orchestrator.core.wave import WaveContent

SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Somebody said that a gate is open. ``wave``, ``runbook`` (tree) and ``assets`` are empty where they do not
    matter; ``until`` is its last moment; ``withdrawn`` closes the gate again."""

    gate: str
    by: str
    at: datetime
    wave: str = ""
    runbook: str = ""
    assets: tuple[AssetId, ...] = ()
    until: datetime | None = None
    people: int = 0
    withdrawn: bool = False


def confirmed_lines(
    content: WaveContent, demands: Iterable[Demand], confirmations: Sequence[Confirmation], *, now: datetime
) -> tuple[ReadyLine, ...]:
    """One line for each demand, in the policy's order. ``confirmations``: oldest first; the latest one counts."""
    return tuple(_line(content, demand, confirmations, now) for demand in demands)


def _line(content: WaveContent, demand: Demand, all_of_them: Sequence[Confirmation], now: datetime) -> ReadyLine:
    mine = [one for one in all_of_them if one.gate == demand.name and one.at <= now]
    if demand.reach is Reach.ASSET:
        return _asset_line(content, demand, mine, now)
    found = _latest(mine, lambda one: _is_about(one, demand, content))
    why = _why_not(found, demand, now) or _too_few(found, demand, content)
    if found is not None and why is None:
        return good(demand.name, _who(found))
    return ReadyLine(
        gate=demand.name,
        verdict=BLOCKS,
        says=why or _NOBODY,
        owner=_owner(demand),
        remedy=_remedy(demand, content),
    )


def _remedy(demand: Demand, content: WaveContent) -> Sentence:
    facts = {"gate": demand.name, "wave": content.key}
    if demand.name == REHEARSAL:
        return Sentence(
            says="kahn wave rehearse {wave}; played otherwise: kahn gate confirm {gate} {wave}", facts=facts
        )
    return Sentence(says="kahn gate confirm {gate} {wave}", facts=facts)


_NOBODY = Sentence(says="nobody has confirmed it")


def _who(found: Confirmation) -> Sentence:
    return Sentence(says="confirmed by {by} on {on}", facts={"by": found.by, "on": f"{found.at:%Y-%m-%d}"})


def _owner(demand: Demand) -> Sentence:
    return Sentence(says="{owner}", facts={"owner": demand.owner or demand.name})


def _latest(mine: Sequence[Confirmation], wanted: Callable[[Confirmation], bool]) -> Confirmation | None:
    return next((one for one in reversed(mine) if wanted(one)), None)


def _is_about(one: Confirmation, demand: Demand, content: WaveContent) -> bool:
    """A confirmation for this very wave always counts; a wider one where the demand lets it."""
    if one.wave == content.key:
        return True
    if demand.reach is Reach.RUNBOOK:
        return bool(one.runbook) and one.runbook == content.runbook.tree
    return demand.reach is Reach.TENANT and not one.wave and not one.runbook


def _why_not(found: Confirmation | None, demand: Demand, now: datetime) -> Sentence | None:
    """Why it does not count; None when it does."""
    if found is None:
        return _NOBODY
    if found.withdrawn:
        return Sentence(says="withdrawn by {by} on {on}", facts=_who(found).facts)
    if found.until is not None and now >= found.until:
        return Sentence(
            says="it was confirmed until {until} only", facts={"until": f"{found.until:%Y-%m-%d %H:%M} UTC"}
        )
    if demand.max_age_days and now - found.at > timedelta(days=demand.max_age_days):
        age = {"days": (now - found.at).days, "most": demand.max_age_days}
        return Sentence(says="the confirmation is {days} days old, at most {most} are allowed", facts=age)
    return None


def _too_few(found: Confirmation | None, demand: Demand, content: WaveContent) -> Sentence | None:
    if not demand.per_person or found is None:
        return None
    needed = ceil(len(content.moves) / demand.per_person)
    if found.people >= needed:
        return None
    return Sentence(
        says="{there} people are there, {needed} are needed", facts={"there": found.people, "needed": needed}
    )


def _names(one: Confirmation, *, asset: AssetId) -> bool:
    return asset in one.assets


def _asset_line(content: WaveContent, demand: Demand, mine: Sequence[Confirmation], now: datetime) -> ReadyLine:
    """Each asset for itself: one without holds back that asset and not the wave."""
    why: Mapping[AssetId, Sentence] = {
        move.asset: reason
        for move in content.moves
        if (reason := _why_not(_latest(mine, partial(_names, asset=move.asset)), demand, now))
    }
    if not why:
        oldest = min((one.at for one in mine), default=now)
        return ReadyLine(
            gate=demand.name,
            verdict=OK,
            says=Sentence(
                says="confirmed for all {count} assets, first on {on}",
                facts={"count": len(content.moves), "on": f"{oldest:%Y-%m-%d}"},
            ),
        )
    first = next(iter(why.values()))
    names = ", ".join(content.move(asset).name for asset in list(why)[:SHOWN]) + (", ..." if len(why) > SHOWN else "")
    return ReadyLine(
        gate=demand.name,
        verdict=HELD,
        says=Sentence(
            says="{count} assets stay behind ({names}): {why}", facts={"count": len(why), "names": names, "why": first}
        ),
        owner=_owner(demand),
        remedy=Sentence(
            says="kahn gate confirm {gate} {wave} --asset NAME", facts={"gate": demand.name, "wave": content.key}
        ),
        assets=tuple(why),
    )

"""Why a planned asset stands in its window: what shuts the earlier ones, a pin, or what would be worse there."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from inventory.model import AssetId
from orchestrator.core.explain import Sentence
from orchestrator.core.plan import Plan, PlanRequest
from orchestrator.core.planner.answers import Answer, why_not

SHOWN = 3


def placement(request: PlanRequest, plan: Plan, asset: AssetId) -> tuple[Sentence, ...]:
    """The binding reason in sentences; empty for what is in no wave. Raises InvalidPolicy."""
    wave = next((one for one in plan.waves if asset in one.assets), None)
    if wave is None:
        return ()
    group = next(one.assets for one in wave.groups if asset in one.assets)
    pinned = [pin.asset for pin in request.pins if pin.asset in group and pin.wave == wave.key]
    if asset in pinned:
        return (_say(says="The pin is the reason: without it the planner decides."),)
    if pinned:
        names = request.snapshot.by_id()
        name = names[pinned[0]].name if pinned[0] in names else str(pinned[0])
        return (_say(says="{name}, which moves with it, is pinned to {wave}.", name=name, wave=str(wave.key)),)
    answer = why_not(request, plan, asset)
    return tuple(_reasons(answer, request)) if answer is not None and answer.wave else ()


def _reasons(answer: Answer, request: PlanRequest) -> Iterator[Sentence]:
    if not answer.windows:
        yield _say(says="Its window is the first one in reach.")
    elif not answer.open_windows:
        rules = "; ".join(f"{one.rule} ({one.says})" for one in answer.conflict)
        yield _say(says="All {count} earlier windows are shut to it, by {rules}.", count=answer.windows, rules=rules)
    else:
        windows = ", ".join(answer.open_windows[:SHOWN])
        yield _say(says="{windows} would take it too.", windows=windows)
        yield from _kept(answer, request)


def _kept(answer: Answer, request: PlanRequest) -> Iterator[Sentence]:
    """Why it does not stand in the first window that would take it."""
    if answer.stays:
        yield _say(says="It stays where the plan before had it (`stay`).")
    if answer.there is not None and answer.there.there > answer.there.here:
        facts = {"level": answer.there.level.value, "here": answer.there.here, "there": answer.there.there}
        yield _say(says="There, {level} would come to {there:,.0f} instead of {here:,.0f}.", **facts)
    elif not answer.stays and not request.policy.planning.search:
        yield _say(says="No better plan than the first one was looked for (`search = 0`).")
    elif not answer.stays:
        yield _say(says="No level of the objective speaks against them: the search did not get there.")


def _say(*, says: str, **facts: object) -> Sentence:
    return Sentence(says=says, facts=MappingProxyType(facts))

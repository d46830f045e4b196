"""All that is known about one asset's way through a wave: for the person who must decide what nobody saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from inventory.model import AssetId
from orchestrator.core.asked_old import AskedOld
from orchestrator.core.causes import cause_of
from orchestrator.core.causes_of_machines import Cause
from orchestrator.core.control import askable, signatures_needed
from orchestrator.core.dependants import leaning_on
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.lifecycle_parts import StepState, step_state
from orchestrator.core.likeness import Likeness
from orchestrator.core.progress import Fact, MoveProgress, WaveProgress
from orchestrator.core.runbook import Direction, Effect
from orchestrator.core.surroundings import CALM, Surroundings
from orchestrator.core.undo import left_to_undo, past_return
from orchestrator.core.waiting import WAVE_OUTLOOKS, Outlook, move_without_people
from orchestrator.core.wave import ActKind, WaveContent


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """One step of the runbook for this asset."""

    name: str
    state: StepState
    effect: Effect
    no_return: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One attempt and what came of it; ``outcome`` is empty while it lives. Texts come from machines."""

    at: datetime
    direction: Direction
    step: str
    outcome: str
    cause: Cause | None
    answer: str
    """What a probe said: done, not_done, partial, or empty."""
    message: str
    as_before: bool | None = None
    """Of a comparison that came to its end: whether all is as before."""
    differences: tuple[str, ...] = ()
    """What a comparison found different, as the machine says it."""
    second_way: bool = False
    """Whether the machine was asked at its second address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The page: what is known, what is not, and what could be done."""

    asset: AssetId
    name: str
    users: int
    machines: Mapping[str, str]
    """Name and address by role."""
    state: MoveState
    since: datetime | None
    cause: Cause | None
    steps: tuple[StepLine, ...]
    seen: tuple[Seen, ...]
    no_return_reached: bool
    baseline: str
    """Fingerprint from before; empty when none was taken."""
    would_undo: tuple[str, ...]
    leans_on_it: tuple[str, ...]
    """Names of what needs it within the wave, and of what moves together with it."""
    if_nobody_acts: Outlook
    signatures: int
    """How many people must sign to say how the step stands."""
    likeness: Likeness | None = None
    """How before and after compare; None where they were not compared."""
    askable: bool = False
    """Whether its machine can be asked again how far the step came."""
    asked_old: AskedOld | None = None
    """Who still asks its old server; None where that was not counted."""
    left_behind: bool = False
    """Whether it was held and its wave is over: nothing tries it again but another plan."""


def evidence_of(
    content: WaveContent, progress: WaveProgress, facts: Iterable[Fact], asset: AssetId, *, around: Surroundings = CALM
) -> Evidence:
    """The evidence about the asset. Raises KeyError."""
    move, planned = progress.moves[asset], content.move(asset)
    left_behind = move.state is MoveState.HELD and progress.state in (WaveState.CLOSED, WaveState.ROLLED_BACK)
    leaning = (leaning_on(content, asset) | frozenset(content.group_of(asset))) - {asset}
    return Evidence(
        asset=asset,
        name=planned.name,
        users=planned.users,
        machines={one.role: f"{one.name} {one.ways}" for one in planned.machines},
        state=move.state,
        since=move.since,
        cause=cause_of(move.cause) if move.cause else None,
        steps=tuple(
            StepLine(name=step.name, state=step_state(move, step.name), effect=step.effect, no_return=step.no_return)
            for step in content.runbook.steps
        ),
        seen=_seen(facts, asset),
        no_return_reached=past_return(move, content.runbook),
        baseline=move.baseline,
        would_undo=tuple(step.name for step in left_to_undo(move, content.runbook)),
        leans_on_it=tuple(sorted(content.move(one).name for one in leaning)),
        if_nobody_acts=Outlook(says=WAVE_OUTLOOKS[progress.state], facts={})
        if left_behind
        else move_without_people(content, move, around=around),
        signatures=_signatures(content, progress, move),
        likeness=move.likeness,
        askable=askable(content, move),
        left_behind=left_behind,
        asked_old=move.asked_old,
    )


def _signatures(content: WaveContent, progress: WaveProgress, move: MoveProgress) -> int:
    return signatures_needed(ActKind.DECLARE_NOT_DONE, content, progress, [move.asset])


def _seen(facts: Iterable[Fact], asset: AssetId) -> tuple[Seen, ...]:
    """Attempts in order: begun and not ended ones are there too."""
    found: dict[str, Seen] = {}
    for fact in facts:
        body = fact.body
        if fact.kind == "wave.content":
            found.clear()
        elif fact.kind == "run.intended" and asset in body["attempts"]:
            seen = _line(fact.at, body, outcome="", cause="", evidence={})
            found[body["run"]] = replace(seen, second_way=asset in body.get("second_way", ()))
        elif fact.kind == "attempt.ended" and body["asset"] == asset:
            begun = found.get(body["run"])
            at = begun.at if begun else fact.at
            seen = _line(at, body, outcome=body["outcome"], cause=body["cause"], evidence=body["evidence"])
            found[body["run"]] = replace(seen, second_way=begun is not None and begun.second_way)
    return tuple(found.values())


def _line(at: datetime, body: Mapping[str, Any], *, outcome: str, cause: str, evidence: Mapping[str, Any]) -> Seen:
    kahn = evidence.get("kahn")
    answer = kahn.get("answer") if isinstance(kahn, Mapping) else None
    by_hand = evidence.get("by_hand")
    message = f"by hand: {by_hand['by']}" if isinstance(by_hand, Mapping) and "by" in by_hand else evidence.get("msg")
    return Seen(
        at=at,
        direction=Direction(body["direction"]),
        step=body["step"],
        outcome=outcome,
        cause=cause_of(cause) if cause else None,
        answer=answer if isinstance(answer, str) else "",
        message=message if isinstance(message, str) else "",
        **_compared(body, outcome, kahn if isinstance(kahn, Mapping) else {}),
    )


def _compared(body: Mapping[str, Any], outcome: str, kahn: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict of a comparison; nothing for other runs."""
    if body["direction"] != Direction.COMPARE or outcome != "done":
        return {}
    told = kahn.get("differences")
    found = tuple(one for one in told if isinstance(one, str)) if isinstance(told, list) else ()
    same = bool(kahn.get("baseline")) and kahn.get("baseline") == kahn.get("now")
    return {"as_before": same, "differences": () if same else found}

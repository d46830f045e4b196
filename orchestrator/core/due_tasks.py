"""What people must begin ahead of each wave, counted back from its window: when it is due and whose it is."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from inventory.model import Snapshot
from orchestrator.core.constraints import Planning, Scope
from orchestrator.core.plan import Plan, PlannedWave
from orchestrator.core.planner.traits import Traits, holds, traits_of
from orchestrator.core.policy import Policy


class Due(StrEnum):
    """How a task stands: still ahead, past its last day, or said to be begun."""

    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Somebody said that a task of a wave is begun. It counts while that wave moves on that local day."""

    task: str
    wave: str
    moves_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTask:
    """One task or visit of the policy for one wave. Days are local; ``due`` is the last one on which to begin it."""

    name: str
    wave: str
    due: date
    moves_on: date
    """The day on which the wave's window opens."""
    days_before: int
    assets: int
    """How many of the wave's assets it is about."""
    owner: str
    state: Due

    def days_left(self, today: date) -> int:
        """Days until it is due; negative when it is overdue."""
        return (self.due - today).days


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    name: str
    days_before: int
    owner: str
    scope: Scope


def due_tasks(
    plan: Plan, snapshot: Snapshot, policy: Policy, *, today: date, told: Container[Begun] = ()
) -> tuple[DueTask, ...]:
    """All of the plan's waves, what is due first before the rest. ``told``: what people said to be begun."""
    rules = tuple(_rules(policy.planning))
    if not rules:
        return ()
    known, zone = snapshot.by_id(), ZoneInfo(policy.zone)
    planned = [one for wave in plan.waves for one in wave.assets if one in known]
    traits = traits_of(snapshot, planned)
    found = []
    for wave in plan.waves:
        members = [traits[one] for one in wave.assets if one in traits]
        moves_on = wave.window.opens.astimezone(zone).date()
        found += [_due(rule, wave, moves_on, count) for rule, count in _hit(rules, members)]
    return tuple(sorted((_judged(one, today, told) for one in found), key=lambda one: (one.due, one.wave, one.name)))


def _rules(asked: Planning) -> Iterator[_Rule]:
    for task in asked.tasks:
        yield _Rule(name=task.name, days_before=task.days_before, owner=task.owner, scope=task.scope)
    for visit in asked.visits:
        yield _Rule(name=visit.name, days_before=visit.lead_days, owner=visit.owner, scope=visit.scope)


def _hit(rules: tuple[_Rule, ...], members: list[Traits]) -> Iterator[tuple[_Rule, int]]:
    for rule in rules:
        count = sum(1 for one in members if holds(rule.scope, one))
        if count:
            yield rule, count


def _due(rule: _Rule, wave: PlannedWave, moves_on: date, count: int) -> DueTask:
    return DueTask(
        name=rule.name,
        wave=str(wave.key),
        due=moves_on - timedelta(days=rule.days_before),
        moves_on=moves_on,
        days_before=rule.days_before,
        assets=count,
        owner=rule.owner,
        state=Due.OPEN,
    )


def _judged(one: DueTask, today: date, told: Container[Begun]) -> DueTask:
    state = Due.OVERDUE if one.due < today else Due.OPEN
    if Begun(task=one.name, wave=one.wave, moves_on=one.moves_on) in told:
        state = Due.DONE
    return replace(one, state=state)

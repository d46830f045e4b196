"""What would be if: a request with some of its rules changed, and two plans made anew and held side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from inventory.errors import ExpectedError
from inventory.model import AssetKind, Snapshot, name_key
from orchestrator.core.constraints import Level, Planning
from orchestrator.core.plan import Plan, PlanRequest
from orchestrator.core.policy import Policy

NAMED = ("recurring", "occasions", "hours", "seasons", "capacities", "stocks", "visits", "tasks", "apart", "first")
"""Fields of Planning whose entries have names."""


class NoSuchRule(ExpectedError):
    """A question about a rule that the policy does not have."""

    code, says = "PLAN-060", "The policy has no rule named {name!r}; it has {known}."
    remedy = "Name one of them, as it stands in the policy file."
    exit_code = 5


class NoSuchProcedure(ExpectedError):
    """A question about a procedure that the inventory does not have."""

    code, says = "PLAN-061", "There is no procedure {name!r} in the inventory."
    remedy = "List the procedures with `kahn asset list kind=procedure`."
    exit_code = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be different."""

    lift: tuple[str, ...] = ()
    """Names of rules and freezes that are dropped."""
    most: Mapping[str, float] = field(default_factory=dict)
    """Name of a capacity -> how much it allows instead."""
    assets_per_window: int | None = None
    horizon_days: int | None = None
    without: tuple[str, ...] = ()
    """Procedures that are given up, with the machines that serve nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One plan in figures."""

    planned: int
    left_over: Mapping[str, int]
    """Rule -> assets."""
    waves: int
    last_window: str
    judged: Mapping[Level, float]


def changed(request: PlanRequest, change: Change) -> PlanRequest:
    """The request with that change. Raises NoSuchRule, NoSuchProcedure, InvalidPolicy."""
    policy = _with_most(_lifted(request.policy, change.lift), change.most)
    values = {name: getattr(change, name) for name in ("assets_per_window", "horizon_days")}
    policy = replace(policy, **{name: value for name, value in values.items() if value is not None})
    return replace(request, policy=policy, snapshot=_without(request.snapshot, change.without))


def afresh(request: PlanRequest) -> PlanRequest:
    """The same question with nothing held where the plan before had it: else a change would hardly show."""
    planning = replace(request.policy.planning, stay=False)
    return replace(request, policy=replace(request.policy, planning=planning))


def outcome_of(plan: Plan) -> Outcome:
    """The plan in figures."""
    left: Counter[str] = Counter()
    for one in plan.why_not:
        left[one.rule] += len(one.assets)
    return Outcome(
        planned=sum(len(wave.assets) for wave in plan.waves),
        left_over=dict(left),
        waves=len(plan.waves),
        last_window=max(plan.waves, key=lambda wave: wave.window.opens).window.local if plan.waves else "",
        judged={one.level: one.value for one in plan.judged},
    )


def rule_names(policy: Policy) -> list[str]:
    """Every name of a rule or freeze."""
    found = {one.name for name in NAMED for one in getattr(policy.planning, name)}
    return sorted(found | {one.name for one in policy.freezes})


def _known(policy: Policy, names: Iterable[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise NoSuchRule(name=name, known=", ".join(known) or "none")


def _lifted(policy: Policy, names: tuple[str, ...]) -> Policy:
    _known(policy, names, rule_names(policy))
    kept: dict[str, Any] = {
        one.name: tuple(rule for rule in getattr(policy.planning, one.name) if rule.name not in names)
        for one in fields(Planning)
        if one.name in NAMED
    }
    freezes = tuple(one for one in policy.freezes if one.name not in names)
    return replace(policy, freezes=freezes, planning=replace(policy.planning, **kept))


def _with_most(policy: Policy, most: Mapping[str, float]) -> Policy:
    _known(policy, most, sorted({one.name for one in policy.planning.capacities}))
    capacities = tuple(replace(one, most=most.get(one.name, one.most)) for one in policy.planning.capacities)
    return replace(policy, planning=replace(policy.planning, capacities=capacities))


def _without(snapshot: Snapshot, names: tuple[str, ...]) -> Snapshot:
    """The inventory without these procedures and the machines that serve nothing else."""
    if not names:
        return snapshot
    procedures = {name_key(one.name): one for one in snapshot.assets if one.kind is AssetKind.PROCEDURE}
    for name in names:
        if name_key(name) not in procedures:
            raise NoSuchProcedure(name=name)
    dropped = {name_key(name) for name in names}
    served = {
        name_key(machine) for key, one in procedures.items() if key not in dropped for machine in one.texts("machines")
    }
    alone = {name_key(machine) for key in dropped for machine in procedures[key].texts("machines")} - served
    gone = {procedures[key].id for key in dropped}
    gone |= {one.id for one in snapshot.assets if one.is_machine and name_key(one.name) in alone}
    return Snapshot(
        tenant=snapshot.tenant,
        assets=tuple(one for one in snapshot.assets if one.id not in gone),
        dependencies=tuple(one for one in snapshot.dependencies if not gone & {one.asset, one.needs}),
    )

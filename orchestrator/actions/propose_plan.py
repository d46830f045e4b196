"""Making a plan: what the books say becomes a request, a planner answers it, a second opinion examines the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Protocol

from inventory.errors import ExpectedError
from inventory.model import AssetId, Snapshot, TenantId
from orchestrator.actions.pin_asset import pins_in
from orchestrator.actions.record import progress_in
from orchestrator.core.asks import Asks
from orchestrator.core.lifecycle import WAVE_TABLE, MoveState, WaveEvent, WaveState
from orchestrator.core.plan import BegunWave, Plan, PlanFinding, Planner, PlanRequest, WaveKey
from orchestrator.core.policy import Policy
from orchestrator.core.progress import MoveProgress
from orchestrator.core.runbook import Runbook
from orchestrator.core.undo import touched
from orchestrator.ports import Books, WaveRow

UNTOUCHED = frozenset({MoveState.PLANNED, MoveState.HELD})
APPROVED = frozenset({WaveState.APPROVED, WaveState.SCHEDULED})
STILL_COUNTS = timedelta(days=8)
"""A week that a wave shares with one that began may have begun so long ago."""
OVER = frozenset({WaveState.CLOSED, WaveState.ROLLED_BACK})


class PlanCheck(Protocol):
    """A second opinion on a finished plan."""

    def __call__(
        self, plan: Plan, snapshot: Snapshot, policy: Policy, *, request: PlanRequest | None = None
    ) -> tuple[PlanFinding, ...]:
        """All that is wrong with it."""
        ...


class PlanRefused(ExpectedError):
    """The second opinion found errors in a plan. ``findings`` holds all of them."""

    code, says = "PLAN-001", "The plan check found {count} errors; the first: {first}"
    remedy = "See all of them with `kahn plan check`. A planner must not make such plans: please report it."
    exit_code = 3

    def __init__(self, *, findings: tuple[PlanFinding, ...]) -> None:
        self.findings = findings
        super().__init__(count=len(findings), first=findings[0].says)


class EmptyPlan(ExpectedError):
    """Nothing can be planned. ``plan`` holds the leftovers with their rules."""

    code, says = "PLAN-002", "No wave can be planned: {why}"
    remedy = "See every reason with `kahn plan why-not`, mend the first one and propose again."
    exit_code = 5

    def __init__(self, *, plan: Plan) -> None:
        self.plan = plan
        super().__init__(why=_why_empty(plan))


class ChangedWhilePlanning(ExpectedError):
    """What a plan was made from is no longer so."""

    code, says = "PLAN-006", "The inventory, the policy or a wave changed while the plan was looked at."
    remedy = "Propose the plan again."
    exit_code = 6


def propose(planner: Planner, request: PlanRequest, check: PlanCheck) -> Plan:
    """A plan that passed the second opinion. Raises PlanRefused, EmptyPlan, InvalidPolicy."""
    plan = planner.propose(request)
    errors = tuple(
        one for one in check(plan, request.snapshot, request.policy, request=request) if one.severity == "error"
    )
    if errors:
        raise PlanRefused(findings=errors)
    if not plan.waves:
        raise EmptyPlan(plan=plan)
    return plan


def _why_empty(plan: Plan) -> str:
    if not plan.why_not:
        return "everything that can move has moved, is under way, or nothing is in the inventory."
    count: dict[str, int] = {}
    for one in plan.why_not:
        count[one.rule] = count.get(one.rule, 0) + len(one.assets)
    rules = ", ".join(f"{rule} {number}" for rule, number in count.items())
    return f"{sum(count.values())} assets are left over ({rules}). The first reason: {plan.why_not[0].says}"


# --------------------------------------------------------------------------- what the books say


AsksOf = Callable[[Policy], tuple[Asks, ...]]
"""What the runbooks that a policy names ask of the inventory."""


def nothing_said(_policy: Policy) -> tuple[Asks, ...]:
    """No word of any runbook: each is taken to need a vault."""
    return ()


def request_in(
    books: Books,
    *,
    tenant: TenantId,
    not_before: datetime,
    move_approved: bool = False,
    asks: AsksOf = nothing_said,
) -> PlanRequest:
    """The request for a tenant's next plan; approved waves are held unless it says otherwise. Raises UnknownTenant."""
    waves, policy = books.waves.all(tenant), books.tenants.policy(tenant)
    held = frozenset[WaveKey]() if move_approved else frozenset(WaveKey(w.key) for w in waves if w.state in APPROVED)
    fixed = [wave for wave in waves if WaveEvent.REPLACE not in WAVE_TABLE[wave.state]]
    return PlanRequest(
        snapshot=books.assets.snapshot(tenant),
        policy=policy,
        not_before=not_before,
        pins=pins_in(books, tenant),
        parent=books.plans.current(tenant),
        settled=frozenset(asset for wave in fixed for asset in _settled_in(books, wave)),
        occupied=tuple(wave.content.window for wave in fixed if wave.state not in OVER),
        begun=tuple(_begun(books, wave) for wave in fixed if wave.content.window.opens > not_before - STILL_COUNTS),
        approved=held,
        first_number=max((_number(wave.key) for wave in fixed), default=0) + 1,
        asks=asks(policy),
    )


def _begun(books: Books, wave: WaveRow) -> BegunWave:
    """The wave with those of its assets that are settled, group by group."""
    settled = frozenset(_settled_in(books, wave))
    groups = (tuple(asset for asset in group.assets if asset in settled) for group in wave.content.groups)
    return BegunWave(key=WaveKey(wave.key), window=wave.content.window, groups=tuple(one for one in groups if one))


def _settled_in(books: Books, wave: WaveRow) -> Iterator[AssetId]:
    """Assets of a wave that began: all while it is under way; afterwards those that are not as they were before."""
    for move in progress_in(books, wave).moves.values():
        if wave.state not in OVER or not _is_as_before(move, wave.content.runbook):
            yield move.asset


def _is_as_before(move: MoveProgress, runbook: Runbook) -> bool:
    """Proven to be rolled back, or nothing was ever done to it."""
    return move.state is MoveState.ROLLED_BACK or (move.state in UNTOUCHED and not touched(move, runbook))


def _number(key: str) -> int:
    digits = key.removeprefix("W")
    return int(digits) if digits.isascii() and digits.isdigit() else 0

"""Editing the plan in force by hand: checked by the second opinion, kept as pins, stored as a plan of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from inventory.errors import ExpectedError
from inventory.model import TenantId
from orchestrator.actions.desk import Desk
from orchestrator.actions.pin_asset import Word, pin
from orchestrator.actions.propose_plan import AsksOf, ChangedWhilePlanning, PlanCheck, nothing_said, request_in
from orchestrator.actions.sign import Keyboard
from orchestrator.actions.store_plan import StoredWave, store_plan
from orchestrator.core.freeze import Frozen
from orchestrator.core.lifecycle import WAVE_TABLE, WaveEvent
from orchestrator.core.plan import PlanFinding, PlanRequest, WaveKey
from orchestrator.core.plan_edit import Edited, Wish, edited
from orchestrator.ports import Books


class EditRefused(ExpectedError):
    """The second opinion found errors in the edited plan. ``findings`` holds all of them."""

    code, says = "PLAN-044", "The plan check refuses the edited plan for {count} errors; the first: {first}"
    remedy = "Correct the edit and try again; nothing was stored. `kahn plan explain` says what binds an asset."
    exit_code = 3

    def __init__(self, *, findings: tuple[PlanFinding, ...]) -> None:
        self.findings = findings
        super().__init__(count=len(findings), first=findings[0].says)


class PlanOutdated(ExpectedError):
    """The plan in force breaks rules already before it is edited. ``findings`` holds them."""

    code, says = "PLAN-045", "The plan in force does not fit what is known now, edited or not: {first}"
    remedy = "Propose a new plan with `kahn plan propose`, then edit that one."
    exit_code = 6

    def __init__(self, *, findings: tuple[PlanFinding, ...]) -> None:
        self.findings = findings
        super().__init__(first=findings[0].says)


@dataclass(frozen=True, slots=True, kw_only=True)
class Editable:
    """What an edit starts from: the request for a next plan, and the waves that no edit reaches any more."""

    request: PlanRequest
    fixed: frozenset[WaveKey]


def editable_in(books: Books, *, tenant: TenantId, now: datetime, asks: AsksOf = nothing_said) -> Editable:
    """What the books say. Raises UnknownTenant."""
    waves = books.waves.all(tenant)
    fixed = frozenset(WaveKey(wave.key) for wave in waves if WaveEvent.REPLACE not in WAVE_TABLE[wave.state])
    request = request_in(books, tenant=tenant, not_before=now, move_approved=True, asks=asks)
    return Editable(request=request, fixed=fixed)


def edit(start: Editable, wishes: Sequence[Wish], check: PlanCheck) -> tuple[Edited, tuple[PlanFinding, ...]]:
    """The edited plan with the warnings of the second opinion.

    Raises EditRefused, PlanOutdated and those of ``edited``.
    """
    found = edited(start.request, wishes, fixed=start.fixed)
    findings = _findings(found, check)
    errors = tuple(one for one in findings if one.severity == "error")
    if errors:
        untouched = edited(start.request, (), fixed=start.fixed)
        before = {(one.rule, one.says) for one in _findings(untouched, check)}
        old = tuple(one for one in errors if (one.rule, one.says) in before)
        raise PlanOutdated(findings=old) if old else EditRefused(findings=errors)
    return found, findings


def _findings(found: Edited, check: PlanCheck) -> tuple[PlanFinding, ...]:
    return check(found.plan, found.request.snapshot, found.request.policy, request=found.request)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditOrder:
    """An edit to be stored: what it started from, its outcome, and who says so why."""

    start: Editable
    edit: Edited
    keyboard: Keyboard
    reason: str = ""


def store_edit(desk: Desk, order: EditOrder, *, frozen: Frozen) -> tuple[StoredWave, ...]:
    """Write the pins, store the plan, propose its changed waves. Raises ChangedWhilePlanning and as ``store_plan``."""
    tenant, request = order.edit.plan.tenant, order.start.request
    again = editable_in(desk.books, tenant=tenant, now=request.not_before, asks=lambda _policy: request.asks)
    if again != order.start:
        raise ChangedWhilePlanning()
    by = desk.books.people.find(tenant, order.keyboard.person).id
    for one in order.edit.pins:
        pin(desk.books, tenant, one, word=Word(by=by, at=desk.now, reason=order.reason))
    return store_plan(desk, order.edit.plan, frozen=frozen, keyboard=order.keyboard)

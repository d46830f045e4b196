"""First fit: move groups in a fixed order, each into the first window that every rule allows."""

from __future__ import annotations

from datetime import UTC

from orchestrator.core.plan import Plan, PlanRequest
from orchestrator.core.planner.build import problem_of
from orchestrator.core.planner.draft import draft_of, units_of
from orchestrator.core.planner.greedy import placed_first_fit
from orchestrator.core.planner.origin import made_from
from orchestrator.core.planner.waves import left_over, waves_of, why_not_of


class FirstFitPlanner:
    """The Planner that takes groups in order and never looks back: pins, then what others need, then departments."""

    def propose(self, request: PlanRequest) -> Plan:
        """A plan that holds every rule; what does not fit is in ``why_not``. Raises InvalidPolicy."""
        draft = draft_of(request)
        units, reasons = units_of(draft)
        state = placed_first_fit(problem_of(draft, units), units, draft.structure)
        reasons.update(left_over(draft, units, state))
        return Plan(
            tenant=request.snapshot.tenant,
            parent=request.parent.fingerprint if request.parent else "",
            made_from=made_from(request),
            not_before=request.not_before.astimezone(UTC),
            seed=request.seed,
            waves=waves_of(draft, units, state),
            why_not=why_not_of(reasons),
        )

"""Planning in steps that scale: a plan that holds every rule first, then better ones for as long as was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC

from orchestrator.core.constraints import Level
from orchestrator.core.plan import Judged, Plan, PlanRequest
from orchestrator.core.planner.bounds import plain_bounds
from orchestrator.core.planner.build import problem_of
from orchestrator.core.planner.draft import Draft, Unit, draft_of, units_of
from orchestrator.core.planner.greedy import kept_of, placed_first_fit
from orchestrator.core.planner.grown import placed_by_ties
from orchestrator.core.planner.judge import levels_of, ranked, values_of
from orchestrator.core.planner.origin import made_from
from orchestrator.core.planner.problem import Problem
from orchestrator.core.planner.risk import with_risks
from orchestrator.core.planner.search import Search
from orchestrator.core.planner.solver import Solver, question_of
from orchestrator.core.planner.state import NOWHERE, State
from orchestrator.core.planner.waves import left_over, waves_of, why_not_of

ROUNDS = 4
"""Rounds of small steps for each unit of ``search``."""


class StepwisePlanner:
    """The Planner: first fit, then, where the policy asks for it, small steps and a solver. What was planned stays."""

    def __init__(self, solver: Solver | None = None) -> None:
        self._solver = solver

    def propose(self, request: PlanRequest) -> Plan:
        """A plan that holds every rule; what does not fit is in ``why_not``. Raises InvalidPolicy."""
        draft = draft_of(request)
        units, reasons = units_of(draft)
        problem = problem_of(draft, units)
        state, bounds = self._best(draft, units, problem)
        reasons.update(left_over(draft, units, state))
        waves = waves_of(draft, units, state)
        return Plan(
            tenant=request.snapshot.tenant,
            parent=request.parent.fingerprint if request.parent else "",
            made_from=made_from(request),
            not_before=request.not_before.astimezone(UTC),
            seed=request.seed,
            waves=with_risks(waves, request.snapshot, request.policy),
            why_not=why_not_of(reasons),
            judged=_judged(problem, state, bounds),
        )

    def _best(self, draft: Draft, units: Sequence[Unit], problem: Problem) -> tuple[State, Mapping[Level, float]]:
        state = placed_first_fit(problem, units, draft.structure)
        if not problem.search:
            return state, {}
        kept = frozenset(unit for unit in kept_of(problem) if state.window_of[unit] == problem.units[unit].old)
        if not kept:
            grown = placed_by_ties(problem, [unit.rank for unit in units])
            state = min(state, grown, key=lambda one: _worth(problem, one))
        Search(problem, state, kept=kept).improve(ROUNDS * problem.search)
        question = None if kept else question_of(problem, state.window_of, kept=kept, seed=draft.request.seed)
        answer = self._solver.solve(question) if self._solver is not None and question is not None else None
        if answer is None:
            return state, {}
        found = _checked(problem, answer.windows)
        if found is None or _worth(problem, found) > _worth(problem, state):
            return state, {}
        return found, answer.bounds


def _worth(problem: Problem, state: State) -> tuple[float, ...]:
    left = sum(one.size for one, window in zip(problem.units, state.window_of, strict=True) if window == NOWHERE)
    return float(left), *ranked(problem, values_of(problem, state.window_of))


def _checked(problem: Problem, windows: Sequence[int]) -> State | None:
    """The answer as a state, once each unit was asked for among all others; None when a rule says no to one of them."""
    state = State(problem)
    for unit, window in enumerate(windows):
        if window != NOWHERE:
            state.add(unit, window)
    return state if is_whole(state) else None


def is_whole(state: State) -> bool:
    """Whether no rule keeps any unit out of the window in which it stands."""
    for unit, window in enumerate(state.window_of):
        if window != NOWHERE:
            state.remove(unit)
            block = state.block(unit, window)
            state.add(unit, window)
            if block is not None:
                return False
    return True


def _judged(problem: Problem, state: State, bounds: Mapping[Level, float]) -> tuple[Judged, ...]:
    values = values_of(problem, state.window_of)
    plain = {} if problem.weights else plain_bounds(problem, state.window_of)
    plain = {level: bound for level, bound in plain.items() if bound or not values[level]}
    bounds = {**plain, **{level: max(bound, plain.get(level, bound)) for level, bound in bounds.items()}}
    return tuple(
        Judged(level=level, value=values[level], bound=_clean(bounds.get(level), values[level]))
        for level in levels_of(problem)
    )


def _clean(bound: float | None, value: float) -> float | None:
    return None if bound is None else round(min(bound, value), 6)


def without_search(request: PlanRequest) -> PlanRequest:
    """The same request, answered by the first plan that holds all rules."""
    planning = replace(request.policy.planning, search=0)
    return replace(request, policy=replace(request.policy, planning=planning))

"""Planning while Python's collector of cyclic garbage rests: it would walk over the whole estate again and again."""

from __future__ import annotations

import gc
from dataclasses import dataclass

from orchestrator.core.plan import Plan, Planner, PlanRequest


@dataclass(frozen=True, slots=True)
class CalmPlanner(Planner):
    """Another planner, undisturbed. What refers to itself in a circle is freed afterwards."""

    planner: Planner

    def propose(self, request: PlanRequest) -> Plan:
        """As the other one. Raises what it raises."""
        if not gc.isenabled():
            return self.planner.propose(request)
        gc.disable()
        try:
            return self.planner.propose(request)
        finally:
            gc.enable()

"""The best plan of a small request, proven: every server in one window, the least weight of cut needs.

Tried by hand it ends at some 16 servers. A solver proves the least for 30 in seconds; a test compares it with the
trying of all placements on small requests. It knows nothing of how the planner asks its own questions.
"""

from __future__ import annotations

from ortools.sat.python import cp_model

from bench.measures import needs_of
from inventory.model import AssetId
from orchestrator.core.plan import PlanRequest

SCALE = 1_000
"""The solver counts whole numbers: thousandths of a price."""


class NotProven(Exception):
    """The solver did not come to an end."""


def least_bridges(request: PlanRequest) -> float:
    """The least weight of cut needs when every server stands in one of the policy's single windows.

    Only for requests of ``exact:``: single servers, needs to lower numbers, no order asked for. Raises NotProven.
    """
    movers = sorted(one.id for one in request.snapshot.assets if not one.text("role"))
    number = {asset: at for at, asset in enumerate(movers)}
    windows, room = range(len(request.policy.windows)), request.policy.assets_per_window
    model = cp_model.CpModel()
    stands = [[model.new_bool_var(f"{asset} in {one}") for one in windows] for asset in movers]
    for row in stands:
        model.add_exactly_one(row)
    for one in windows:
        model.add(sum(row[one] for row in stands) <= room)
    cost = []
    for need in needs_of(request):
        cut = model.new_bool_var("cut")
        here, there = stands[number[AssetId(need.one)]], stands[number[AssetId(need.other)]]
        for one in windows:
            model.add(here[one] - there[one] <= cut)
        cost.append(round(need.price * SCALE) * cut)
    # Windows are alike: the first server stands in the first, the second in the first two.
    for at, row in enumerate(stands[: len(windows)]):
        for one in windows[at + 1 :]:
            model.add(row[one] == 0)
    model.minimize(sum(cost))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = 600
    if solver.solve(model) != cp_model.OPTIMAL:
        raise NotProven(solver.status_name())
    return solver.objective_value / SCALE

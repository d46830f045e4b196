"""The best plan of a very small request by trying every placement, in an order that lets most of them be skipped."""

from __future__ import annotations

from bench.measures import needs_of
from inventory.model import AssetId
from orchestrator.core.plan import PlanRequest


def least_bridges(request: PlanRequest) -> float:
    """The least weight of cut needs when every server stands in one of the policy's single windows.

    Only for requests of ``exact:``: single servers, needs to lower numbers, no order asked for. A placement that is no
    better so far is left, and of windows that are empty alike only the first is tried; yet 30 servers take minutes.
    """
    movers = sorted(one.id for one in request.snapshot.assets if not one.text("role"))
    number = {asset: at for at, asset in enumerate(movers)}
    below: list[list[tuple[int, float]]] = [[] for _ in movers]
    for need in needs_of(request):
        below[number[AssetId(need.one)]].append((number[AssetId(need.other)], need.price))
    windows, room = len(request.policy.windows), request.policy.assets_per_window
    best = sum(price for row in below for _, price in row) + 1.0
    window = [0] * len(movers)
    free = [room] * windows

    def place(at: int, cost: float) -> None:
        nonlocal best
        if cost >= best:
            return
        if at == len(movers):
            best = cost
            return
        empty = next((one for one in range(windows) if free[one] == room), windows - 1)
        added = [sum(price for other, price in below[at] if window[other] != one) for one in range(windows)]
        for choice in sorted(range(empty + 1), key=added.__getitem__):
            if free[choice]:
                window[at] = choice
                free[choice] -= 1
                place(at + 1, cost + added[choice])
                free[choice] += 1

    place(0, 0.0)
    return best

"""The collector rests while a plan is made, and works again whatever happened."""

from __future__ import annotations

import gc
from typing import cast

import pytest

from orchestrator.adapters.calm_planner import CalmPlanner
from orchestrator.core.plan import Plan, PlanRequest

REQUEST, PLAN = cast(PlanRequest, object()), cast(Plan, object())


class Watching:
    """Remembers whether the collector was at work."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails, self.collected = fails, list[bool]()

    def propose(self, request: PlanRequest) -> Plan:
        assert request is REQUEST
        self.collected.append(gc.isenabled())
        if self.fails:
            raise ValueError
        return PLAN


def test_the_collector_rests_meanwhile_and_works_again() -> None:
    inner = Watching()
    assert CalmPlanner(inner).propose(REQUEST) is PLAN
    assert inner.collected == [False] and gc.isenabled()


def test_it_works_again_after_a_failure() -> None:
    with pytest.raises(ValueError):
        CalmPlanner(Watching(fails=True)).propose(REQUEST)
    assert gc.isenabled()


def test_who_had_switched_it_off_finds_it_off() -> None:
    gc.disable()
    try:
        CalmPlanner(Watching()).propose(REQUEST)
        assert not gc.isenabled()
    finally:
        gc.enable()

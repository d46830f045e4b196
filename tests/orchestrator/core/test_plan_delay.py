"""A wave that begins later: its next free window, what it drags along, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from orchestrator.core.plan import Plan, PlanRequest, WaveKey
from orchestrator.core.plan_check import check_plan
from orchestrator.core.plan_delay import Delay, DelayImpossible, delayed
from orchestrator.core.plan_edit import EditWaveUnknown, NothingToEdit
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.policy import Freeze
from tests.estates import MONDAY, a_policy, a_request, an_estate, needs, old

DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")


def a_planned_request(pairs: int = 6, *, edges: Any = (), **policy: Any) -> PlanRequest:
    """Three nights, Monday to Wednesday, two assets each."""
    rules = a_policy(assets_per_window=2, **policy)
    request = a_request(an_estate(pairs, edges=tuple(edges)), policy=rules)
    return replace(request, parent=FirstFitPlanner().propose(request))


def plan_of(request: PlanRequest) -> Plan:
    assert request.parent is not None
    return request.parent


def nights(found: Delay) -> dict[str, str]:
    """Wave -> local day, of the whole plan."""
    waves = found.edit.plan.waves
    return {str(wave.key): f"{wave.window.opens.astimezone(BERLIN):%a %d}" for wave in waves}


def check(found: Delay) -> set[str]:
    request = found.edit.request
    return {one.rule for one in check_plan(found.edit.plan, request.snapshot, request.policy, request=request)}


def test_the_wave_takes_the_next_free_window_and_all_else_stays() -> None:
    found = delayed(a_planned_request(), "W01", 1)
    assert nights(found) == {"W02": "Tue 24", "W03": "Wed 25", "W01": "Thu 26"}
    assert [(one.wave, one.waits_for) for one in found.dragged] == [("W01", "")]
    assert check(found) == set()


def test_what_needs_the_delayed_wave_is_dragged_along_in_a_chain() -> None:
    request = a_planned_request(5, edges=[needs("old-0001", "old-0000"), needs("old-0002", "old-0001")])
    keys = {n: next(w.key for w in plan_of(request).waves if old(n) in w.assets) for n in range(3)}
    assert keys[0] <= keys[1] <= keys[2]
    found = delayed(request, str(keys[0]), 10)
    moments = {wave.key: wave.window.opens for wave in found.edit.plan.waves}
    assert moments[keys[0]] <= moments[keys[1]] <= moments[keys[2]]
    assert [one.waits_for for one in found.dragged][1:] != []
    assert "order" not in check(found)


def test_freezes_and_waves_under_way_are_respected() -> None:
    day = MONDAY.date()
    frozen = Freeze(name="council", first=day + timedelta(days=3), last=day + timedelta(days=9))
    request = a_planned_request(6, freezes=(frozen,))
    busy = replace(plan_of(request).waves[0].window, opens=MONDAY + 9 * DAY, closes=MONDAY + 11 * DAY)
    assert nights(delayed(request, "W03", 1))["W03"] == "Thu 03"
    assert nights(delayed(replace(request, occupied=(busy,)), "W03", 1))["W03"] == "Mon 07"


def test_days_are_counted_by_the_clock_on_the_wall() -> None:
    before = datetime(2027, 3, 22, 8, tzinfo=UTC)
    request = a_request(an_estate(2), policy=a_policy(assets_per_window=2), not_before=before)
    request = replace(request, parent=FirstFitPlanner().propose(request))
    found = delayed(request, "W01", 7)
    opens = found.edit.plan.waves[0].window.opens
    assert (opens.astimezone(BERLIN).strftime("%a %d %H:%M"), opens.hour) == ("Tue 30 22:00", 20)


def test_the_delay_is_pinned_so_that_the_next_planning_keeps_it() -> None:
    found = delayed(a_planned_request(), "W01", 1)
    assert {pin.asset for pin in found.edit.pins} == {old(0), old(3)}
    again = FirstFitPlanner().propose(replace(found.edit.request, parent=found.edit.plan))
    first = next(wave for wave in again.waves if old(0) in wave.assets)
    assert first.window.opens >= MONDAY + timedelta(days=1, hours=13)


def test_a_delay_beyond_the_last_window_says_why() -> None:
    with pytest.raises(DelayImpossible, match="no free window is left"):
        delayed(a_planned_request(), "W01", 400)
    late = a_planned_request()
    with pytest.raises(EditWaveUnknown):
        delayed(late, "W09", 1)
    with pytest.raises(EditWaveUnknown):
        delayed(late, "W01", 1, fixed=frozenset({WaveKey("W01")}))
    with pytest.raises(NothingToEdit):
        delayed(replace(late, parent=None), "W01", 1)

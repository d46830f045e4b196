"""What is due ahead of waves, counted back from their windows in local days."""

from __future__ import annotations

from datetime import date, timedelta

from orchestrator.core.constraints import Planning, Scope, Task, Visit
from orchestrator.core.due_tasks import Begun, Due, due_tasks
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.policy import Policy
from tests.estates import MONDAY, a_policy, a_request, an_estate

ESTATE = an_estate(6)
NOTICE = Task(name="notice", days_before=10, owner="Projektleitung")
MAKER = Visit(name="maker", lead_days=2, owner="EDV", scope=Scope(departments=("Amt 1",)))
TODAY = MONDAY.date()


def a_ruled_policy() -> Policy:
    return a_policy(assets_per_window=4, planning=Planning(tasks=(NOTICE,), visits=(MAKER,)))


PLAN = FirstFitPlanner().propose(a_request(ESTATE, policy=a_ruled_policy()))


def test_each_rule_is_due_so_many_local_days_before_each_wave_that_holds_such_an_asset() -> None:
    found = due_tasks(PLAN, ESTATE, a_ruled_policy(), today=TODAY)
    assert [(one.name, one.wave, one.assets, one.owner) for one in found if one.name == "maker"] == [
        ("maker", "W01", 2, "EDV")
    ]
    notices = [one for one in found if one.name == "notice"]
    assert [(one.wave, one.assets) for one in notices] == [("W01", 4), ("W02", 2)]
    for one in found:
        assert one.due == one.moves_on - timedelta(days=one.days_before)
    assert [one.due for one in found] == sorted(one.due for one in found)


def test_what_is_past_its_last_day_is_overdue_and_the_last_day_itself_is_not() -> None:
    (first, *_) = due_tasks(PLAN, ESTATE, a_ruled_policy(), today=TODAY)
    on_the_day = due_tasks(PLAN, ESTATE, a_ruled_policy(), today=first.due)[0]
    after = due_tasks(PLAN, ESTATE, a_ruled_policy(), today=first.due + timedelta(days=3))[0]
    assert (on_the_day.state, on_the_day.days_left(first.due)) == (Due.OPEN, 0)
    assert (after.state, after.days_left(first.due + timedelta(days=3))) == (Due.OVERDUE, -3)


def test_what_is_said_to_be_begun_counts_only_while_the_wave_moves_on_that_day() -> None:
    first = due_tasks(PLAN, ESTATE, a_ruled_policy(), today=TODAY)[0]
    told = {Begun(task=first.name, wave=first.wave, moves_on=first.moves_on)}
    moved = {Begun(task=first.name, wave=first.wave, moves_on=date(2030, 1, 1))}
    assert due_tasks(PLAN, ESTATE, a_ruled_policy(), today=TODAY, told=told)[0].state is Due.DONE
    assert due_tasks(PLAN, ESTATE, a_ruled_policy(), today=TODAY, told=moved)[0].state is not Due.DONE


def test_a_policy_without_tasks_asks_for_nothing() -> None:
    assert due_tasks(PLAN, ESTATE, a_policy(), today=TODAY) == ()

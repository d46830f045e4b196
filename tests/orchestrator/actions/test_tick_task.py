"""The last word on a task counts, and other words about the plan are no words about tasks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from orchestrator.actions.pin_asset import Word, pin, pins_in
from orchestrator.actions.tick_task import tasks_ahead, tick, ticked_in, today_in
from orchestrator.cli.context import Context
from orchestrator.core.constraints import Planning, Task
from orchestrator.core.due_tasks import Begun, Due
from orchestrator.core.plan import Pin
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.wave import PersonId
from tests.estates import MONDAY, TENANT, a_policy, a_request, an_estate, old
from tests.planning_town import a_home

WORD = Word(by=PersonId("p-1"), at=MONDAY, reason="sent by post")
SENT = Begun(task="notice", wave="W01", moves_on=date(2026, 11, 23))
POLICY = a_policy(planning=Planning(tasks=(Task(name="notice", days_before=3),)))


@pytest.fixture
def town(tmp_path: Path) -> Context:
    return a_home(tmp_path, policy=POLICY)


def test_a_task_is_begun_until_somebody_says_that_it_is_open_again(town: Context) -> None:
    with town.world.transaction() as books:
        pin(books, TENANT, Pin(asset=old(1), not_before=MONDAY), word=WORD)
        tick(books, TENANT, SENT, word=WORD)
        tick(books, TENANT, replace(SENT, wave="W02"), word=WORD)
        assert ticked_in(books, TENANT) == {SENT, replace(SENT, wave="W02")}
        tick(books, TENANT, SENT, word=WORD, open_again=True)
        assert ticked_in(books, TENANT) == {replace(SENT, wave="W02")}
        assert len(pins_in(books, TENANT)) == 1


def test_tasks_ahead_are_those_of_the_plan_in_force(town: Context) -> None:
    plan = FirstFitPlanner().propose(a_request(an_estate(5), policy=POLICY))
    with town.world.transaction() as books:
        today = today_in(books, TENANT, MONDAY)
        assert tasks_ahead(books, TENANT, today=today) == ()
        books.plans.put(TENANT, plan, at=MONDAY)
        (found,) = tasks_ahead(books, TENANT, today=today)
        assert (found.name, found.wave, found.state) == ("notice", "W01", Due.OPEN)
        tick(books, TENANT, Begun(task="notice", wave="W01", moves_on=found.moves_on), word=WORD)
        assert tasks_ahead(books, TENANT, today=today)[0].state is Due.DONE

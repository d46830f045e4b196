"""``kahn plan tasks`` and ``kahn plan task`` on a real store, and the same tasks in the calendar."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from orchestrator.actions.tick_task import NoSuchTask
from orchestrator.cli import plan_pictures, plan_tasks
from orchestrator.cli.context import Context
from orchestrator.cli.plan import NoPlan
from orchestrator.core.constraints import Planning, Task
from tests.estates import TENANT, a_policy, an_estate
from tests.orchestrator.cli.test_plan_edit import called, document, said
from tests.planning_town import AROUND_THE_CLOCK, a_home

NOTICE = Task(name="notice; to\nall, [bold]", days_before=2, owner="Projektleitung")
POLICY = a_policy(weekly=(AROUND_THE_CLOCK,), holidays="", assets_per_window=2, planning=Planning(tasks=(NOTICE,)))


@pytest.fixture
def town(tmp_path: Path) -> Context:
    assert plan_pictures.__doc__ and plan_tasks.__doc__  # importing them adds their commands
    return a_home(tmp_path, estate=an_estate(4), policy=POLICY)


def longer(town: Context) -> None:
    """The task must now be begun earlier than the plan allowed."""
    with town.world.transaction() as books:
        task = replace(NOTICE, days_before=400)
        books.tenants.set_policy(TENANT, replace(POLICY, planning=Planning(tasks=(task,))))


def test_tasks_are_listed_by_their_last_day_and_said_to_be_begun(town: Context) -> None:
    assert isinstance(called(town, "tasks").exception, NoPlan)
    said(town, "propose")
    listed = said(town, "tasks")
    assert listed.count("Projektleitung") == 2
    assert "begun" in said(town, "task", NOTICE.name, "W01", "--as", "anna", "--reason", "sent")
    assert [one["state"] for one in document(town, "tasks")] == ["done", "open"]
    said(town, "task", NOTICE.name, "W01", "--open", "--as", "anna")
    assert [one["state"] for one in document(town, "tasks", "--wave", "W01")] == ["open"]


def test_what_is_overdue_is_said_where_the_plan_is_shown(town: Context) -> None:
    said(town, "propose")
    longer(town)
    assert "OVERDUE" in said(town, "tasks", "--overdue")
    assert "2 of 2 tasks ahead of waves are overdue" in said(town, "show")


def test_a_task_or_wave_that_is_not_there_is_refused(town: Context) -> None:
    said(town, "propose")
    for name, wave in (("nothing", "W01"), (NOTICE.name, "W99"), ("", "")):
        assert isinstance(called(town, "task", name, wave, "--as", "anna").exception, NoSuchTask)


def test_the_calendar_holds_each_open_task_on_its_last_day(town: Context, tmp_path: Path) -> None:
    said(town, "propose")
    said(town, "task", NOTICE.name, "W01", "--as", "anna")
    file = tmp_path / "plan.ics"
    assert "So is one task ahead of them" in said(town, "calendar", "-o", str(file))
    found: list[Any] = [one for one in Calendar.from_ical(file.read_bytes()).walk("VEVENT") if "transp" in one]
    (task,) = found
    (open_one,) = [one for one in document(town, "tasks") if one["state"] == "open"]
    assert task["dtstart"].dt.isoformat() == open_one["due"]
    assert "Begin by today" in task["summary"] and "\n" not in task["summary"] and task["uid"].endswith("@kahn")

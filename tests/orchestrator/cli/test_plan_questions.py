"""Questions about the plan in force: what would be if, and why not earlier."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from inventory.errors import ExpectedError
from orchestrator.cli.context import Context
from orchestrator.cli.plan import NoPlan, app
from orchestrator.cli.plan_questions import BadCapacity
from orchestrator.core.constraints import Capacity, Measure, Planning, Scope, Task
from orchestrator.core.planner.what_if import NoSuchRule
from tests.estates import a_policy, an_estate
from tests.planning_town import AROUND_THE_CLOCK, a_home

HANDS = Capacity(name="hands", of=Measure.ASSETS, most=2)
NOTICE = Task(name="notice", days_before=4, scope=Scope(names=("old-0004",)))


@pytest.fixture
def town(tmp_path: Path) -> Context:
    """Five seats, two a day, one of them after a notice."""
    asked = Planning(capacities=(HANDS,), tasks=(NOTICE,))
    policy = a_policy(weekly=(AROUND_THE_CLOCK,), holidays="", horizon_days=9, planning=asked)
    return a_home(tmp_path, estate=an_estate(5), policy=policy)


def called(town: Context, *words: str, as_json: bool = False) -> Result:
    asking = Context(home=town.home, tenant_name="stadt", plain=True, yes=True, json=as_json)
    return CliRunner().invoke(app, words, obj=asking)


def told(town: Context, *words: str, as_json: bool = False) -> str:
    result = called(town, *words, as_json=as_json)
    assert result.exception is None, result.exception
    return result.stdout


def refused(town: Context, *words: str) -> ExpectedError:
    error = called(town, *words).exception
    assert isinstance(error, ExpectedError)
    return error


def propose(town: Context) -> None:
    told(town, "propose", "--as", "anna", "--key", str(town.settings.home.parent / "anna"))


def test_what_if_holds_two_plans_side_by_side_and_stores_nothing(town: Context) -> None:
    text = told(town, "what-if", "--capacity", "hands=9", "--lift", "notice")
    assert ["waves", "3", "1"] in [line.split() for line in text.splitlines()]
    assert "Nothing was stored." in text
    assert isinstance(refused(town, "show"), NoPlan)


def test_a_question_about_what_is_not_there_names_what_is(town: Context) -> None:
    assert "hands, notice" in str(refused(town, "what-if", "--lift", "summer"))
    assert isinstance(refused(town, "what-if", "--capacity", "notice=3"), NoSuchRule)
    for text in ("hands", "hands=many", "hands=-1", "hands=nan"):
        assert isinstance(refused(town, "what-if", "--capacity", text), BadCapacity)
    assert isinstance(refused(town, "what-if", "--assets-per-window", "-3"), ExpectedError)


def test_an_asset_learns_why_it_is_no_earlier_and_what_would_be_cheapest(town: Context) -> None:
    assert isinstance(refused(town, "earlier", "old-0004"), NoPlan)
    propose(town)
    text = told(town, "earlier", "old-0004")
    assert "lead_time" in text and "too early for 'notice'" in text
    assert "Cheapest to open:" in text and "Lengthen horizon_days, or begin earlier." in text
    assert "old-0000 is in W01; 0 windows lie before it." in told(town, "earlier", "old-0000")
    assert "is in no group that could move" in told(town, "earlier", "vault-1")


def test_the_answers_can_be_read_by_programs(town: Context) -> None:
    propose(town)
    answer: dict[str, Any] = json.loads(told(town, "earlier", "old-0004", as_json=True))
    assert answer["answer"]["conflict"][0]["rule"] == "lead_time"
    outcome = json.loads(told(town, "what-if", "--horizon-days", "2", as_json=True))
    assert outcome["what_if"]["planned"] < outcome["as_it_is"]["planned"]

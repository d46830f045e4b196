"""``kahn plan delay`` and the words of ``kahn plan diff`` on a real store."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli import plan_delay
from orchestrator.cli.context import Context, NoPerson
from orchestrator.core.plan_delay import DelayImpossible
from tests.estates import a_policy, an_estate
from tests.orchestrator.cli.test_plan_edit import called, document, said
from tests.planning_town import AROUND_THE_CLOCK, a_home


@pytest.fixture
def town(tmp_path: Path) -> Context:
    """Three days with two assets each."""
    assert plan_delay.__doc__
    policy = a_policy(weekly=(AROUND_THE_CLOCK,), holidays="", assets_per_window=2, canary_size=1)
    town = a_home(tmp_path, estate=an_estate(6), policy=policy)
    said(town, "propose")
    return town


def test_a_delay_is_shown_and_nothing_stored(town: Context) -> None:
    before = document(town, "show")["fingerprint"]
    result = called(town, "delay", "W01", "--days", "1", signer=False)
    assert "W01 moves from " in result.output and "No other wave has to move." in result.output
    assert "The last wave comes one day later" in result.output and "Nothing was stored." in result.output
    assert document(town, "show")["fingerprint"] == before


def test_a_stored_delay_is_proposed_and_told_by_diff(town: Context) -> None:
    assert isinstance(called(town, "delay", "W02", "--days", "2", "--store", signer=False).exception, NoPerson)
    text = said(town, "delay", "W02", "--days", "2", "--store", "--reason", "vendor ill")
    assert "W02 changed and is proposed again; approvals it had are void." in text
    assert "W01 stays as it is, with its approvals." in text
    assert "2 assets move later, by up to 2 days" in said(town, "diff")
    assert document(town, "diff")["comparison"]["finish_days"] == 1


def test_a_delay_that_cannot_be_is_refused(town: Context) -> None:
    assert isinstance(called(town, "delay", "W01", "--days", "3000").exception, DelayImpossible)

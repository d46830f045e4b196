"""How plans look in a terminal."""

from __future__ import annotations

import pytest

from orchestrator.cli.context import Out
from orchestrator.cli.plan_tables import plan_document, show_each_leftover, show_plan
from orchestrator.core.planner.first_fit import FirstFitPlanner
from tests.estates import a_pair, a_request, an_estate

ESTATE = an_estate(40, also=a_pair(3, department="Amt [für] Bau"))
PLAN = FirstFitPlanner().propose(a_request(ESTATE))


def test_a_wave_is_a_row_with_window_batches_and_departments(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(Out(as_json=False, is_plain=True), PLAN, ESTATE)
    text = capsys.readouterr().out
    assert "40 assets in 4 waves, 0 left over, 40 in all." in text
    assert "W01" in text and "Amt 0" in text and "[für]" in text


def test_a_plan_with_only_leftovers_has_no_table_of_waves(capsys: pytest.CaptureFixture[str]) -> None:
    estate = an_estate(also=a_pair(0, address=""))
    plan = FirstFitPlanner().propose(a_request(estate))
    out = Out(as_json=False, is_plain=True)
    show_plan(out, plan, estate)
    show_each_leftover(out, plan, estate, rule="no_access")
    text = capsys.readouterr().out
    assert "no_address" in text and "W01" not in text


def test_nothing_is_printed_for_people_when_json_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(Out(as_json=True, is_plain=True), PLAN, ESTATE)
    assert capsys.readouterr().out == ""


def test_the_document_holds_the_rows_and_the_plan_itself() -> None:
    found = plan_document(PLAN, ESTATE)
    assert found["fingerprint"] == PLAN.fingerprint
    assert sum(line.assets for line in found["waves"]) == 40

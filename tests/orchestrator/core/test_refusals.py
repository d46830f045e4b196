"""What the store refuses is told with a stable code, the facts, a remedy and a fitting exit code."""

from __future__ import annotations

import inspect

import pytest

from inventory.errors import ExpectedError
from orchestrator.core import refusals

REFUSALS = [
    one for one in vars(refusals).values() if inspect.isclass(one) and issubclass(one, ExpectedError) and one.code
]
SOMEBODY_WAS_FIRST = {"PlanOvertaken", "Overtaken", "AssetBusy", "StaleDriver", "StoreWentBack"}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: str(one.__name__))
def test_every_refusal_belongs_to_the_store_and_names_a_way_out(refusal: type[ExpectedError]) -> None:
    assert refusal.code.startswith("STO-")
    assert refusal.remedy


def test_losing_a_race_has_an_exit_code_of_its_own() -> None:
    assert {one.__name__ for one in REFUSALS if one.exit_code == 6} == SOMEBODY_WAS_FIRST


def test_the_facts_stand_in_the_message() -> None:
    error = refusals.AssetBusy(subject="asset a1", run="r1")
    assert str(error).startswith("STO-013: asset a1 is in use by run r1. Wait for that run to end")

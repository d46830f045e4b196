"""What counts as a fault of an asset: a signature that several can share."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.core.results import Result, fault_of
from orchestrator.core.runbook import Direction
from tests.orchestrator.core.builders import OPENS

BEFORE = ("save", "disk_full")


def a_result(**more: Any) -> Result:
    told: dict[str, Any] = {"step": "look", "direction": Direction.DO, "outcome": "done", "cause": "", "evidence": {}}
    return Result(**(told | more), at=OPENS)


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        (a_result(), None),
        (a_result(outcome="failed", cause="clock_wrong"), ("look", "clock_wrong")),
        (a_result(outcome="not_started", cause="unreachable"), ("look", "unreachable")),
        (a_result(outcome="waits", cause="source_busy"), BEFORE),
        (a_result(outcome="failed", cause="gone", direction=Direction.UNDO), BEFORE),
    ],
)
def test_only_what_goes_wrong_on_the_way_forward_is_a_fault_and_waiting_is_none(
    result: Result, fault: tuple[str, str] | None
) -> None:
    assert fault_of(result, BEFORE) == fault

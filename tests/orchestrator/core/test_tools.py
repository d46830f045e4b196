"""What an external tool's answer means, whether its start was seen or not."""

from __future__ import annotations

import pytest

from orchestrator.core.lifecycle import MoveEvent
from orchestrator.core.runbook import Effect, Step
from orchestrator.core.tools import cause_of_tool, percent_of, tool_answered

STARTED_BY_US = Step(
    name="order",
    title="Order",
    on="tool",
    effect=Effect.ONCE,
    playbook="start.yml",
    probe="probe.yml",
    undo="undo.yml",
    external=True,
    every_s=60,
)


@pytest.mark.parametrize(
    ("answer", "started", "event"),
    [
        ("done", True, MoveEvent.PROBE_DONE),
        ("failed", True, MoveEvent.PROBE_PARTIAL),
        ("partial", False, MoveEvent.PROBE_PARTIAL),
        ("running", False, MoveEvent.STILL_GOING),
        ("not_done", True, MoveEvent.STILL_GOING),
        ("cannot_tell", True, MoveEvent.STILL_GOING),
        ("not_done", False, MoveEvent.PROBE_NOT_DONE),
        ("cannot_tell", False, MoveEvent.PROBE_BLIND),
        ("{{ lookup('pipe', 'id') }}", False, MoveEvent.PROBE_BLIND),
    ],
)
def test_a_tool_is_started_again_only_when_it_says_that_it_never_began(
    answer: str, started: bool, event: MoveEvent
) -> None:
    assert tool_answered(STARTED_BY_US, answer, is_started=started) is event


@pytest.mark.parametrize("told", [None, 7, "", "Two words", "no\nword", "x" * 99, "tool_failed", "budget_spent", ["a"]])
def test_a_tool_s_own_cause_counts_only_as_a_plain_word_that_is_none_of_the_rules(told: object) -> None:
    assert cause_of_tool({"cause": told}) == "tool_failed"
    assert cause_of_tool({"cause": "no_disk", "answer": "failed"}) == "no_disk"


def test_a_tool_that_tells_nonsense_about_how_far_it_is_tells_nothing() -> None:
    assert [percent_of({"percent": one}) for one in (0, 100, 55)] == [0, 100, 55]
    assert {percent_of({"percent": one}) for one in (-1, 101, "50", None, 5.5, True, [1])} == {None}
    assert percent_of({}) is None

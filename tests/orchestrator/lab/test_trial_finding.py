"""Findings of a trial."""

from __future__ import annotations

from orchestrator.core.outcome import Outcome
from orchestrator.core.trial import Tried
from orchestrator.lab.picture import Picture
from orchestrator.lab.trial_finding import SHOWN, as_outcome, compared, told_of


def test_an_outcome_is_well_only_when_it_is_the_one_that_was_wanted() -> None:
    lost = Outcome(kind="unknown", cause="result_lost", msg="x" * 500)
    assert as_outcome(Outcome(kind="done"), wanted="done").verdict is Tried.WELL
    assert as_outcome(lost, wanted="failed").verdict is Tried.BROKEN
    assert told_of(lost) == "unknown result_lost " + "x" * 200


def test_differences_are_listed_by_machine_and_not_without_end() -> None:
    found = compared({"old": {}}, {"old": {f"etc/{n:03}": (n,) for n in range(50)}}, told="failed")
    assert (found.verdict, len(found.differences), found.differences[0]) == (Tried.DIFFERS, SHOWN, "old: etc/000")


def test_what_stays_by_nature_does_not_hide_what_else_differs() -> None:
    before: dict[str, Picture] = {"old": {"disk": (0,), "a": (1,)}}
    now: dict[str, Picture] = {"old": {"disk": (1,), "a": (2,)}}
    found = compared(before, now, told="", stays={"old: disk": "its disk stays"})
    assert (found.verdict, found.told, found.differences) == (Tried.DIFFERS, "its disk stays", ("old: a",))

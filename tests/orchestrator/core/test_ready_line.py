"""Lines of the ready check."""

from __future__ import annotations

from orchestrator.core.explain import Sentence
from orchestrator.core.ready_line import good, joined_in_one


def test_clauses_are_joined_and_each_can_still_be_translated() -> None:
    clauses = tuple(Sentence(says="{n} of them", facts={"n": n}) for n in range(3))
    assert joined_in_one(clauses).text == "0 of them; 1 of them; 2 of them"
    assert joined_in_one(()).text == ""


def test_an_open_gate_has_nothing_to_remedy() -> None:
    line = good("state", Sentence(says="well"))
    assert (line.verdict, line.remedy, line.assets) == ("ok", None, ())

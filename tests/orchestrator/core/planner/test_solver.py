"""Questions to a solver: whole where they are small, with fewer windows where not, none where they are huge."""

from __future__ import annotations

import json

import pytest

from orchestrator.core.planner import solver
from orchestrator.core.planner.solver import question_of
from tests.orchestrator.core.planner.test_judge import drafted


def test_a_small_question_is_whole_and_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, state = drafted(1)
    question = question_of(problem, state.window_of, kept=frozenset({0}), seed=7)
    assert question is not None and question["whole"]
    assert json.loads(json.dumps(question))["seed"] == 7
    assert question["units"][0]["windows"] in ([state.window_of[0]], [])
    monkeypatch.setattr(solver, "MOST_PLACES", 12 * len(problem.units))
    smaller = question_of(problem, state.window_of, kept=frozenset(), seed=7)
    assert smaller is not None and not smaller["whole"]
    monkeypatch.setattr(solver, "MOST_PLACES", 3)
    assert question_of(problem, state.window_of, kept=frozenset(), seed=7) is None

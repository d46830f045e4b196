"""The solver's process reads a question and writes an answer, and takes nothing of ours with it."""

from __future__ import annotations

import json
import subprocess
import sys

from orchestrator.adapters.cpsat import CHILD
from orchestrator.core.planner.solver import question_of
from tests.orchestrator.core.planner.test_judge import drafted


def test_it_imports_nothing_of_kahn_and_answers_in_plain_values() -> None:
    problem, state = drafted(3)
    question = question_of(problem, state.window_of, kept=frozenset(), seed=0)
    done = subprocess.run(
        [sys.executable, "-I", str(CHILD)], input=json.dumps(question), capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout)
    assert len(answer["windows"]) == len(problem.units)
    assert answer["reached"][0]["level"] == "planned"
    assert "import orchestrator" not in CHILD.read_text() and "from orchestrator" not in CHILD.read_text()

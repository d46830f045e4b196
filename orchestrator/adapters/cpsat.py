"""The solver: CP-SAT in a process of its own, ended when it takes far longer than agreed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import Any

from orchestrator.core.constraints import Level
from orchestrator.core.planner.solver import Answer

CHILD = Path(__file__).with_name("cpsat_child.py")
WALL_S_EACH = 20
"""Seconds on the wall for one of deterministic time on one level, far more than any machine should need."""
START_S = 60
LEVELS = frozenset(str(level) for level in Level)


def _nobody(_level: Level, _value: float, _bound: float) -> None:
    """Where nobody looks, nothing is told."""


class CpSatSolver:
    """Solver by ortools. Its answers are repeatable: one worker, a seed, and limits in deterministic time.

    ``tell`` hears of each level as it is done: the level, what was reached, and the bound.
    """

    def __init__(self, tell: Callable[[Level, float, float], None] = _nobody) -> None:
        self._tell = tell

    def solve(self, question: Mapping[str, Any]) -> Answer | None:
        """The best windows found with their bounds; None when the process failed or had to be ended."""
        limit = START_S + WALL_S_EACH * question["effort"] * (1 + len(question["objective"]))
        try:
            found = self._answered(question, limit_s=limit)
        except (OSError, ValueError):
            return None
        if found is None:
            return None
        proven = found["reached"] if question["whole"] else []
        bounds = {Level(one["level"]): one["bound"] for one in proven if one["level"] in LEVELS}
        return Answer(windows=tuple(found["windows"]), bounds=bounds)

    def _answered(self, question: Mapping[str, Any], *, limit_s: float) -> dict[str, Any] | None:
        """What the child wrote; a file takes its answer, for a pipe that nobody reads meanwhile would stop it."""
        with TemporaryFile("w+", encoding="utf-8") as answer, self._child(answer) as child:
            end = Timer(limit_s, child.kill)
            end.start()
            try:
                self._talk(child, question)
                if child.wait() != 0:
                    return None
            finally:
                end.cancel()
                child.kill()
            answer.seek(0)
            found: dict[str, Any] = json.load(answer)
            return found

    def _child(self, answer: Any) -> subprocess.Popen[str]:
        words = [sys.executable, "-I", str(CHILD)]
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=answer, stderr=subprocess.PIPE, text=True)

    def _talk(self, child: subprocess.Popen[str], question: Mapping[str, Any]) -> None:
        """Ask, and pass on what it tells until it is silent."""
        assert child.stdin is not None and child.stderr is not None
        try:
            child.stdin.write(json.dumps(question))
            child.stdin.close()
        except BrokenPipeError:
            return
        for line in child.stderr:
            told = json.loads(line) if line.startswith("{") else {}
            if told.get("level") in LEVELS:
                self._tell(Level(told["level"]), told["value"], told["bound"])

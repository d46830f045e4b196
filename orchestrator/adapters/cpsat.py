"""The solver: CP-SAT in a process of its own, ended when it takes far longer than agreed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.core.constraints import Level
from orchestrator.core.planner.solver import Answer

CHILD = Path(__file__).with_name("cpsat_child.py")
WALL_S_EACH = 20
"""Seconds on the wall for one of deterministic time on one level, far more than any machine should need."""
START_S = 60


class CpSatSolver:
    """Solver by ortools. Its answers are repeatable: one worker, a seed, and limits in deterministic time."""

    def solve(self, question: Mapping[str, Any]) -> Answer | None:
        """The best windows found with their bounds; None when the process failed or had to be ended."""
        limit = START_S + WALL_S_EACH * question["effort"] * (1 + len(question["objective"]))
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(CHILD)],
                input=json.dumps(question),
                capture_output=True,
                text=True,
                timeout=limit,
                check=True,
            )
            found = json.loads(done.stdout)
        except (subprocess.SubprocessError, OSError, ValueError):
            return None
        levels = [str(level) for level in Level]
        proven = found["reached"] if question["whole"] else []
        bounds = {Level(one["level"]): one["bound"] for one in proven if one["level"] in levels}
        return Answer(windows=tuple(found["windows"]), bounds=bounds)

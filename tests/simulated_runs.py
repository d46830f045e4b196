"""Simulated hosts behind the port of runs: each start plays at once, a ledger keeps every effect, faults are chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orchestrator.core.runbook import Direction
from orchestrator.core.wave import RunId
from orchestrator.run_ports import RunOrder, SpoolLine, SpoolRead

Fault = Callable[[str, str, Direction], str]
"""(asset, step, direction) -> '' for well, or one of failed, unreachable, lost (no result, no EXIT)."""


@dataclass
class SimulatedRuns:
    """A PlaybookRunner over hosts that exist only here. ``ledger``: (asset, direction, step, attempt) in order."""

    fault: Fault = lambda _asset, _step, _direction: ""
    ledger: list[tuple[str, str, str, str]] = field(default_factory=list)
    spools: dict[RunId, tuple[list[SpoolLine], bool]] = field(default_factory=dict)
    closed: set[RunId] = field(default_factory=set)
    known_epoch: int = 0
    answers: list[str] = field(default_factory=list)
    """What the next probes say, in order; then always not_done."""
    differences: list[str] = field(default_factory=list)
    """What comparisons with before find."""
    left: list[str] = field(default_factory=list)
    """What the step `restore` leaves to people."""
    printers: dict[str, str] = field(default_factory=lambda: {"flur": "ipp://drucker/flur"})
    """What successors offer; old machines offer one printer."""

    def start(self, order: RunOrder) -> None:
        """Play the whole run at once."""
        run = order.run
        assert run.id not in self.closed and run.id not in self.spools, "a run starts once"
        lines: list[SpoolLine] = []
        whole = True
        for attempt in run.attempts:
            fault = self.fault(str(attempt.asset), run.step, run.direction)
            self.note(lines, "task_start", str(attempt.asset), part="step")
            if fault == "lost":
                whole = False
                continue
            if fault != "unreachable":
                self.ledger.append((str(attempt.asset), run.direction.value, run.step, attempt.id))
            if fault:
                self.note(lines, fault, str(attempt.asset), part="step", kahn={"cause": "made_up"})
            else:
                self.note(lines, "ok", str(attempt.asset), part="step", kahn=self.reported(run.direction, run.step))
                self.note(lines, "done", str(attempt.asset), part="done")
        self.spools[run.id] = (lines, whole)

    def reported(self, direction: Direction, step: str) -> dict[str, Any]:
        """What the module of that direction says."""
        if direction is Direction.PROBE and self.answers:
            return {"answer": self.answers.pop(0)}
        if direction is Direction.COMPARE and self.differences:
            return {**_report(direction), "now": "d2", "equal": False, "differences": self.differences}
        if (direction, step) == (Direction.DO, "restore") and self.left:
            return {"printers": 1, "left": self.left, "left_count": len(self.left)}
        if direction is Direction.AFTER:
            return _portrait(self.printers)
        return _report(direction)

    def note(self, lines: list[SpoolLine], kind: str, host: str, **fields: Any) -> None:
        """One more line."""
        lines.append(SpoolLine(seq=len(lines) + 1, wall_us=0, kind=kind, host=host, fields=fields))

    def read(self, run: RunId, *, offset: int) -> SpoolRead:
        """All lines from the offset (a line number here)."""
        lines, whole = self.spools.get(run, ([], False))
        started = run in self.spools
        return SpoolRead(
            lines=tuple(lines[offset:]),
            offset=len(lines),
            started=started,
            exited=started and whole,
            exit_code=0 if started and whole else None,
            last_seq=len(lines) if started and whole else None,
            alive=False,
        )

    def close(self, run: RunId) -> bool:
        """Nothing lives here between two calls."""
        self.closed.add(run)
        return True

    def kill(self, run: RunId) -> None:
        """Nothing to kill."""

    def epoch(self) -> int:
        """Nobody keeps a note of it here, unless a test does."""
        return self.known_epoch

    def runs_here(self) -> frozenset[RunId]:
        """Every run that was started."""
        return frozenset(self.spools)


def _portrait(printers: dict[str, str]) -> dict[str, Any]:
    return {"portrait": {"sections": {"printers": [printers]}, "unread": {}, "left_out": {}}}


def _report(direction: Direction) -> dict[str, Any]:
    reports: dict[Direction, dict[str, Any]] = {
        Direction.BASELINE: {"baseline": "d1", **_portrait({"flur": "ipp://drucker/flur"})},
        Direction.COMPARE: {"baseline": "d1", "now": "d1", "equal": True, "differences": []},
        Direction.PROBE: {"answer": "not_done"},
    }
    return reports.get(direction, {})

"""What is handed over with each asset that moved: what was set up, and what people still have to do by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory.model import AssetId
from orchestrator.core.lifecycle import ARRIVED, MoveState
from orchestrator.core.progress import Fact, WaveProgress
from orchestrator.core.runbook import Direction, RoleSource, Runbook
from orchestrator.core.wave import WaveContent, WaveMove

COUNTED = ("people", "groups", "printers", "shares", "jobs")
"""What modules count of what they set up."""
LONGEST_LIST = 60
"""So many tasks are kept for one asset; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One asset as its department takes it over. Texts of ``by_hand`` come from machines."""

    asset: AssetId
    name: str
    successor: str
    """Name of the machine that replaces it; empty where nothing does."""
    department: str
    site: str
    users: int
    state: MoveState
    since: datetime | None
    made: Mapping[str, int]
    """How many of each kind were set up; of a kind that no module spoke of, nothing."""
    by_hand: tuple[str, ...]
    more: int
    """Tasks that machines counted beyond those they named."""


def handovers(content: WaveContent, progress: WaveProgress, facts: Iterable[Fact]) -> tuple[Handover, ...]:
    """All assets of the wave by site, department and name; of what did not move, nothing is handed over."""
    reports = _reports(facts)
    found = (
        _handover(move, content.runbook, progress, reports.get(move.asset, {}))
        for move in content.moves
        if move.asset in progress.moves
    )
    return tuple(sorted(found, key=lambda one: (one.site, one.department, one.name, one.asset)))


def _handover(
    move: WaveMove, runbook: Runbook, progress: WaveProgress, reports: Mapping[str, Mapping[str, Any]]
) -> Handover:
    reached = progress.moves[move.asset]
    moved = reached.state in ARRIVED and not runbook.retires
    told = [reports[step.name] for step in runbook.steps if moved and step.name in reports]
    by_hand = [str(one) for report in told for one in _list(report)]
    roles = [role.name for role in runbook.roles if role.machine is RoleSource.SUCCESSOR]
    return Handover(
        asset=move.asset,
        name=move.name,
        successor=next((machine.name for machine in move.machines if machine.role in roles), ""),
        department=move.department,
        site=move.site,
        users=move.users,
        state=reached.state,
        since=reached.since,
        made={
            kind: sum(_count(report, kind) for report in told)
            for kind in COUNTED
            if any(kind in report for report in told)
        },
        by_hand=tuple(by_hand[:LONGEST_LIST]),
        more=sum(max(_count(report, "left_count") - len(_list(report)), 0) for report in told)
        + max(len(by_hand) - LONGEST_LIST, 0),
    )


def _reports(facts: Iterable[Fact]) -> dict[AssetId, dict[str, Mapping[str, Any]]]:
    """By asset and step what the step's modules said when it was done; what was undone since says nothing."""
    found: dict[AssetId, dict[str, Mapping[str, Any]]] = {}
    for fact in facts:
        if fact.kind == "wave.content":
            found.clear()
        if fact.kind != "attempt.ended" or fact.body["outcome"] != "done":
            continue
        steps = found.setdefault(AssetId(fact.body["asset"]), {})
        direction = Direction(fact.body["direction"])
        if direction is Direction.UNDO:
            steps.pop(fact.body["step"], None)
        elif direction is Direction.DO:
            report = fact.body["evidence"].get("kahn")
            steps[fact.body["step"]] = report if isinstance(report, Mapping) else {}
    return found


def _list(report: Mapping[str, Any]) -> list[Any]:
    left = report.get("left")
    return left if isinstance(left, list) else []


def _count(report: Mapping[str, Any], kind: str) -> int:
    number = report.get(kind)
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 10**6 else 0

"""The end of an asset's way: its successor is compared with its portrait from before; only then it counts as moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory.model import AssetId
from orchestrator.core.canonical import plain
from orchestrator.core.command import ChangeMove, Command, RecordComparison, View
from orchestrator.core.lifecycle import MoveEvent
from orchestrator.core.likeness import KEPT, LESS, NOT_COMPARED, Comparison, Machines, Portrait, compared, portrait_of
from orchestrator.core.progress import MoveProgress
from orchestrator.core.runbook import AfterCheck, Direction
from orchestrator.core.wave import WaveContent


def arrival(view: View, move: MoveProgress) -> tuple[Command, ...] | None:
    """What follows when every step is done; None when the successor has to be looked at first."""
    after = view.content.runbook.after
    if after is None or move.accepted or (move.likeness is not None and not move.likeness.serious):
        event = MoveEvent.RETIRE if view.content.runbook.retires else MoveEvent.COMPLETE
        return (ChangeMove(asset=move.asset, event=event, step=move.step),)
    last = view.content.runbook.steps[-1].name
    if move.likeness is not None:
        return (ChangeMove(asset=move.asset, event=MoveEvent.FAIL, cause=LESS, step=last),)
    before = portrait_of({"portrait": move.portrait})
    seen = _just_seen(move)
    if before is not None and seen is not None:
        return (RecordComparison(asset=move.asset, body=_body(view.content, move.asset, (before, seen))),)
    answered = move.last is not None and move.last.direction is Direction.AFTER and move.last.outcome == "done"
    tries_left = move.tried(Direction.AFTER, "") < view.content.thresholds.max_tries
    if before is None or answered or not tries_left:
        return (ChangeMove(asset=move.asset, event=MoveEvent.FAIL, cause=NOT_COMPARED, step=last),)
    return None


def _just_seen(move: MoveProgress) -> Portrait | None:
    if move.last is None or move.last.direction is not Direction.AFTER or move.last.outcome != "done":
        return None
    return portrait_of(move.last.evidence.get("kahn"))


def _body(content: WaveContent, asset: AssetId, portraits: tuple[Portrait, Portrait]) -> Mapping[str, Any]:
    """What is written down of a comparison."""
    found = comparison_of(content, asset, portraits)
    listed = plain(found.differences[:KEPT])
    return {"counts": dict(found.counts), "serious": found.serious, "differences": listed}


def comparison_of(content: WaveContent, asset: AssetId, portraits: tuple[Portrait, Portrait]) -> Comparison:
    """Before and after of an asset whose runbook compares them, by the tolerances of runbook and wave."""
    after = content.runbook.after
    assert after is not None
    tolerances = content.thresholds.compare.joined(ignore=after.ignore, leave_out=after.leave_out)
    machines = machines_of(content, asset, after)
    return compared(portraits[0], portraits[1], machines=machines, tolerances=tolerances)


def machines_of(content: WaveContent, asset: AssetId, after: AfterCheck) -> Machines:
    """The words by which old and new machine differ: addresses first, then names, with and without a domain."""
    move = content.move(asset)
    old, new = move.machine(content.runbook.baseline.on), move.machine(after.on)
    pairs = [(old.address, new.address), (old.second_address, new.second_address), (old.name, new.name)]
    pairs.append((old.name.partition(".")[0], new.name.partition(".")[0]))
    return Machines(words=tuple(dict.fromkeys((was, now) for was, now in pairs if was and now and was != now)))

"""The second way to a machine, such as its management network: when a probe takes it."""

from __future__ import annotations

from orchestrator.core.progress import MoveProgress
from orchestrator.core.results import UNREACHABLE
from orchestrator.core.runbook import Direction
from orchestrator.core.wave import WaveContent


def probes_by_second_way(content: WaveContent, move: MoveProgress) -> bool:
    """Whether the next probe of this move takes the second way: nobody answered the probe before it on the first, and
    the machine that the step connects to has another address. Both ways take turns while nobody answers."""
    last = move.last
    silent = last is not None and last.direction is Direction.PROBE and last.cause in UNREACHABLE
    return silent and move.probes % 2 == 1 and bool(_second_address(content, move))


def _second_address(content: WaveContent, move: MoveProgress) -> str:
    on = content.runbook.step(move.step).on
    return next((one.second_address for one in content.move(move.asset).machines if one.role == on), "")

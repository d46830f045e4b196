"""How long steps took, read from journals as from a stopwatch, and whether a wave with the way back fits its window.

A batch is taken to last as long as measured runs of its steps did at their 80th percentile; one larger than any that
was measured is scaled by its size. An undo that was never measured is taken to last as long as its step, and a
comparison as long as the fingerprint before. A step that was never measured has no estimate, only its deadline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from inventory.model import AssetId
from orchestrator.core.estimates import RunTime
from orchestrator.core.explain import Sentence
from orchestrator.core.progress import Fact
from orchestrator.core.ready_line import BLOCKS, ENGINEER, HELD, UNKNOWN, ReadyLine, good
from orchestrator.core.runbook import Direction, Runbook
from orchestrator.core.wave import WaveContent

__all__ = ["RunTime", "estimates", "run_times", "time_line"]
SHARE = 0.8
Work = tuple[Direction, str]


WHOLE = ("exit", "by_hand")
"""Ends of runs that were seen."""


def run_times(facts: Iterable[Fact]) -> tuple[RunTime, ...]:
    """Durations of a wave's runs, from intent to end, that ended well on every asset: one that hung until its deadline,
    failed early, was lost or never started measures nothing."""
    begun: dict[str, Fact] = {}
    spoilt: set[str] = set()
    found: list[RunTime] = []
    for fact in facts:
        run = str(fact.body.get("run", ""))
        if fact.kind == "run.intended":
            begun[run] = fact
        elif fact.kind == "attempt.ended" and fact.body["outcome"] != "done":
            spoilt.add(run)
        elif fact.kind == "run.ended" and fact.body["how"] in WHOLE and run in begun and run not in spoilt:
            first = begun[run]
            found.append(
                RunTime(
                    direction=Direction(first.body["direction"]),
                    step=str(first.body["step"]),
                    assets=len(first.body["attempts"]),
                    seconds=max(0.0, (fact.at - first.at).total_seconds()),
                )
            )
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What is known about one piece of work. Seconds; ``runs`` were measured, the largest on ``assets``."""

    runs: int
    assets: int
    middle: float
    p80: float
    slowest: float


def estimates(times: Iterable[RunTime]) -> dict[Work, Estimate]:
    """One estimate for each piece of work that was measured."""
    grouped: dict[Work, list[RunTime]] = {}
    for one in times:
        grouped.setdefault((one.direction, one.step), []).append(one)
    return {work: _estimate(found) for work, found in grouped.items()}


def _estimate(found: Sequence[RunTime]) -> Estimate:
    seconds = sorted(one.seconds for one in found)
    return Estimate(
        runs=len(found),
        assets=max(one.assets for one in found),
        middle=_share(seconds, 0.5),
        p80=_share(seconds, SHARE),
        slowest=seconds[-1],
    )


def _share(ordered: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of all values does not exceed."""
    return ordered[max(0, ceil(len(ordered) * share) - 1)]


def way_there(runbook: Runbook) -> tuple[Work, ...]:
    """What a batch plays when all goes well."""
    return ((Direction.BASELINE, ""), *((Direction.DO, step.name) for step in runbook.steps))


def way_back(runbook: Runbook) -> tuple[Work, ...]:
    """What taking a whole batch back plays: every undo, and the comparison with before."""
    return (*((Direction.UNDO, step.name) for step in runbook.steps if step.has_undo), (Direction.COMPARE, ""))


def time_line(content: WaveContent, times: Iterable[RunTime], *, now: datetime) -> ReadyLine:
    """Whether every batch, and after it the way back of one, ends inside the window. What does not fit stays behind."""
    known = estimates(times)
    lacking = [
        step or direction.value for direction, step in way_there(content.runbook) if (direction, step) not in known
    ]
    if lacking:
        says = Sentence(
            says="nobody has measured how long these take: {steps}", facts={"steps": ", ".join(dict.fromkeys(lacking))}
        )
        remedy = Sentence(
            says="kahn wave rehearse {wave}; until then each step has only its deadline", facts={"wave": content.key}
        )
        return ReadyLine(gate="time", verdict=UNKNOWN, says=says, owner=ENGINEER, remedy=remedy)
    left = (content.window.closes - max(now, content.window.opens)).total_seconds()
    return _fitting(content, known, left=left)


def _fitting(content: WaveContent, known: Mapping[Work, Estimate], *, left: float) -> ReadyLine:
    behind: list[AssetId] = []
    there = 0.0
    for batch in content.batches:
        forward = _seconds(known, way_there(content.runbook), size=len(batch.assets))
        back = _seconds(known, way_back(content.runbook), size=len(batch.assets))
        if behind or there + forward + back > left:
            behind += batch.assets
        else:
            there += forward
    facts: dict[str, object] = {"minutes": ceil(there / 60), "left": int(left / 60), "count": len(behind)}
    if not behind:
        says = Sentence(says="about {minutes} of {left} minutes, with the way back of a batch to spare", facts=facts)
        return good("time", says)
    says = Sentence(says="{count} assets do not fit into the {left} minutes left, the way back counted", facts=facts)
    verdict = BLOCKS if len(behind) == len(content.moves) else HELD
    remedy = Sentence(says="plan them into another window, or a wider one")
    return ReadyLine(gate="time", verdict=verdict, says=says, owner=ENGINEER, remedy=remedy, assets=tuple(behind))


def _seconds(known: Mapping[Work, Estimate], works: Iterable[Work], *, size: int) -> float:
    found = [known.get(work) or known[_instead_of(work)] for work in works]
    return sum(one.p80 * max(1.0, size / one.assets) for one in found)


def _instead_of(work: Work) -> Work:
    """What a way back that nobody has measured is taken to last as long as."""
    direction, step = work
    return (Direction.DO if direction is Direction.UNDO else Direction.BASELINE, step)

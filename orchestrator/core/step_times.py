"""How long steps took, read from a journal as from a stopwatch, and the start gate that asks whether a wave fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from inventory.model import AssetId
from orchestrator.core.estimates import Estimates, RunTime
from orchestrator.core.explain import Sentence
from orchestrator.core.progress import Fact
from orchestrator.core.ready_line import BLOCKS, ENGINEER, HELD, UNKNOWN, ReadyLine, good
from orchestrator.core.runbook import Direction
from orchestrator.core.surroundings import Surroundings
from orchestrator.core.trial import left_untried
from orchestrator.core.wave import WaveContent

__all__ = ["RunTime", "estimates", "run_times", "time_line"]
SHARE = 0.8
Work = tuple[Direction, str]
_ALONE = Sentence(says="kahn wave rehearse {wave}")
_WITH_PEOPLE = Sentence(
    says="Play a wave with it on machines that do not matter; then `kahn wave rehearse {wave} --played-as THAT`."
)


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


def time_line(content: WaveContent, took: Mapping[str, Sequence[float]], *, now: datetime) -> ReadyLine:
    """Whether every batch, and after it the way back of one, ends inside the window, by the running wave's own figures.

    ``took``: as in ``Surroundings``. What does not fit stays behind, unless the figures are guessed: then nobody knows.
    """
    times = Estimates(content=content, around=Surroundings(took=took))
    begins = max(now, content.window.opens)
    left, there = (content.window.closes - begins).total_seconds(), 0.0
    behind: list[AssetId] = []
    for batch in content.batches:
        if behind or begins + timedelta(seconds=there) > times.batch_fits_until(batch.name):
            behind += batch.assets
        else:
            there += times.batch_s(batch.name) + content.thresholds.soak_s
    first = times.batch_fits_until(content.batches[0].name) if content.batches else content.window.closes
    facts: dict[str, object] = {
        "minutes": ceil(there / 60),
        "left": int(left / 60),
        "count": len(behind),
        "until": f"{first.astimezone(ZoneInfo(content.window.zone)):%Y-%m-%d %H:%M}",
    }
    return _said(content, times.guessed, facts, behind=tuple(behind))


def _said(
    content: WaveContent, guessed: Sequence[str], facts: Mapping[str, object], *, behind: tuple[AssetId, ...]
) -> ReadyLine:
    if guessed:
        says = Sentence(
            says="nobody has measured how long these take: {steps}; as guessed by their deadlines, {count} assets "
            "do not fit into the {left} minutes left, the way back counted",
            facts={**facts, "steps": ", ".join(guessed)},
        )
        alone = not any(left_untried(one) for one in content.runbook.for_tenant(has_domain=False).steps)
        remedy = replace(_ALONE if alone else _WITH_PEOPLE, facts={"wave": content.key})
        return ReadyLine(gate="time", verdict=UNKNOWN, says=says, owner=ENGINEER, remedy=remedy)
    if not behind:
        says = Sentence(says="about {minutes} of {left} minutes; to be able to go back, begin by {until}", facts=facts)
        return good("time", says)
    says = Sentence(says="{count} assets do not fit into the {left} minutes left, the way back counted", facts=facts)
    verdict = BLOCKS if len(behind) == len(content.moves) else HELD
    remedy = Sentence(says="plan them into another window, or a wider one")
    return ReadyLine(gate="time", verdict=verdict, says=says, owner=ENGINEER, remedy=remedy, assets=behind)

"""How long steps take and what going back would take: from own history, else the runbook's word, else a fixed share.

History is earlier waves and rehearsals. Every figure is in seconds for one round of forks: four of five earlier runs
were no longer; after fewer than five runs, twice the slowest. With more assets than forks, a run takes as many rounds
as it needs. An undo that nobody measured or told takes as long as its step did, a comparison as long as the fingerprint
before. The ready check, the screen and the running wave all reckon here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from inventory.model import AssetId
from orchestrator.core.progress import WaveProgress
from orchestrator.core.runbook import Direction, Effect, Step
from orchestrator.core.surroundings import Surroundings
from orchestrator.core.undo import left_to_undo, touched
from orchestrator.core.wave import WaveContent

ENOUGH_SAMPLES = 5
"""With fewer earlier runs than this nobody can say what four of five kept."""
SPARSE = 2.0
"""With so few, a run is taken to need this many times the slowest of them."""
DEFAULT_SHARE = 0.25
"""Where nobody knows better, a run is taken to need this share of its deadline."""
LEAST_S = 15.0


def p80(values: Sequence[float]) -> float:
    """The smallest value that at least 80 % of the values do not exceed (nearest rank). Raises ValueError if empty."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[ceil(0.8 * len(values)) - 1]


def usual_s(values: Sequence[float]) -> float:
    """What to reckon with after these runs. Raises ValueError if empty."""
    return p80(values) if len(values) >= ENOUGH_SAMPLES else SPARSE * max(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTime:
    """How long one run took in which everything went well."""

    direction: Direction
    step: str
    assets: int
    seconds: float


def took_of(times: Iterable[RunTime], *, forks: int) -> dict[str, tuple[float, ...]]:
    """Seconds for one round of forks, by ``direction:step``."""
    found: dict[str, list[float]] = {}
    for one in times:
        found.setdefault(f"{one.direction}:{one.step}", []).append(one.seconds / max(1, ceil(one.assets / forks)))
    return {key: tuple(values) for key, values in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """What runs of one wave are expected to take, with what is known around it."""

    content: WaveContent
    around: Surroundings

    def run_s(self, direction: Direction, step: str, *, assets: int) -> float:
        """One run on so many assets."""
        if not assets:
            return 0.0
        known = (self._known_s(direction, step), self._known_s(*_instead_of(direction, step)))
        one_round = next((one for one in known if one is not None), self._guessed_s(direction, step))
        return one_round * ceil(assets / self.content.thresholds.forks)

    @property
    def guessed(self) -> tuple[str, ...]:
        """What of the way there nobody has measured or told: steps, and ``baseline``."""
        works = [(Direction.BASELINE, ""), *((Direction.DO, one.name) for one in self.content.runbook.steps)]
        works += [(Direction.AFTER, "")] if self.content.runbook.after is not None else []
        return tuple(step or direction.value for direction, step in works if self._known_s(direction, step) is None)

    def _known_s(self, direction: Direction, step: str) -> float | None:
        """One round, as measured or as the runbook tells it; None when neither is so."""
        names = self.content.runbook.step_names
        is_external = step in names and self.content.runbook.step(step).external
        known = () if is_external else self.around.took.get(f"{direction}:{step}", ())
        return usual_s(known) if known else self._told_s(direction, step) or None

    def _told_s(self, direction: Direction, step: str) -> float:
        if direction in (Direction.BASELINE, Direction.COMPARE):
            return float(self.content.runbook.baseline.takes_s)
        if direction is Direction.AFTER:
            return float(self.content.runbook.after.takes_s) if self.content.runbook.after else 0.0
        of = self.content.runbook.step(step)
        return float(of.undo_takes_s if direction is Direction.UNDO else of.takes_s if direction is Direction.DO else 0)

    def _guessed_s(self, direction: Direction, step: str) -> float:
        after = self.content.runbook.after
        if direction is Direction.AFTER and after is not None:
            return max(LEAST_S, DEFAULT_SHARE * after.deadline_s)
        whole = direction in (Direction.BASELINE, Direction.COMPARE)
        limit = self.content.runbook.baseline.deadline_s if whole else self.content.runbook.step(step).deadline_s
        return max(LEAST_S, DEFAULT_SHARE * limit)

    def forward_s(self, steps: Iterable[Step], *, assets: int) -> float:
        """These steps one after the other, the fingerprint from before, and the comparison of before and after."""
        steps_s = sum(self.run_s(Direction.DO, step.name, assets=assets) for step in steps)
        if self.content.runbook.after is not None:
            steps_s += self.run_s(Direction.AFTER, "", assets=assets)
        return steps_s + self.run_s(Direction.BASELINE, "", assets=assets)

    def back_s(self, steps: Iterable[Step], *, assets: int) -> float:
        """Undoing these steps and comparing with before."""
        undo_s = sum(self.run_s(Direction.UNDO, step.name, assets=assets) for step in steps if step.has_undo)
        return undo_s + self.run_s(Direction.COMPARE, "", assets=assets)

    def batch_s(self, batch: str) -> float:
        """A whole batch on its way there."""
        return self.forward_s(self.content.runbook.steps, assets=self._size(batch))

    def batch_fits_until(self, batch: str) -> datetime:
        """The last moment at which a whole batch can begin and, if its last step fails, still go back in time."""
        needed = self.batch_s(batch) + self.back_s(self.content.runbook.steps, assets=self._size(batch))
        return self.content.window.closes - timedelta(seconds=needed)

    def _size(self, batch: str) -> int:
        return sum(len(one.assets) for one in self.content.batches if one.name == batch)

    def step_fits(self, progress: WaveProgress, step: str, *, assets: Collection[AssetId], now: datetime) -> bool:
        """Whether the step and, should it fail, the way back of its assets end inside the window."""
        begun = {name for asset in assets for name in progress.moves[asset].begun} | {step}
        back = [one for one in self.content.runbook.steps if one.name in begun]
        changes = any(one.effect is not Effect.NONE for one in back)
        needed = self.run_s(Direction.DO, step, assets=len(assets))
        needed += self.back_s(back, assets=len(assets)) if changes else 0.0
        return now + timedelta(seconds=needed) <= self.content.window.closes

    def last_rollback(self, progress: WaveProgress) -> datetime | None:
        """When taking back all that was begun must begin at the latest; None when nothing was changed."""
        longest = 0.0
        for batch in self.content.batches:
            moves = [progress.moves[asset] for asset in batch.assets]
            changed = [move for move in moves if touched(move, self.content.runbook)]
            steps = {step.name: step for move in changed for step in left_to_undo(move, self.content.runbook)}
            if changed:
                longest = max(longest, self.back_s(steps.values(), assets=len(changed)))
        return self.content.window.closes - timedelta(seconds=longest) if longest else None

    def last_start(self, progress: WaveProgress) -> datetime | None:
        """When the next batch that has not begun must begin at the latest; None when all have."""
        waiting = next((one.name for one in self.content.batches if one.name not in progress.begun), None)
        return self.batch_fits_until(waiting) if waiting else None


def _instead_of(direction: Direction, step: str) -> tuple[Direction, str]:
    """What a way back that nobody has measured is taken to last as long as."""
    if direction is Direction.UNDO:
        return Direction.DO, step
    return (Direction.BASELINE, "") if direction is Direction.COMPARE else (direction, step)

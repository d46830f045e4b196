"""What people do themselves: which assets wait for whose hands, and what a signed word about it amounts to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory.errors import ExpectedError
from inventory.model import AssetId
from orchestrator.core.progress import MoveProgress, WaveProgress
from orchestrator.core.runbook import Direction
from orchestrator.core.wave import WaveContent

COMPARED = "by-hand"
"""Stands for the fingerprint of an asset whose state a person noted before, and compares after."""
DIFFERS = "differs-by-hand"
NOT_CONFIRMED = "not_confirmed"
"""Cause of an attempt of which nobody said in time how it ended."""
NOT_POSSIBLE = "not_possible_by_hand"


class NotAtTheDesk(ExpectedError):
    """Somebody speaks of an asset that waits for nobody's hands."""

    code, says = "RUN-034", "{asset} waits for nobody's hands in wave {wave}."
    remedy = "`kahn wave show {wave}` tells which assets wait at the desk, and for what."
    exit_code = 3


class NotTheSame(ExpectedError):
    """One signature is asked for different things."""

    code, says = "RUN-035", "The assets wait for different things: {first}, and {other}."
    remedy = "Name assets that wait for the same, and the others in a call of their own."
    exit_code = 2


class OtherWork(ExpectedError):
    """A person signs for work that the assets do not wait for: it is done already, or not begun."""

    code, says = "RUN-036", "{asset} waits for {waits}, not for {said}."
    remedy = "`kahn wave show {wave}` prints the command for what it waits for; sign only what was done."
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskWork:
    """One thing that a person does on some assets of a wave. ``points`` is the checklist."""

    step: str
    direction: Direction
    title: str
    present: str
    points: tuple[str, ...]
    assets: tuple[AssetId, ...]
    since: datetime
    until: datetime | None

    @property
    def about(self) -> str:
        """What a signature says it is about."""
        return f"{self.direction}:{self.step}"

    @property
    def word(self) -> str:
        """What a person types for it."""
        return desk_word(self.direction, self.step)


def desk_word(direction: Direction, step: str) -> str:
    """What a person types for work at the desk."""
    words = {Direction.DO: step, Direction.UNDO: f"undo:{step}", Direction.BASELINE: "before"}
    return words.get(direction, direction.value)


def desk_works(content: WaveContent, progress: WaveProgress) -> tuple[DeskWork, ...]:
    """Everything that waits for hands, what began first before the rest."""
    found: dict[tuple[Direction, str], list[MoveProgress]] = {}
    for move in progress.moves.values():
        if move.at_work is not None and content.runbook.by_hand(move.at_work.direction, move.at_work.step):
            found.setdefault((move.at_work.direction, move.at_work.step), []).append(move)
    all_of_them = [_desk_work(content, *key, moves) for key, moves in found.items()]
    return tuple(sorted(all_of_them, key=lambda one: one.since))


def _desk_work(content: WaveContent, direction: Direction, step: str, moves: list[MoveProgress]) -> DeskWork:
    named = step in content.runbook.step_names
    works = [move.at_work for move in moves if move.at_work is not None]
    return DeskWork(
        step=step,
        direction=direction,
        title=content.runbook.step(step).title if named else "",
        present=content.runbook.step(step).present if named else "",
        points=content.runbook.by_hand(direction, step),
        assets=tuple(move.asset for move in moves),
        since=min(work.since for work in works),
        until=min((work.until for work in works if work.until is not None), default=None),
    )


def desk_work_for(content: WaveContent, progress: WaveProgress, assets: Collection[AssetId]) -> DeskWork:
    """The one thing that all these assets wait for. Raises NotAtTheDesk, NotTheSame."""
    waiting = {asset: one for one in desk_works(content, progress) for asset in one.assets}
    for asset in assets:
        if asset not in waiting:
            raise NotAtTheDesk(asset=content.move(asset).name, wave=content.key)
    different = list(dict.fromkeys(waiting[asset].about for asset in assets))
    if len(different) > 1:
        raise NotTheSame(first=different[0], other=different[1])
    return waiting[next(iter(assets))]


def check_word(content: WaveContent, work: DeskWork, word: str, assets: Collection[AssetId]) -> None:
    """That the assets wait for what the person speaks of. Raises OtherWork."""
    if word != work.word:
        asset = content.move(next(iter(assets))).name
        raise OtherWork(asset=asset, waits=work.word, said=word, wave=content.key)


def ending_of(work: DeskWork, *, by: str, done: bool) -> Mapping[str, Any]:
    """How the asset's part ends by that word: outcome, cause and evidence. A comparison that shows a difference was
    made as well as one that shows none."""
    compared = work.direction is Direction.COMPARE
    well = done or compared
    return {
        "outcome": "done" if well else "failed",
        "cause": "" if well else NOT_POSSIBLE,
        "evidence": _evidence(work, by=by, done=done),
    }


def _evidence(work: DeskWork, *, by: str, done: bool) -> Mapping[str, Any]:
    """What is kept beside the outcome. A comparison by hand counts as equal only when the person signed that it is."""
    kept: dict[str, Any] = {"by_hand": {"by": by, "points": list(work.points) if done else []}}
    if done and work.direction is Direction.BASELINE:
        kept["kahn"] = {"baseline": COMPARED}
    if work.direction is Direction.COMPARE:
        kept["kahn"] = {"baseline": COMPARED, "now": COMPARED if done else DIFFERS}
    return kept

"""What people may do to a wave under way: how many must sign, who among them, and what fits which asset."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from inventory.errors import ExpectedError
from inventory.model import AssetId
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.likeness import BEFORE_AND_AFTER
from orchestrator.core.progress import MoveProgress, WaveProgress
from orchestrator.core.runbook import Direction, Effect
from orchestrator.core.undo import past_return, touched
from orchestrator.core.wave import ActKind, PersonId, WaveContent

BREAKERS = frozenset(
    {"budget_spent", "rollback_limit", "same_error", "mass_unreachable", "service_bad", "opening_bad", "not_approved"}
)
"""Causes for which a wave held itself because too much went wrong: two people must want it to go on."""
UNDER_WAY = (WaveState.RUNNING, WaveState.SOAKING, WaveState.PAUSED, WaveState.HELD, WaveState.NEEDS_PERSON)
"""States in which single assets can be held, left out or tried again."""
SAFETY = frozenset({ActKind.PAUSE, ActKind.ABORT, ActKind.HOLD, ActKind.ROLL_BACK, ActKind.PROBE})
"""Acts that stop, take back or only look: open to everybody who may sign, whoever leads."""
DECLARATIONS: Mapping[ActKind, str] = {
    ActKind.DECLARE_DONE: "done",
    ActKind.DECLARE_NOT_DONE: "not_done",
    ActKind.DECLARE_UNDONE: "undone",
}


class NotTheLead(ExpectedError):
    """Somebody lets a wave go on that another person leads."""

    code, says = "RUN-009", "{lead} leads wave {wave}; {act} needs the lead's signature."
    remedy = "Ask the lead, or take over with `kahn wave lead {wave} --take-over --reason REASON`."
    exit_code = 6


class AssetNotFit(ExpectedError):
    """An asset whose state does not allow what was asked."""

    code, says = "RUN-010", "{asset} is {state}: {act} is not possible ({why})."
    remedy = "Look at `kahn wave show {wave}` and choose an act that its state allows."
    exit_code = 3


class WaveNotUnderWay(ExpectedError):
    """Single assets of a wave that has not begun or is over."""

    code, says = "RUN-011", "Wave {wave} is {state}: its assets cannot be held, left out or tried again there."
    remedy = "What is left of a wave that is over goes into another one: `kahn plan propose`, then an approval."
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """Who has signed one act so far, and how many different people it needs. ``lead`` is empty when nobody leads."""

    by: frozenset[PersonId]
    needed: int
    lead: str = ""

    @property
    def missing(self) -> int:
        """How many more people must sign; the lead counts as missing until they have."""
        short = max(0, self.needed - len(self.by))
        return max(short, 1) if self.lead and self.lead not in self.by else short


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """An act that somebody signed and that waits for more people. ``assets`` is empty for an act on the whole wave."""

    kind: ActKind
    assets: frozenset[AssetId]
    there: int
    needed: int


def signatures_needed(
    kind: ActKind, content: WaveContent, progress: WaveProgress, assets: Collection[AssetId] = ()
) -> int:
    """Two after a breaker, and to say how a step that happens once stands; else one."""
    if kind is ActKind.RESUME:
        return 2 if BREAKERS & {progress.cause, *progress.halts} else 1
    if kind in DECLARATIONS:
        moves = [progress.moves[asset] for asset in assets]
        return 2 if any(_once_in_question(content, move, kind) for move in moves) else 1
    return 1


def _once_in_question(content: WaveContent, move: MoveProgress, kind: ActKind) -> bool:
    if move.cause in BEFORE_AND_AFTER and kind is not ActKind.DECLARE_UNDONE:
        return False
    steps = move.begun if kind is ActKind.DECLARE_UNDONE else (move.step,)
    names = content.runbook.step_names
    return any(content.runbook.step(name).effect is Effect.ONCE for name in steps if name in names)


def check_fit(kind: ActKind, content: WaveContent, progress: WaveProgress, assets: Collection[AssetId]) -> None:
    """Refuse what the state of any of these assets does not allow. Raises WaveNotUnderWay, AssetNotFit."""
    if progress.state not in UNDER_WAY:
        raise WaveNotUnderWay(wave=content.key, state=progress.state.value)
    for asset in assets:
        move = progress.moves[asset]
        why = _unfit(kind, content, move)
        if why:
            name = content.move(asset).name
            raise AssetNotFit(asset=name, state=move.state.value, act=kind.value, why=why, wave=content.key)


_STOPS = (MoveState.PLANNED, MoveState.RUNNING, MoveState.WAITING_TOOL, MoveState.HELD)
"""Where an asset can be held or left out at its next step border."""


def _unfit(kind: ActKind, content: WaveContent, move: MoveProgress) -> str:
    """Why not; empty when it may be done."""
    if kind in DECLARATIONS:
        return _undeclarable(kind, content, move)
    if kind is ActKind.PROBE:
        return "" if askable(content, move) else "only a machine that was lost sight of in a step with a probe is asked"
    allowed = {
        ActKind.HOLD: _STOPS,
        ActKind.SKIP: _STOPS,
        ActKind.RETRY: (MoveState.HELD,),
    }[kind]
    if move.state not in allowed:
        return "its state is another" if kind is not ActKind.RETRY else "only what is held is tried again"
    if kind is ActKind.SKIP and past_return(move, content.runbook):
        return "it is behind its point of no return"
    return ""


def askable(content: WaveContent, move: MoveProgress) -> bool:
    """Whether its machine can be asked how far its step came, because nobody saw that."""
    if move.step not in content.runbook.step_names or not content.runbook.step(move.step).probe:
        return False
    return move.state is MoveState.UNKNOWN or (move.state is MoveState.NEEDS_PERSON and was_lost(move))


def was_lost(move: MoveProgress) -> bool:
    """Whether nobody saw how its latest step forward ended, or only a probe told."""
    last = move.last
    if last is None:
        return False
    return last.direction is Direction.PROBE or (last.direction is Direction.DO and last.outcome == "unknown")


def declarable(kind: ActKind, content: WaveContent, move: MoveProgress) -> bool:
    """Whether people may say this about how the asset stands."""
    return not _undeclarable(kind, content, move)


def _undeclarable(kind: ActKind, content: WaveContent, move: MoveProgress) -> str:
    if move.state is not MoveState.NEEDS_PERSON:
        return "only what needs a person is declared"
    if kind is ActKind.DECLARE_UNDONE:
        return "" if touched(move, content.runbook) else "nothing of it was changed"
    back = move.last is not None and move.last.direction in (Direction.UNDO, Direction.COMPARE)
    if back or move.step not in content.runbook.step_names:
        return "it was on its way back; say that it was undone, or roll it back again"
    return ""

"""What to do next. One pure function over plan (the frozen wave content), progress, and the time.

Rules are ordered and evaluated per subject: the wave first (hold and stop end the search), then its batches, then each
asset move; the first match wins per subject and the answers are joined. Resuming after a crash, pausing and rolling
back are not special: the loop reads the journal and asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory.model import AssetId
from orchestrator.core import undo
from orchestrator.core.gate import judge
from orchestrator.core.lifecycle import MoveEvent, MoveState, WaveEvent, WaveState
from orchestrator.core.progress import GateRecord, MoveProgress, WaveProgress
from orchestrator.core.runbook import Direction, Effect
from orchestrator.core.undo import WAVE_HELD, touched
from orchestrator.core.wave import WaveContent

NEVER_STARTED = "never_started"
"""Cause of an attempt whose run could not start here: nothing that the machine can help, so the wave is held."""
SETTLED = (MoveState.HELD, MoveState.MOVED, MoveState.ROLLED_BACK, MoveState.NEEDS_PERSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWave:
    """Let an event happen to the wave."""

    event: WaveEvent
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginBatch:
    """Freeze the batch's size and let its planned moves begin."""

    batch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordGate:
    """Write down a gate's verdict with its inputs."""

    gate: GateRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMove:
    """Let an event happen to one asset move."""

    asset: AssetId
    event: MoveEvent
    cause: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRun:
    """Start one supervisor for these moves of a batch."""

    batch: str
    step: str
    direction: Direction
    assets: tuple[AssetId, ...]


Command = ChangeWave | BeginBatch | RecordGate | ChangeMove | StartRun


@dataclass(frozen=True, slots=True, kw_only=True)
class _Need:
    """One move wants one run; wants of the same batch, step and direction share it."""

    move: MoveProgress
    step: str
    direction: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What a rule may look at."""

    content: WaveContent
    progress: WaveProgress
    now: datetime

    @property
    def dispatching(self) -> bool:
        """Whether new steps may begin."""
        return self.progress.state is WaveState.RUNNING


def next_commands(content: WaveContent, progress: WaveProgress, now: datetime) -> tuple[Command, ...]:
    """What to do next; empty means the wave rests or waits for a run, a time or a person."""
    view = _View(content=content, progress=progress, now=now)
    for rule in WAVE_RULES:
        answer = rule(view)
        if answer is not None:
            return answer
    return _batch_commands(view) or _move_commands(view)


# --------------------------------------------------------------------------- the wave

ACTIVE = (WaveState.RUNNING, WaveState.HELD, WaveState.ROLLING_BACK, WaveState.NEEDS_PERSON, WaveState.CLOSED)


def _not_under_way(view: _View) -> tuple[Command, ...] | None:
    """A wave that has not started, or is finished for good, rests."""
    return None if view.progress.state in ACTIVE else ()


def _window_is_over(view: _View) -> tuple[Command, ...] | None:
    """No step begins after the window has closed."""
    if view.dispatching and view.now >= view.content.window.closes:
        return (ChangeWave(event=WaveEvent.HOLD, cause="window_ended"),)
    return None


def _all_taken_back(view: _View) -> tuple[Command, ...] | None:
    """A rollback that a person asked for is over when nothing of it moves any more."""
    progress = view.progress
    if progress.state is not WaveState.ROLLING_BACK or progress.live or not _rollback_settled(view):
        return None
    moves = progress.moves.values()
    if any(move.state is MoveState.NEEDS_PERSON for move in moves):
        return (ChangeWave(event=WaveEvent.GIVE_UP, cause="rollback_incomplete"),)
    if all(undo.as_before(move, view.content.runbook) for move in moves):
        return (ChangeWave(event=WaveEvent.ROLLED_BACK),)
    if any(move.state is MoveState.PLANNED or move.cause == WAVE_HELD for move in moves):
        return (ChangeWave(event=WaveEvent.HOLD, cause="partly_rolled_back"),)
    return (ChangeWave(event=WaveEvent.CLOSE, cause="partly_rolled_back"),)


def _rollback_settled(view: _View) -> bool:
    moves = view.progress.moves
    rest = (*SETTLED, MoveState.PLANNED)
    return all(move.state in rest for move in moves.values()) and all(
        moves[asset].state in (MoveState.ROLLED_BACK, MoveState.PLANNED, MoveState.NEEDS_PERSON)
        for asset in view.progress.requested
    )


def _all_done(view: _View) -> tuple[Command, ...] | None:
    """A wave closes when every gate is open; what nobody could finish keeps it open for a person."""
    progress = view.progress
    if not view.dispatching or progress.live:
        return None
    if not all((gate := progress.gate(batch.name)) and gate.open for batch in view.content.batches):
        return None
    states = [move.state for move in progress.moves.values()]
    if any(state not in SETTLED for state in states):
        return None
    if MoveState.NEEDS_PERSON in states:
        return (ChangeWave(event=WaveEvent.GIVE_UP, cause="moves_need_a_person"),)
    if all(state is MoveState.ROLLED_BACK for state in states):
        return (ChangeWave(event=WaveEvent.ROLLED_BACK),)
    return (ChangeWave(event=WaveEvent.CLOSE),)


WAVE_RULES: Sequence[Callable[[_View], tuple[Command, ...] | None]] = (
    _not_under_way,
    _window_is_over,
    _all_taken_back,
    _all_done,
)


# --------------------------------------------------------------------------- batches


def _batch_commands(view: _View) -> tuple[Command, ...]:
    """Begin the next batch once the gate before it is open; judge a batch once all of it is settled."""
    if not view.dispatching:
        return ()
    for batch in view.content.batches:
        gate = view.progress.gate(batch.name)
        if gate and gate.open:
            continue
        if batch.name not in view.progress.begun:
            return (BeginBatch(batch=batch.name), *_begin_moves(view, batch.assets))
        members = [view.progress.moves[asset] for asset in batch.assets]
        if gate is None and not view.progress.live and all(_rests(view, move) for move in members):
            verdict = judge(view.content, view.progress, batch.name)
            held = () if verdict.open else (ChangeWave(event=WaveEvent.HOLD, cause="budget_spent"),)
            return (RecordGate(gate=verdict), *held)
        return ()
    return ()


def _begin_moves(view: _View, assets: tuple[AssetId, ...]) -> tuple[Command, ...]:
    planned = (view.progress.moves[asset] for asset in assets)
    return tuple(
        ChangeMove(asset=move.asset, event=MoveEvent.BEGIN) for move in planned if move.state is MoveState.PLANNED
    )


def _rests(view: _View, move: MoveProgress) -> bool:
    """Settled, and no move of its group is about to take it back."""
    if move.state is MoveState.HELD and move.cause == WAVE_HELD:
        return False
    return move.state in SETTLED


# --------------------------------------------------------------------------- asset moves


def _move_commands(view: _View) -> tuple[Command, ...]:
    """Each move's own answer; wants for runs are joined into one run per batch, step and direction.

    Failures are judged one a round: each must see what the one before used up of the limits.
    """
    judged_failure = False
    changes: list[Command] = []
    needs: dict[tuple[str, str, Direction], list[AssetId]] = {}
    for move in view.progress.moves.values():
        if move.run is not None or (move.state is MoveState.FAILED and judged_failure):
            continue
        judged_failure |= move.state is MoveState.FAILED
        answer = _MOVE_RULES[move.state](view, move)
        if isinstance(answer, _Need):
            needs.setdefault((move.batch, answer.step, answer.direction), []).append(move.asset)
        elif answer:
            changes.extend(answer)
    if changes:
        return tuple(dict.fromkeys(changes))
    return tuple(
        StartRun(batch=batch, step=step, direction=direction, assets=tuple(assets))
        for (batch, step, direction), assets in needs.items()
    )


_Answer = _Need | tuple[Command, ...]


def _change(move: MoveProgress, event: MoveEvent, *, cause: str = "", step: str = "") -> tuple[Command, ...]:
    return (ChangeMove(asset=move.asset, event=event, cause=cause, step=step or move.step),)


def _resting(view: _View, move: MoveProgress) -> _Answer:
    if _wanted_back(view, move):
        return _change(move, MoveEvent.ROLL_BACK, cause=move.cause or "asked")
    if view.dispatching and move.state is MoveState.HELD and move.cause == WAVE_HELD:
        return _change(move, MoveEvent.BEGIN)
    return ()


def _wanted_back(view: _View, move: MoveProgress) -> bool:
    """Whether a person asked for it back and it has anything to take back."""
    asked = view.progress.state is WaveState.ROLLING_BACK and move.asset in view.progress.requested
    return asked and move.state is not MoveState.PLANNED


def _running(view: _View, move: MoveProgress) -> _Answer:
    if _wanted_back(view, move):
        return _change(move, MoveEvent.ROLL_BACK, cause=move.cause or "asked")
    if move.last is not None and move.last.outcome != "done" and move.last.direction is not Direction.PROBE:
        return _judge_result(view, move)
    if undo.group_stays(view.content, view.progress, move.asset):
        return _change(move, MoveEvent.FAIL, cause="group_went_back")
    step = next((step for step in view.content.runbook.steps if step.name not in move.done), None)
    if step is None:
        return _change(move, MoveEvent.COMPLETE)
    if not view.dispatching:
        return _change(move, MoveEvent.HOLD, cause=WAVE_HELD, step=step.name)
    if not move.baseline and move.tried(Direction.BASELINE, "") >= view.content.thresholds.max_tries:
        return _stay(view, move, cause="no_baseline")
    if not move.baseline:
        return _Need(move=move, step="", direction=Direction.BASELINE)
    if move.tried(Direction.DO, step.name) >= view.content.thresholds.max_tries:
        return _change(move, MoveEvent.FAIL, cause="tries_spent", step=step.name)
    return _Need(move=move, step=step.name, direction=Direction.DO)


def _judge_result(view: _View, move: MoveProgress) -> _Answer:
    """A step that did not end well: failed is final; never begun may be tried again; lost sight is unknown."""
    last = move.last
    assert last is not None
    harmless = last.direction is Direction.BASELINE or view.content.runbook.step(last.step).effect is Effect.NONE
    if last.outcome == "failed":
        return _change(move, MoveEvent.FAIL, cause=last.cause, step=last.step)
    if last.outcome == "unknown" and not harmless:
        return _change(move, MoveEvent.LOSE_SIGHT, cause=last.cause, step=last.step)
    tries_left = move.tried(last.direction, last.step) < view.content.thresholds.max_tries
    if tries_left and view.dispatching:
        return _Need(move=move, step=last.step, direction=last.direction)
    if tries_left or last.cause == NEVER_STARTED:
        hold = (ChangeWave(event=WaveEvent.HOLD, cause=NEVER_STARTED),) if view.dispatching else ()
        return (*hold, *_change(move, MoveEvent.HOLD, cause=WAVE_HELD, step=last.step))
    if touched(move, view.content.runbook):
        return _change(move, MoveEvent.FAIL, cause=last.cause, step=last.step)
    return _stay(view, move, cause=last.cause, step=last.step)


def _stay(view: _View, move: MoveProgress, *, cause: str, step: str = "") -> tuple[Command, ...]:
    """It stays behind, untouched; where others move together with it, that is a failure they are judged by."""
    alone = len(view.content.group_of(move.asset)) == 1
    return _change(move, MoveEvent.HOLD if alone else MoveEvent.FAIL, cause=cause, step=step)


def _failed(view: _View, move: MoveProgress) -> _Answer:
    """Untouched: held. Within the limits of automatic rollback: back, its group with it. Else a person decides."""
    runbook = view.content.runbook
    if undo.past_return(move, runbook):
        return _change(move, MoveEvent.GIVE_UP, cause=move.cause)
    back = undo.mates_to_take_back(view.content, view.progress, move.asset)
    own = MoveEvent.ROLL_BACK if touched(move, runbook) else MoveEvent.HOLD
    if own is MoveEvent.HOLD and not back:
        return _change(move, own, cause=move.cause)
    if _wanted_back(view, move):
        return _change(move, MoveEvent.ROLL_BACK, cause=move.cause)
    if not undo.may_roll_back_alone(view.content, view.progress, move.asset):
        hold = (ChangeWave(event=WaveEvent.HOLD, cause="rollback_limit"),) if view.dispatching else ()
        return (*hold, *_change(move, MoveEvent.GIVE_UP, cause=move.cause))
    if any(mate.run is not None for mate in back):
        return ()
    return (
        *_change(move, own, cause=move.cause),
        *(
            ChangeMove(asset=mate.asset, event=MoveEvent.ROLL_BACK, cause="group_went_back", step=mate.step)
            for mate in back
        ),
    )


def _unknown(view: _View, move: MoveProgress) -> _Answer:
    """Lost sight of: probe with growing gaps; an idempotent step without probe is repeated; else a person looks."""
    step = view.content.runbook.step(move.step)
    limits = view.content.thresholds
    if not step.probe:
        spent = move.tried(Direction.DO, step.name) >= limits.max_tries
        event = MoveEvent.GIVE_UP if spent or step.effect is Effect.ONCE else MoveEvent.REPEAT
        return _change(move, event, cause=move.cause)
    if move.probes >= limits.probe_tries:
        return _change(move, MoveEvent.GIVE_UP, cause=move.cause)
    if view.now < next_probe_at(view.content, move):
        return ()
    return _Need(move=move, step=step.name, direction=Direction.PROBE)


def next_probe_at(content: WaveContent, move: MoveProgress) -> datetime:
    """When an unknown move is probed again: gaps double from ``probe_gap_s``. Needs ``since`` (UTC)."""
    assert move.since is not None
    gap = content.thresholds.probe_gap_s * 2**move.probes if move.probes else min(content.thresholds.probe_gap_s, 5)
    return move.since + timedelta(seconds=gap)


def _probing(view: _View, move: MoveProgress) -> _Answer:
    """What the probe answered decides (engine section A8)."""
    last = move.last
    if last is None or last.direction is not Direction.PROBE:
        return _change(move, MoveEvent.PROBE_BLIND, cause=move.cause)
    answer = last.evidence.get("kahn", {}).get("answer") if last.outcome == "done" else "cannot_tell"
    event = {
        "done": MoveEvent.PROBE_DONE,
        "not_done": MoveEvent.PROBE_NOT_DONE,
        "partial": MoveEvent.PROBE_PARTIAL,
    }.get(str(answer), MoveEvent.PROBE_BLIND)
    return _change(move, event, cause=move.cause if event is not MoveEvent.PROBE_DONE else "")


def _rolling_back(view: _View, move: MoveProgress) -> _Answer:
    """Undo what was begun, last first; then the fingerprint from before must come out, or a person looks."""
    last, limits = move.last, view.content.thresholds
    remaining = undo.left_to_undo(move, view.content.runbook)
    if last is not None and last.outcome != "done":
        if move.tried(last.direction, last.step) >= limits.max_tries:
            return _change(move, MoveEvent.GIVE_UP, cause=last.cause or "undo_failed", step=last.step)
        return _Need(move=move, step=last.step, direction=last.direction)
    if remaining:
        return _Need(move=move, step=remaining[0].name, direction=Direction.UNDO)
    if not move.baseline:
        return _change(move, MoveEvent.PROVE, cause=move.cause)
    if last is None or last.direction is not Direction.COMPARE:
        return _Need(move=move, step="", direction=Direction.COMPARE)
    if undo.proven(move):
        return _change(move, MoveEvent.PROVE, cause=move.cause)
    return _change(move, MoveEvent.GIVE_UP, cause="differs_from_before")


def _stays(_view: _View, _move: MoveProgress) -> _Answer:
    return ()


_MOVE_RULES: dict[MoveState, Callable[[_View, MoveProgress], _Answer]] = {
    MoveState.PLANNED: _stays,
    MoveState.HELD: _resting,
    MoveState.MOVED: _resting,
    MoveState.NEEDS_PERSON: _resting,
    MoveState.ROLLED_BACK: _stays,
    MoveState.RUNNING: _running,
    MoveState.FAILED: _failed,
    MoveState.UNKNOWN: _unknown,
    MoveState.PROBING: _probing,
    MoveState.ROLLING_BACK: _rolling_back,
}

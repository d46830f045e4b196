"""The rules of each asset move: one answer a state; wants for runs are joined into one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory.model import AssetId
from orchestrator.core import undo
from orchestrator.core.arrival import arrival
from orchestrator.core.command import ChangeMove, ChangeWave, Command, RecordComparison, StartRun, View
from orchestrator.core.control import UNDER_WAY, askable
from orchestrator.core.dependants import doubts, goes_back_first, stuck
from orchestrator.core.estimates import Estimates
from orchestrator.core.lifecycle import ARRIVED, MoveEvent, MoveState, WaveEvent, WaveState
from orchestrator.core.likeness import BEFORE_AND_AFTER
from orchestrator.core.progress import MoveProgress
from orchestrator.core.results import STARTED, WAITS
from orchestrator.core.runbook import Direction, Effect, Step
from orchestrator.core.tools import cause_of_tool, tool_answered
from orchestrator.core.undo import HELD_BY_PERSON, SKIPPED, WAVE_HELD, touched
from orchestrator.core.waits import looks_again_at, waits_until
from orchestrator.core.wave import WaveContent, Wish
from orchestrator.core.ways import probes_by_second_way

NEVER_STARTED = "never_started"
"""Cause of an attempt whose run could not start here: nothing that the machine can help, so the wave is held."""
NO_TIME_LEFT = "no_time_left"
"""Cause of a halt: what comes next, and the way back should it fail, would end after the window."""
MASS_UNREACHABLE = "mass_unreachable"
ABORTED = "aborted"
"""Cause of what an abort stopped."""
_OVER = (WaveState.ABORTING, WaveState.ROLLING_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Need:
    """One move wants one run; wants of the same batch, step and direction share it."""

    move: MoveProgress
    step: str
    direction: Direction


def move_commands(view: View) -> tuple[Command, ...]:
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
        answer = _wished(view, move) or _MOVE_RULES[move.state](view, move)
        if isinstance(answer, _Need):
            needs.setdefault((move.batch, answer.step, answer.direction), []).append(move.asset)
        elif answer:
            changes.extend(answer)
    if changes:
        return _one_each(changes)
    runs = tuple(
        StartRun(
            batch=batch,
            step=step,
            direction=direction,
            assets=tuple(assets),
            second_way=_by_second_way(view, direction, assets),
        )
        for (batch, step, direction), assets in needs.items()
    )
    return _in_time(view, runs)


def _by_second_way(view: View, direction: Direction, assets: list[AssetId]) -> tuple[AssetId, ...]:
    if direction is not Direction.PROBE:
        return ()
    return tuple(one for one in assets if probes_by_second_way(view.content, view.progress.moves[one]))


def _in_time(view: View, runs: tuple[StartRun, ...]) -> tuple[Command, ...]:
    """Runs that end inside the window, the way back included; one that does not holds the wave instead."""
    estimates = Estimates(content=view.content, around=view.around)
    forward = (run for run in runs if run.direction is Direction.DO)
    if all(estimates.step_fits(view.progress, run.step, assets=run.assets, now=view.now) for run in forward):
        return runs
    return (ChangeWave(event=WaveEvent.HOLD, cause=NO_TIME_LEFT),)


def _one_each(changes: list[Command]) -> tuple[Command, ...]:
    """At most one event a move and round; that its group takes it back goes before what it wanted itself."""
    chosen: dict[object, Command] = {}
    for one in changes:
        subject = one.asset if isinstance(one, ChangeMove | RecordComparison) else one
        taken_back = isinstance(one, ChangeMove) and one.event is MoveEvent.ROLL_BACK
        if subject not in chosen or taken_back:
            chosen[subject] = one
    return tuple(chosen.values())


_Answer = _Need | tuple[Command, ...]


def _change(move: MoveProgress, event: MoveEvent, *, cause: str = "", step: str = "") -> tuple[Command, ...]:
    return (ChangeMove(asset=move.asset, event=event, cause=cause, step=step or move.step),)


def _wished(view: View, move: MoveProgress) -> tuple[Command, ...]:
    """What a person wished for this one asset, done at the next step border; nothing once the wave goes back.

    A step that failed, or whose end nobody saw, is judged first: held with it unjudged, it would simply begin again.
    """
    if not move.wish or view.progress.state in _OVER or _to_be_judged(view, move):
        return ()
    stops = move.state in (MoveState.PLANNED, MoveState.RUNNING)
    if move.wish is Wish.HOLD and stops:
        return _change(move, MoveEvent.HOLD, cause=HELD_BY_PERSON)
    if move.wish is Wish.SKIP and (stops or move.cause == WAVE_HELD):
        if touched(move, view.content.runbook):
            return _change(move, MoveEvent.ROLL_BACK, cause=SKIPPED)
        return _change(move, MoveEvent.HOLD, cause=SKIPPED) if stops else ()
    if move.wish is Wish.RETRY and view.dispatching and move.state is MoveState.HELD:
        return _change(move, MoveEvent.BEGIN)
    return ()


def _to_be_judged(view: View, move: MoveProgress) -> bool:
    failed = move.last is not None and move.last.outcome == "failed"
    return move.state is MoveState.RUNNING and (failed or _lost(view, move))


def _lost(view: View, move: MoveProgress) -> bool:
    """Whether nobody saw the end of its last step, and that step changes something."""
    last = move.last
    return last is not None and last.outcome == "unknown" and view.content.runbook.changes(last.step)


def _resting(view: View, move: MoveProgress) -> _Answer:
    if _wanted_back(view, move):
        return _change(move, MoveEvent.ROLL_BACK, cause=move.cause or "asked")
    waits = move.state is MoveState.HELD and move.cause == WAVE_HELD and not move.wish
    if view.dispatching and waits and not stuck(view.content, view.progress, move.asset):
        return _change(move, MoveEvent.BEGIN)
    return ()


def _wanted_back(view: View, move: MoveProgress) -> bool:
    """Whether a person asked for it back and it has anything to take back; after an abort, its whole group with it."""
    if view.progress.state is not WaveState.ROLLING_BACK or move.state is MoveState.PLANNED:
        return False
    wanted = view.progress.requested
    if view.progress.aborted and touched(move, view.content.runbook):
        return not wanted.isdisjoint(view.content.group_of(move.asset))
    return move.asset in wanted


def _running(view: View, move: MoveProgress) -> _Answer:
    if view.progress.state is WaveState.ABORTING:
        return _stopped(view, move)
    if _wanted_back(view, move) and not _lost(view, move):
        return _change(move, MoveEvent.ROLL_BACK, cause=move.cause or "asked")
    only_looked = move.last is not None and move.last.direction in (Direction.PROBE, Direction.AFTER)
    if move.last is not None and move.last.outcome != "done" and not only_looked:
        return _judge_result(view, move)
    if undo.group_stays(view.content, view.progress, move.asset):
        return _change(move, MoveEvent.FAIL, cause="group_went_back")
    step = next((step for step in view.content.runbook.steps if step.name not in move.done), None)
    return _arrived(view, move) if step is None else _towards(view, move, step)


def _arrived(view: View, move: MoveProgress) -> _Answer:
    """Every step is done. A look at the successor changes nothing: it needs neither window nor a wave that goes on."""
    answer = arrival(view, move)
    return _Need(move=move, step="", direction=Direction.AFTER) if answer is None else answer


def _towards(view: View, move: MoveProgress, step: Step) -> _Answer:
    """The next step: once those it leans on are known to be well, and the fingerprint from before was taken."""
    if doubts(view.content, view.progress, move.asset):
        return ()
    if stuck(view.content, view.progress, move.asset):
        return _change(move, MoveEvent.HOLD, cause=WAVE_HELD, step=step.name)
    if not view.dispatching:
        return _change(move, MoveEvent.HOLD, cause=WAVE_HELD, step=step.name)
    if not move.baseline and move.tried(Direction.BASELINE, "") >= view.content.thresholds.max_tries:
        return _stay(view, move, cause="no_baseline")
    if not move.baseline:
        return _Need(move=move, step="", direction=Direction.BASELINE)
    if move.tried(Direction.DO, step.name) >= view.content.thresholds.max_tries:
        return _change(move, MoveEvent.FAIL, cause="tries_spent", step=step.name)
    return _Need(move=move, step=step.name, direction=Direction.DO)


def is_half_way(content: WaveContent, move: MoveProgress) -> bool:
    """Whether it stands between old and new: something was changed, and it neither arrived nor went back."""
    return move.state not in (*ARRIVED, MoveState.ROLLED_BACK) and touched(move, content.runbook)


def _stopped(view: View, move: MoveProgress) -> _Answer:
    """In an abort: what nobody saw the end of is looked at first; what was not touched stays; the rest waits."""
    if move.last is not None and _lost(view, move):
        return _change(move, MoveEvent.LOSE_SIGHT, cause=move.last.cause, step=move.last.step)
    if not touched(move, view.content.runbook):
        return _change(move, MoveEvent.HOLD, cause=ABORTED)
    return ()


def _judge_result(view: View, move: MoveProgress) -> _Answer:
    """A step that did not end well: failed is final; never begun may be tried again; lost sight is unknown."""
    last = move.last
    assert last is not None
    if last.outcome == STARTED:
        return _change(move, MoveEvent.AWAIT, step=last.step)
    if last.outcome == WAITS:
        return _waiting(view, move)
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


def _waiting(view: View, move: MoveProgress) -> _Answer:
    """Its step met what it waits for: looked at again and again until the time is over, and then the cause counts."""
    last, until = move.last, waits_until(view.content, move)
    assert last is not None and until is not None
    if not view.dispatching:
        return _change(move, MoveEvent.HOLD, cause=WAVE_HELD, step=last.step)
    if view.now >= until and touched(move, view.content.runbook):
        return _change(move, MoveEvent.FAIL, cause=last.cause, step=last.step)
    if view.now >= until:
        return _stay(view, move, cause=last.cause, step=last.step)
    if view.now < looks_again_at(view.content, move):
        return ()
    return _Need(move=move, step=last.step, direction=Direction.DO)


def _stay(view: View, move: MoveProgress, *, cause: str, step: str = "") -> tuple[Command, ...]:
    """It stays behind, untouched; where others move together with it, that is a failure they are judged by."""
    alone = len(view.content.group_of(move.asset)) == 1
    return _change(move, MoveEvent.HOLD if alone else MoveEvent.FAIL, cause=cause, step=step)


def _failed(view: View, move: MoveProgress) -> _Answer:
    """Untouched: held. Within the limits of automatic rollback: back, its group with it. Else a person decides."""
    runbook = view.content.runbook
    silent = view.progress.cause == MASS_UNREACHABLE and touched(move, runbook)
    if move.cause in BEFORE_AND_AFTER and not _wanted_back(view, move):
        return _change(move, MoveEvent.GIVE_UP, cause=move.cause)
    if undo.past_return(move, runbook) or (silent and not _wanted_back(view, move)):
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


def _needs_person(view: View, move: MoveProgress) -> _Answer:
    """It stays as it is until a person acts; one who wants its machine asked again is heard while the wave stands."""
    if move.asked and view.progress.state in UNDER_WAY and askable(view.content, move):
        return _change(move, MoveEvent.ASK_AGAIN, cause=move.cause)
    return _resting(view, move)


def _unknown(view: View, move: MoveProgress) -> _Answer:
    """Lost sight of: probe with growing gaps; an idempotent step without probe is repeated; else a person looks."""
    step = view.content.runbook.step(move.step)
    limits = view.content.thresholds
    if not step.probe:
        if view.progress.state is WaveState.ABORTING and step.effect is Effect.IDEMPOTENT:
            return _change(move, MoveEvent.REPEAT, cause=ABORTED)
        spent = move.tried(Direction.DO, step.name) >= limits.max_tries
        event = MoveEvent.GIVE_UP if spent or step.effect is Effect.ONCE else MoveEvent.REPEAT
        return _change(move, event, cause=move.cause)
    if move.probes >= limits.probe_tries and not move.asked:
        return _change(move, MoveEvent.GIVE_UP, cause=move.cause)
    if view.now < next_probe_at(view.content, move):
        return ()
    return _Need(move=move, step=step.name, direction=Direction.PROBE)


def next_probe_at(content: WaveContent, move: MoveProgress) -> datetime:
    """When an unknown move is probed again: after its step's quiet time, then with gaps that double, or when asked."""
    assert move.since is not None
    if move.asked and move.probes:
        return move.since  # its quiet time was waited out before the first probe
    gap = content.thresholds.probe_gap_s * 2**move.probes if move.probes else min(content.thresholds.probe_gap_s, 5)
    if not move.probes and move.step in content.runbook.step_names:
        gap = max(gap, content.runbook.step(move.step).quiet_s)
    return move.since + timedelta(seconds=gap)


def _waiting_tool(view: View, move: MoveProgress) -> _Answer:
    """Another tool has it in hand: asked again and again until it is done, has failed, or is overdue."""
    step = view.content.runbook.step(move.step)
    assert move.since is not None
    if move.started_at is not None and view.now >= move.started_at + timedelta(seconds=step.deadline_s):
        return _change(move, MoveEvent.GIVE_UP, cause="tool_overdue")
    if view.now < move.since + timedelta(seconds=step.every_s):
        return ()
    return _Need(move=move, step=step.name, direction=Direction.PROBE)


def _probing(view: View, move: MoveProgress) -> _Answer:
    """What the probe answered decides (engine section A8)."""
    last = move.last
    if last is None or last.direction is not Direction.PROBE:
        return _change(move, MoveEvent.PROBE_BLIND, cause=move.cause)
    answer = last.evidence.get("kahn", {}).get("answer") if last.outcome == "done" else "cannot_tell"
    step = view.content.runbook.step(last.step)
    if step.external:
        event = tool_answered(step, str(answer), is_started=move.started_at is not None)
        cause = cause_of_tool(last.evidence.get("kahn", {})) if event is MoveEvent.PROBE_PARTIAL else ""
        return _change(move, event, cause=cause)
    event = {
        "done": MoveEvent.PROBE_DONE,
        "not_done": MoveEvent.PROBE_NOT_DONE,
        "partial": MoveEvent.PROBE_PARTIAL,
    }.get(str(answer), MoveEvent.PROBE_BLIND)
    return _change(move, event, cause=move.cause if event is not MoveEvent.PROBE_DONE else "")


def _rolling_back(view: View, move: MoveProgress) -> _Answer:
    """Undo what was begun, last first; then the fingerprint from before must come out, or a person looks."""
    if goes_back_first(view.content, view.progress, move.asset):
        return ()
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


def _stays(_view: View, _move: MoveProgress) -> _Answer:
    return ()


_MOVE_RULES: dict[MoveState, Callable[[View, MoveProgress], _Answer]] = {
    MoveState.PLANNED: _stays,
    MoveState.HELD: _resting,
    MoveState.MOVED: _resting,
    MoveState.RETIRED: _resting,
    MoveState.ERASED: _stays,
    MoveState.NEEDS_PERSON: _needs_person,
    MoveState.ROLLED_BACK: _stays,
    MoveState.RUNNING: _running,
    MoveState.FAILED: _failed,
    MoveState.UNKNOWN: _unknown,
    MoveState.WAITING_TOOL: _waiting_tool,
    MoveState.PROBING: _probing,
    MoveState.ROLLING_BACK: _rolling_back,
}

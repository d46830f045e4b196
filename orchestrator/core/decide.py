"""What to do next. One pure function over plan (the frozen wave content), progress, surroundings and the time.

Rules are ordered and evaluated per subject: the wave first (hold and stop end the search), then its batches, then each
asset move; the first match wins per subject and the answers are joined. Resuming after a crash, pausing and rolling
back are not special: the loop reads the journal and asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from inventory.model import AssetId
from orchestrator.core import undo
from orchestrator.core.breakers import breaker
from orchestrator.core.command import (
    BeginBatch,
    ChangeMove,
    ChangeWave,
    Command,
    LookAtHosts,
    RecordGate,
    StartRun,
    View,
)
from orchestrator.core.dependants import stuck
from orchestrator.core.estimates import Estimates
from orchestrator.core.gate import judge
from orchestrator.core.lifecycle import ARRIVED, MoveEvent, MoveState, WaveEvent, WaveState
from orchestrator.core.move_rules import ABORTED, NEVER_STARTED, NO_TIME_LEFT, is_half_way, move_commands, next_probe_at
from orchestrator.core.opening_check import wants_last_soak
from orchestrator.core.plan import PlannedBatch
from orchestrator.core.progress import MoveProgress, WaveProgress
from orchestrator.core.runbook import Direction
from orchestrator.core.soak import soak_commands
from orchestrator.core.surroundings import CALM, Looked, Surroundings
from orchestrator.core.undo import WAVE_HELD
from orchestrator.core.wave import WaveContent, Wish

__all__ = [
    "NEVER_STARTED",
    "BeginBatch",
    "ChangeMove",
    "ChangeWave",
    "Command",
    "LookAtHosts",
    "RecordGate",
    "StartRun",
    "next_commands",
    "next_probe_at",
]
NOT_QUIET_AFTER = timedelta(minutes=10)
"""How long an abort waits for running steps to end before a person is asked."""
ONLY_LOOKS = (Direction.PROBE, Direction.COMPARE, Direction.AFTER, Direction.SERVICE)
"""What a run may be for while a person keeps all dispatch stopped. The fingerprint from before is not among them:
nothing needs it but a step that follows."""
SETTLED = (MoveState.HELD, *sorted(ARRIVED), MoveState.ROLLED_BACK, MoveState.NEEDS_PERSON)


def next_commands(
    content: WaveContent, progress: WaveProgress, now: datetime, *, around: Surroundings = CALM
) -> tuple[Command, ...]:
    """What to do next; empty means the wave rests or waits for a run, a time or a person."""
    commands = _by_rules(View(content=content, progress=progress, now=now, around=around))
    if around.stopped:
        return tuple(one for one in commands if not _begins(one))
    return commands


def _begins(command: Command) -> bool:
    """Whether it would let something change, undoing included; who only looks may look while all dispatch stands."""
    if isinstance(command, StartRun):
        return command.direction not in ONLY_LOOKS
    return isinstance(command, LookAtHosts | BeginBatch) or (
        isinstance(command, ChangeMove) and command.event is MoveEvent.BEGIN
    )


def _by_rules(view: View) -> tuple[Command, ...]:
    for rule in WAVE_RULES:
        answer = rule(view)
        if answer is not None:
            return answer
    return soak_commands(view) or _batch_commands(view) or move_commands(view)


# --------------------------------------------------------------------------- the wave

ACTIVE = (
    WaveState.RUNNING,
    WaveState.SOAKING,
    WaveState.PAUSED,
    WaveState.HELD,
    WaveState.ABORTING,
    WaveState.ROLLING_BACK,
    WaveState.NEEDS_PERSON,
    WaveState.CLOSED,
)
GOING = (WaveState.RUNNING, WaveState.SOAKING, WaveState.PAUSED)
"""A wave that a closing window ends."""


def _not_under_way(view: View) -> tuple[Command, ...] | None:
    """A wave that has not started, or is finished for good, rests."""
    return None if view.progress.state in ACTIVE else ()


def _window_is_over(view: View) -> tuple[Command, ...] | None:
    """No step begins after the window has closed; asking a procedure at its opening hour is none."""
    if view.progress.state in GOING and view.now >= view.content.window.closes and not _only_asks(view):
        return (ChangeWave(event=WaveEvent.HOLD, cause="window_ended"),)
    return None


def _only_asks(view: View) -> bool:
    """Whether every batch is through, so that nothing is left but the opening check."""
    going = view.progress.state in (WaveState.RUNNING, WaveState.SOAKING)
    rests = all(_rests(view, move) for move in view.progress.moves.values())
    return going and rests and wants_last_soak(view.content, view.progress)


def _breaker(view: View) -> tuple[Command, ...] | None:
    """Signs of a common cause, a freeze, a full disk or a jumping clock hold the wave before anything is judged."""
    if view.progress.state not in (WaveState.RUNNING, WaveState.SOAKING):
        return None
    cause = breaker(view.content, view.progress, view.around, view.now)
    return (ChangeWave(event=WaveEvent.HOLD, cause=cause),) if cause else None


def _abort_is_quiet(view: View) -> tuple[Command, ...] | None:
    """An abort is believed once no run lives and nobody wonders any more what a machine did; then the half-way go back.

    What was not begun is left out of the wave; it is planned again.
    """
    progress = view.progress
    if progress.state is not WaveState.ABORTING:
        return None
    if progress.live:
        late = progress.since is not None and view.now >= progress.since + NOT_QUIET_AFTER
        return (ChangeWave(event=WaveEvent.GIVE_UP, cause="not_quiet"),) if late else None
    planned = [move for move in progress.moves.values() if move.state is MoveState.PLANNED]
    if planned:
        return tuple(ChangeMove(asset=move.asset, event=MoveEvent.HOLD, cause=ABORTED) for move in planned)
    if any(move.state in _IN_DOUBT or not _may_wait(view, move) for move in progress.moves.values()):
        return None
    return (ChangeWave(event=WaveEvent.QUIET, cause=ABORTED),)


_IN_DOUBT = (
    MoveState.UNKNOWN,
    MoveState.PROBING,
    MoveState.WAITING_TOOL,
    MoveState.FAILED,
    MoveState.ROLLING_BACK,
)


def _may_wait(view: View, move: MoveProgress) -> bool:
    """Whether nothing more is to be done with the move before an abort takes it back."""
    last = move.last
    lost = last is not None and last.outcome == "unknown" and view.content.runbook.changes(last.step)
    return move.state is not MoveState.RUNNING or (undo.touched(move, view.content.runbook) and not lost)


def _all_taken_back(view: View) -> tuple[Command, ...] | None:
    """A rollback that a person asked for is over when nothing of it moves any more."""
    progress = view.progress
    if progress.state is not WaveState.ROLLING_BACK or progress.live or not _rollback_settled(view):
        return None
    moves = progress.moves.values()
    if any(move.state is MoveState.NEEDS_PERSON for move in moves):
        return (ChangeWave(event=WaveEvent.GIVE_UP, cause="rollback_incomplete"),)
    waiting = any(move.state is MoveState.PLANNED or move.cause == WAVE_HELD for move in moves)
    more_to_do = waiting and not progress.wholly and not progress.aborted
    if all(undo.as_before(move, view.content.runbook) for move in moves) and not more_to_do:
        return (ChangeWave(event=WaveEvent.ROLLED_BACK),)
    if progress.aborted:
        return (ChangeWave(event=WaveEvent.CLOSE, cause=ABORTED),)
    if waiting:
        return (ChangeWave(event=WaveEvent.HOLD, cause="partly_rolled_back"),)
    return (ChangeWave(event=WaveEvent.CLOSE, cause="partly_rolled_back"),)


def _rollback_settled(view: View) -> bool:
    moves = view.progress.moves
    rest = (*SETTLED, MoveState.PLANNED)
    back = (MoveState.ROLLED_BACK, MoveState.PLANNED)
    wanted = view.progress.requested
    if view.progress.aborted:
        groups = (view.content.group_of(asset) for asset in wanted)
        wanted = frozenset(one for group in groups for one in group if undo.touched(moves[one], view.content.runbook))
    # What needs a person and is still asked for was not tried yet: once its way back failed, it is asked for no more.
    given_up = {one for one in wanted if moves[one].state is MoveState.NEEDS_PERSON} - view.progress.requested
    settled = all(moves[asset].state in back for asset in wanted - given_up)
    return settled and all(move.state in rest for move in moves.values())


def _all_done(view: View) -> tuple[Command, ...] | None:
    """A wave closes when every gate is open; what nobody could finish keeps it open for a person."""
    progress = view.progress
    if not view.dispatching or progress.live:
        return None
    if not all((gate := progress.gate(batch.name)) and gate.open for batch in view.content.batches):
        return None
    if not all(_rests(view, move) for move in progress.moves.values()):
        return None
    states = [move.state for move in progress.moves.values()]
    if MoveState.NEEDS_PERSON in states:
        return (ChangeWave(event=WaveEvent.GIVE_UP, cause="moves_need_a_person"),)
    if any(move.state is MoveState.HELD and is_half_way(view.content, move) for move in progress.moves.values()):
        return (ChangeWave(event=WaveEvent.HOLD, cause="held_half_way"),)
    if all(state is MoveState.ROLLED_BACK for state in states):
        return (ChangeWave(event=WaveEvent.ROLLED_BACK),)
    if progress.state is WaveState.RUNNING and not progress.soaked and wants_last_soak(view.content, progress):
        return (ChangeWave(event=WaveEvent.SOAK),)  # it was interrupted before its counters opened
    return (ChangeWave(event=WaveEvent.CLOSE),)


WAVE_RULES: Sequence[Callable[[View], tuple[Command, ...] | None]] = (
    _not_under_way,
    _window_is_over,
    _breaker,
    _abort_is_quiet,
    _all_taken_back,
    _all_done,
)


# --------------------------------------------------------------------------- batches


def _batch_commands(view: View) -> tuple[Command, ...]:
    """Begin the next batch once the gate before it is open; judge a batch once all of it is settled."""
    if not view.dispatching:
        return ()
    for batch in view.content.batches:
        gate = view.progress.gate(batch.name)
        if gate and gate.open:
            continue
        if batch.name not in view.progress.begun:
            if view.now > Estimates(content=view.content, around=view.around).batch_fits_until(batch.name):
                return (ChangeWave(event=WaveEvent.HOLD, cause=NO_TIME_LEFT),)
            return _begin(view, batch)
        members = [view.progress.moves[asset] for asset in batch.assets]
        if gate is None and not view.progress.live and all(_rests(view, move) for move in members):
            verdict = judge(view.content, view.progress, batch.name)
            held = ChangeWave(event=WaveEvent.HOLD, cause="budget_spent")
            last = wants_last_soak(view.content, view.progress, open_now=(batch.name,))
            soaks = view.content.thresholds.soak_s or last
            soak = (ChangeWave(event=WaveEvent.SOAK),) if soaks else ()
            return (RecordGate(gate=verdict), *(soak if verdict.open else (held,)))
        return ()
    return ()


def _begin(view: View, batch: PlannedBatch) -> tuple[Command, ...]:
    """Machines are looked at first; those that cannot work keep their assets back before a fork waits for them."""
    moves = (view.progress.moves[asset] for asset in batch.assets)
    planned = tuple(move.asset for move in moves if move.state is MoveState.PLANNED)
    hosts = view.around.hosts
    if hosts is None:
        return (LookAtHosts(batch=batch.name, assets=planned),)
    if hosts.under_way:
        return ()
    if hosts.closed:
        return (ChangeWave(event=WaveEvent.HOLD, cause=hosts.closed),)
    return (BeginBatch(batch=batch.name), *(_begin_one(asset, hosts) for asset in planned))


def _begin_one(asset: AssetId, hosts: Looked) -> ChangeMove:
    cause = hosts.held.get(asset, "")
    return ChangeMove(asset=asset, event=MoveEvent.HOLD if cause else MoveEvent.BEGIN, cause=cause)


def _rests(view: View, move: MoveProgress) -> bool:
    """Settled, and not about to begin again."""
    stands = bool(stuck(view.content, view.progress, move.asset))
    goes_on = move.wish is Wish.RETRY or (move.cause == WAVE_HELD and not move.wish and not stands)
    if move.state is MoveState.HELD and goes_on:
        return False
    return move.state in SETTLED

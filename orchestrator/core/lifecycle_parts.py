"""States below waves and moves: batch, step, run and attempt, one total table each; read off the record, never set.

A batch and a step have no row of their own: what was written down about them tells their state.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from orchestrator.core.progress import MoveProgress, WaveProgress


class BatchState(StrEnum):
    """Where a batch stands."""

    WAITING = "waiting"
    BEGUN = "begun"
    PASSED = "passed"
    STOPPED = "stopped"
    OVERRULED = "overruled"


class BatchEvent(StrEnum):
    """What can happen to a batch."""

    BEGIN = "begin"
    PASS = "pass"
    STOP = "stop"
    OVERRULE = "overrule"


class StepState(StrEnum):
    """Where one step of one move stands. Begun counts what may have begun."""

    WAITING = "waiting"
    BEGUN = "begun"
    DONE = "done"


class StepEvent(StrEnum):
    """What can happen to a step of a move."""

    INTEND = "intend"
    FINISH = "finish"
    NEVER_BEGAN = "never_began"
    UNDO = "undo"


class RunState(StrEnum):
    """Where a run stands."""

    INTENDED = "intended"
    RUNNING = "running"
    ENDED = "ended"


class RunEvent(StrEnum):
    """What can happen to a run."""

    START = "start"
    END = "end"


class AttemptState(StrEnum):
    """Where one move's part in a run stands. Live and unknown ones keep their asset and machines locked."""

    LIVE = "live"
    DONE = "done"
    FAILED = "failed"
    NOT_STARTED = "not_started"
    UNKNOWN = "unknown"
    SETTLED = "settled"


class AttemptEvent(StrEnum):
    """What can happen to an attempt."""

    SUCCEED = "succeed"
    FAIL = "fail"
    NOT_REACHED = "not_reached"
    LOSE_SIGHT = "lose_sight"
    RELEASE = "release"


_B, _S, _R, _A = BatchState, StepState, RunState, AttemptState
BATCH_TABLE: Mapping[BatchState, Mapping[BatchEvent, BatchState]] = MappingProxyType(
    {
        _B.WAITING: {BatchEvent.BEGIN: _B.BEGUN},
        _B.BEGUN: {BatchEvent.PASS: _B.PASSED, BatchEvent.STOP: _B.STOPPED},
        _B.STOPPED: {BatchEvent.OVERRULE: _B.OVERRULED},
        _B.PASSED: {},
        _B.OVERRULED: {},
    }
)
STEP_TABLE: Mapping[StepState, Mapping[StepEvent, StepState]] = MappingProxyType(
    {
        _S.WAITING: {StepEvent.INTEND: _S.BEGUN},
        _S.BEGUN: {StepEvent.FINISH: _S.DONE, StepEvent.NEVER_BEGAN: _S.WAITING, StepEvent.UNDO: _S.WAITING},
        _S.DONE: {StepEvent.UNDO: _S.WAITING},
    }
)
RUN_TABLE: Mapping[RunState, Mapping[RunEvent, RunState]] = MappingProxyType(
    {
        _R.INTENDED: {RunEvent.START: _R.RUNNING, RunEvent.END: _R.ENDED},
        _R.RUNNING: {RunEvent.END: _R.ENDED},
        _R.ENDED: {},
    }
)
ATTEMPT_TABLE: Mapping[AttemptState, Mapping[AttemptEvent, AttemptState]] = MappingProxyType(
    {
        _A.LIVE: {
            AttemptEvent.SUCCEED: _A.DONE,
            AttemptEvent.FAIL: _A.FAILED,
            AttemptEvent.NOT_REACHED: _A.NOT_STARTED,
            AttemptEvent.LOSE_SIGHT: _A.UNKNOWN,
        },
        _A.UNKNOWN: {AttemptEvent.RELEASE: _A.SETTLED},
        _A.DONE: {},
        _A.FAILED: {},
        _A.NOT_STARTED: {},
        _A.SETTLED: {},
    }
)
BATCH_GROUPS: Mapping[str, frozenset[BatchState]] = MappingProxyType(
    {
        "at rest": frozenset({_B.WAITING, _B.PASSED, _B.OVERRULED}),
        "in motion": frozenset({_B.BEGUN}),
        "stuck": frozenset({_B.STOPPED}),
    }
)
STEP_GROUPS: Mapping[str, frozenset[StepState]] = MappingProxyType(
    {"at rest": frozenset({_S.WAITING, _S.DONE}), "in motion": frozenset({_S.BEGUN}), "stuck": frozenset()}
)
RUN_GROUPS: Mapping[str, frozenset[RunState]] = MappingProxyType(
    {"at rest": frozenset({_R.ENDED}), "in motion": frozenset({_R.INTENDED, _R.RUNNING}), "stuck": frozenset()}
)
ATTEMPT_GROUPS: Mapping[str, frozenset[AttemptState]] = MappingProxyType(
    {
        "at rest": frozenset({_A.DONE, _A.FAILED, _A.NOT_STARTED, _A.SETTLED}),
        "in motion": frozenset({_A.LIVE}),
        "stuck": frozenset({_A.UNKNOWN}),
    }
)


def batch_state(progress: WaveProgress, batch: str) -> BatchState:
    """Where the batch stands."""
    gate = progress.gate(batch)
    if gate is None:
        return BatchState.BEGUN if batch in progress.begun else BatchState.WAITING
    if gate.verdict == "ok":
        return BatchState.PASSED
    return BatchState.OVERRULED if gate.overruled else BatchState.STOPPED


def step_state(move: MoveProgress, step: str) -> StepState:
    """Where this step of the move stands."""
    if step in move.done:
        return StepState.DONE
    return StepState.BEGUN if step in move.begun else StepState.WAITING

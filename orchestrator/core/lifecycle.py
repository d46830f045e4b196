"""States of waves and asset moves: one total table each. No other place decides what may follow what.

States are grouped at rest / in motion / stuck. An illegal pair raises IllegalTransition and changes nothing.
The diagram in docs/states.md is generated from these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from inventory.errors import ExpectedError


class IllegalTransition(ExpectedError):
    """An event that the present state does not allow."""

    code, says = "RUN-001", "{subject} is {state}; {event} is not possible from there."
    remedy = "Look at its state with `kahn wave show` and choose an act that it allows."
    exit_code = 3


class MoveState(StrEnum):
    """Where one asset's way through one wave stands."""

    PLANNED = "planned"
    HELD = "held"
    MOVED = "moved"
    RETIRED = "retired"
    ERASED = "erased"
    ROLLED_BACK = "rolled_back"
    RUNNING = "running"
    WAITING_TOOL = "waiting_tool"
    PROBING = "probing"
    ROLLING_BACK = "rolling_back"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NEEDS_PERSON = "needs_person"


class MoveEvent(StrEnum):
    """What can happen to an asset move."""

    BEGIN = "begin"
    HOLD = "hold"
    AWAIT = "await"
    COMPLETE = "complete"
    RETIRE = "retire"
    ERASE = "erase"
    FAIL = "fail"
    LOSE_SIGHT = "lose_sight"
    REPEAT = "repeat"
    PROBE = "probe"
    PROBE_DONE = "probe_done"
    PROBE_NOT_DONE = "probe_not_done"
    PROBE_PARTIAL = "probe_partial"
    PROBE_BLIND = "probe_blind"
    STILL_GOING = "still_going"
    ROLL_BACK = "roll_back"
    PROVE = "prove"
    GIVE_UP = "give_up"
    REPAIRED = "repaired"
    ASK_AGAIN = "ask_again"


class WaveState(StrEnum):
    """Where a wave stands."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    MISSED = "missed"
    CHECKING = "checking"
    RUNNING = "running"
    SOAKING = "soaking"
    PAUSED = "paused"
    HELD = "held"
    ABORTING = "aborting"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    NEEDS_PERSON = "needs_person"
    CLOSED = "closed"


class WaveEvent(StrEnum):
    """What can happen to a wave."""

    PROPOSE = "propose"
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    REPLACE = "replace"
    EXPIRE = "expire"
    SCHEDULE = "schedule"
    MISS = "miss"
    CLAIM = "claim"
    START = "start"
    SOAK = "soak"
    SOAKED = "soaked"
    PAUSE = "pause"
    HOLD = "hold"
    RESUME = "resume"
    ABORT = "abort"
    QUIET = "quiet"
    ROLL_BACK = "roll_back"
    ROLLED_BACK = "rolled_back"
    GIVE_UP = "give_up"
    CLOSE = "close"


_M, _E = MoveState, MoveEvent
MOVE_TABLE: Mapping[MoveState, Mapping[MoveEvent, MoveState]] = MappingProxyType(
    {
        _M.PLANNED: {_E.BEGIN: _M.RUNNING, _E.HOLD: _M.HELD},
        _M.RUNNING: {
            _E.AWAIT: _M.WAITING_TOOL,
            _E.COMPLETE: _M.MOVED,
            _E.RETIRE: _M.RETIRED,
            _E.FAIL: _M.FAILED,
            _E.LOSE_SIGHT: _M.UNKNOWN,
            _E.HOLD: _M.HELD,
            _E.ROLL_BACK: _M.ROLLING_BACK,
        },
        _M.WAITING_TOOL: {_E.PROBE: _M.PROBING, _E.GIVE_UP: _M.NEEDS_PERSON},
        _M.FAILED: {_E.ROLL_BACK: _M.ROLLING_BACK, _E.HOLD: _M.HELD, _E.GIVE_UP: _M.NEEDS_PERSON},
        _M.UNKNOWN: {_E.PROBE: _M.PROBING, _E.REPEAT: _M.RUNNING, _E.GIVE_UP: _M.NEEDS_PERSON},
        _M.PROBING: {
            _E.PROBE_DONE: _M.RUNNING,
            _E.PROBE_NOT_DONE: _M.RUNNING,
            _E.PROBE_PARTIAL: _M.FAILED,
            _E.PROBE_BLIND: _M.UNKNOWN,
            _E.STILL_GOING: _M.WAITING_TOOL,
            _E.GIVE_UP: _M.NEEDS_PERSON,
        },
        _M.ROLLING_BACK: {_E.PROVE: _M.ROLLED_BACK, _E.GIVE_UP: _M.NEEDS_PERSON},
        _M.HELD: {_E.BEGIN: _M.RUNNING, _E.ROLL_BACK: _M.ROLLING_BACK},
        _M.MOVED: {_E.ROLL_BACK: _M.ROLLING_BACK, _E.ERASE: _M.ERASED},
        _M.RETIRED: {_E.ROLL_BACK: _M.ROLLING_BACK, _E.ERASE: _M.ERASED},
        _M.ERASED: {},
        _M.NEEDS_PERSON: {_E.ROLL_BACK: _M.ROLLING_BACK, _E.REPAIRED: _M.HELD, _E.ASK_AGAIN: _M.UNKNOWN},
        _M.ROLLED_BACK: {},
    }
)
MOVE_GROUPS: Mapping[str, frozenset[MoveState]] = MappingProxyType(
    {
        "at rest": frozenset({_M.PLANNED, _M.HELD, _M.MOVED, _M.RETIRED, _M.ERASED, _M.ROLLED_BACK}),
        "in motion": frozenset({_M.RUNNING, _M.WAITING_TOOL, _M.PROBING, _M.ROLLING_BACK}),
        "stuck": frozenset({_M.FAILED, _M.UNKNOWN, _M.NEEDS_PERSON}),
    }
)

ARRIVED = frozenset({_M.MOVED, _M.RETIRED, _M.ERASED})
"""Where a move has reached what its runbook is for."""

_W, _V = WaveState, WaveEvent
WAVE_TABLE: Mapping[WaveState, Mapping[WaveEvent, WaveState]] = MappingProxyType(
    {
        _W.DRAFT: {_V.PROPOSE: _W.PROPOSED, _V.REPLACE: _W.DRAFT},
        _W.PROPOSED: {_V.APPROVE: _W.APPROVED, _V.REFUSE: _W.DRAFT, _V.WITHDRAW: _W.DRAFT, _V.REPLACE: _W.DRAFT},
        _W.APPROVED: {
            _V.WITHDRAW: _W.DRAFT,
            _V.REPLACE: _W.DRAFT,
            _V.EXPIRE: _W.PROPOSED,
            _V.SCHEDULE: _W.SCHEDULED,
            _V.CLAIM: _W.CHECKING,
        },
        _W.SCHEDULED: {
            _V.WITHDRAW: _W.DRAFT,
            _V.REPLACE: _W.DRAFT,
            _V.EXPIRE: _W.PROPOSED,
            _V.MISS: _W.MISSED,
            _V.CLAIM: _W.CHECKING,
        },
        _W.MISSED: {_V.WITHDRAW: _W.DRAFT, _V.REPLACE: _W.DRAFT, _V.CLAIM: _W.CHECKING},
        _W.CHECKING: {_V.START: _W.RUNNING, _V.HOLD: _W.HELD},
        _W.RUNNING: {
            _V.SOAK: _W.SOAKING,
            _V.PAUSE: _W.PAUSED,
            _V.HOLD: _W.HELD,
            _V.ABORT: _W.ABORTING,
            _V.CLOSE: _W.CLOSED,
            _V.ROLL_BACK: _W.ROLLING_BACK,
            _V.GIVE_UP: _W.NEEDS_PERSON,
            _V.ROLLED_BACK: _W.ROLLED_BACK,
        },
        _W.SOAKING: {
            _V.SOAKED: _W.RUNNING,
            _V.PAUSE: _W.PAUSED,
            _V.HOLD: _W.HELD,
            _V.ABORT: _W.ABORTING,
            _V.ROLL_BACK: _W.ROLLING_BACK,
        },
        _W.PAUSED: {
            _V.RESUME: _W.RUNNING,
            _V.HOLD: _W.HELD,
            _V.ABORT: _W.ABORTING,
            _V.ROLL_BACK: _W.ROLLING_BACK,
            _V.CLOSE: _W.CLOSED,
        },
        _W.HELD: {
            _V.RESUME: _W.RUNNING,
            _V.ABORT: _W.ABORTING,
            _V.ROLL_BACK: _W.ROLLING_BACK,
            _V.CLOSE: _W.CLOSED,
        },
        _W.ABORTING: {_V.QUIET: _W.ROLLING_BACK, _V.GIVE_UP: _W.NEEDS_PERSON},
        _W.ROLLING_BACK: {
            _V.ROLLED_BACK: _W.ROLLED_BACK,
            _V.GIVE_UP: _W.NEEDS_PERSON,
            _V.CLOSE: _W.CLOSED,
            _V.HOLD: _W.HELD,
        },
        _W.NEEDS_PERSON: {
            _V.RESUME: _W.RUNNING,
            _V.ABORT: _W.ABORTING,
            _V.ROLL_BACK: _W.ROLLING_BACK,
            _V.CLOSE: _W.CLOSED,
        },
        _W.CLOSED: {_V.ROLL_BACK: _W.ROLLING_BACK},
        _W.ROLLED_BACK: {},
    }
)
WAVE_GROUPS: Mapping[str, frozenset[WaveState]] = MappingProxyType(
    {
        "at rest": frozenset({_W.DRAFT, _W.PROPOSED, _W.APPROVED, _W.SCHEDULED, _W.ROLLED_BACK, _W.CLOSED}),
        "in motion": frozenset({_W.CHECKING, _W.RUNNING, _W.SOAKING, _W.ABORTING, _W.ROLLING_BACK}),
        "stuck": frozenset({_W.MISSED, _W.PAUSED, _W.HELD, _W.NEEDS_PERSON}),
    }
)


def next_move_state(state: MoveState, event: MoveEvent, *, subject: str = "the move") -> MoveState:
    """The state after the event. Raises IllegalTransition naming both."""
    following = MOVE_TABLE[state].get(event)
    if following is None:
        raise IllegalTransition(subject=subject, state=state.value, event=event.value)
    return following


def next_wave_state(state: WaveState, event: WaveEvent, *, subject: str = "the wave") -> WaveState:
    """The state after the event. Raises IllegalTransition naming both."""
    following = WAVE_TABLE[state].get(event)
    if following is None:
        raise IllegalTransition(subject=subject, state=state.value, event=event.value)
    return following

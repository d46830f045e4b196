"""Who must act while something is in motion, what comes if that fails, and until when: nothing lasts for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from orchestrator.core.lifecycle import MOVE_GROUPS, MOVE_TABLE, WAVE_GROUPS, WAVE_TABLE, MoveState, WaveState
from orchestrator.core.lifecycle_parts import (
    ATTEMPT_GROUPS,
    ATTEMPT_TABLE,
    BATCH_GROUPS,
    BATCH_TABLE,
    RUN_GROUPS,
    RUN_TABLE,
    STEP_GROUPS,
    STEP_TABLE,
    AttemptState,
    BatchState,
    RunState,
    StepState,
)
from orchestrator.core.occurrence import OCCURRENCE_GROUPS, OCCURRENCE_TABLE, OccurrenceState

UNDO_ENDS = "max_tries runs of each undo, each with its deadline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """One state in motion: its owner, the state it falls into when it fails, and what ends it at the latest."""

    owner: str
    failed: StrEnum
    expires: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One state machine with the keepers of all its states in motion."""

    name: str
    table: Mapping[StrEnum, Mapping[StrEnum, StrEnum]]
    moving: frozenset[StrEnum]
    keepers: Mapping[StrEnum, Keeper]


def _watched(name: str, table: object, groups: Mapping[str, object], keepers: Mapping[StrEnum, Keeper]) -> Watched:
    return Watched(name=name, table=table, moving=groups["in motion"], keepers=MappingProxyType(dict(keepers)))  # type: ignore[arg-type]


WATCHED: tuple[Watched, ...] = (
    _watched(
        "wave",
        WAVE_TABLE,
        WAVE_GROUPS,
        {
            WaveState.CHECKING: Keeper(
                owner="driver",
                failed=WaveState.HELD,
                expires="the transaction that claims the wave, which also starts it",
            ),
            WaveState.RUNNING: Keeper(owner="driver", failed=WaveState.HELD, expires="the window's end"),
            WaveState.SOAKING: Keeper(
                owner="driver", failed=WaveState.HELD, expires="soak_minutes or the opening hour, or the window's end"
            ),
            WaveState.ABORTING: Keeper(
                owner="driver", failed=WaveState.NEEDS_PERSON, expires="ten minutes with a living step"
            ),
            WaveState.ROLLING_BACK: Keeper(
                owner="driver",
                failed=WaveState.NEEDS_PERSON,
                expires=UNDO_ENDS,
            ),
        },
    ),
    _watched(
        "asset move",
        MOVE_TABLE,
        MOVE_GROUPS,
        {
            MoveState.RUNNING: Keeper(
                owner="its run", failed=MoveState.FAILED, expires="the deadline of its step's run"
            ),
            MoveState.WAITING_TOOL: Keeper(
                owner="the other tool",
                failed=MoveState.NEEDS_PERSON,
                expires="the step's deadline since it was started",
            ),
            MoveState.PROBING: Keeper(owner="its run", failed=MoveState.UNKNOWN, expires="the deadline of the probe"),
            MoveState.ROLLING_BACK: Keeper(
                owner="its run",
                failed=MoveState.NEEDS_PERSON,
                expires=UNDO_ENDS,
            ),
        },
    ),
    _watched(
        "batch",
        BATCH_TABLE,
        BATCH_GROUPS,
        {BatchState.BEGUN: Keeper(owner="driver", failed=BatchState.STOPPED, expires="the last of its moves")},
    ),
    _watched(
        "step",
        STEP_TABLE,
        STEP_GROUPS,
        {
            StepState.BEGUN: Keeper(
                owner="its attempt", failed=StepState.WAITING, expires="the deadline, then a probe or undo"
            )
        },
    ),
    _watched(
        "run",
        RUN_TABLE,
        RUN_GROUPS,
        {
            RunState.INTENDED: Keeper(owner="driver", failed=RunState.ENDED, expires="its deadline"),
            RunState.RUNNING: Keeper(
                owner="supervisor", failed=RunState.ENDED, expires="its deadline, kept by the supervisor"
            ),
        },
    ),
    _watched(
        "attempt",
        ATTEMPT_TABLE,
        ATTEMPT_GROUPS,
        {AttemptState.LIVE: Keeper(owner="its run", failed=AttemptState.UNKNOWN, expires="the end of its run")},
    ),
    _watched(
        "start of a wave",
        OCCURRENCE_TABLE,
        OCCURRENCE_GROUPS,
        {OccurrenceState.CLAIMED: Keeper(owner="driver", failed=OccurrenceState.DONE, expires="the end of the wave")},
    ),
)
"""Every state machine of the engine."""

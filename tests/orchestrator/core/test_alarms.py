"""Alarms that the clock raises."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from inventory.model import AssetId, AssetKind
from orchestrator.core.alarms import NEAR, PATIENCE, SOON, alarms_due, allowed_outage, lacks_a_driver, overdue
from orchestrator.core.lifecycle import WAVE_GROUPS, MoveState, WaveState
from orchestrator.core.notices import NoticeKind
from orchestrator.core.policy import Policy
from orchestrator.core.progress import WaveProgress, at_start
from tests.orchestrator.core.builders import a_wave

CONTENT = a_wave()
OPENS, CLOSES = CONTENT.window.opens, CONTENT.window.closes
POLICY = Policy(runbooks={AssetKind.WORKSTATION: CONTENT.runbook.name}, max_outage_min={AssetKind.WORKSTATION: 100})
FIRST = CONTENT.moves[0].asset


def progress(state: MoveState = MoveState.RUNNING, *, wave: WaveState = WaveState.RUNNING) -> WaveProgress:
    start = at_start(CONTENT)
    move = replace(start.moves[FIRST], state=state, begun=("save",), out_since=OPENS)
    return replace(start, state=wave, moves={**start.moves, FIRST: move})


def kinds(
    now_min: float, found: WaveProgress | None = None, policy: Policy = POLICY
) -> list[tuple[NoticeKind, AssetId | None]]:
    due = alarms_due(CONTENT, found or progress(), policy, OPENS + timedelta(minutes=now_min))
    return [(alarm.kind, alarm.asset) for alarm in due]


def test_an_outage_calls_people_when_three_quarters_of_it_are_used() -> None:
    assert kinds(100 * NEAR - 1) == []
    assert kinds(100 * NEAR) == [(NoticeKind.OUTAGE, FIRST)]


@pytest.mark.parametrize("state", [MoveState.MOVED, MoveState.ROLLED_BACK])
def test_an_asset_that_works_again_has_no_outage(state: MoveState) -> None:
    assert kinds(99, progress(state)) == []


@pytest.mark.parametrize("state", [MoveState.UNKNOWN, MoveState.NEEDS_PERSON, MoveState.HELD, MoveState.ROLLING_BACK])
def test_an_asset_that_is_stuck_goes_on_being_out_of_service(state: MoveState) -> None:
    assert kinds(99, progress(state, wave=WaveState.HELD)) == [(NoticeKind.OUTAGE, FIRST)]


def test_where_nothing_was_agreed_no_outage_is_too_long() -> None:
    assert kinds(99, policy=replace(POLICY, max_outage_min={})) == []
    assert allowed_outage(CONTENT, replace(POLICY, runbooks={})) is None


def test_the_last_moment_is_told_before_the_window_ends_and_not_after() -> None:
    calm = replace(POLICY, max_outage_min={})
    length = (CLOSES - OPENS).total_seconds() / 60
    assert kinds(length - 31, policy=calm) == []
    assert kinds(length - 30, policy=calm) == [(NoticeKind.LAST_MOMENT, None)]
    assert kinds(length, policy=calm) == []


def test_a_wave_of_which_nothing_is_open_has_no_last_moment() -> None:
    length = (CLOSES - OPENS).total_seconds() / 60
    assert kinds(length - 10, progress(MoveState.MOVED)) == []
    assert kinds(length - 10, progress(wave=WaveState.CLOSED)) == []


def test_a_wave_that_does_not_start_is_overdue_after_some_patience_and_until_its_window_ends() -> None:
    states = (WaveState.APPROVED, WaveState.SCHEDULED)
    assert not any(overdue(CONTENT, state, OPENS + PATIENCE - timedelta(seconds=1)) for state in states)
    assert all(overdue(CONTENT, state, OPENS + PATIENCE) for state in states)
    assert not any(overdue(CONTENT, state, CLOSES) for state in states)
    assert not overdue(CONTENT, WaveState.RUNNING, OPENS + PATIENCE)


@pytest.mark.parametrize("state", list(WaveState))
def test_a_wave_lacks_a_driver_while_it_is_in_motion_or_its_hour_is_near(state: WaveState) -> None:
    moving, waits = state in WAVE_GROUPS["in motion"], state in (WaveState.APPROVED, WaveState.SCHEDULED)
    assert lacks_a_driver(CONTENT, state, OPENS - SOON - timedelta(seconds=1)) is moving
    assert lacks_a_driver(CONTENT, state, OPENS - SOON) is (moving or waits)
    assert lacks_a_driver(CONTENT, state, CLOSES) is moving

"""How long a step waits, and when it looks again: by its gap, or when the machine says that it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inventory.model import AssetId
from orchestrator.core.lifecycle import MoveState
from orchestrator.core.progress import MoveProgress
from orchestrator.core.results import WAITS, Result
from orchestrator.core.runbook import Direction, Effect
from orchestrator.core.waiting import move_without_people
from orchestrator.core.waits import looks_again_at, waits_told, waits_until
from orchestrator.core.wave import WaveContent
from tests.orchestrator.core.builders import a_runbook, a_wave

NOW = datetime(2026, 12, 1, 22, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def waiting(told: object, *, outcome: str = WAITS) -> tuple[WaveContent, MoveProgress]:
    """A move whose first step waits for at most an hour, looks once a minute, and was told that."""
    wave = a_wave(batches={"b1": 1}, runbook=a_runbook())
    first = replace(wave.runbook.steps[0], effect=Effect.NONE, waits_for=("names_cached",), waits_s=3600, every_s=60)
    content = replace(wave, runbook=replace(wave.runbook, steps=(first, *wave.runbook.steps[1:])))
    evidence: dict[str, Any] = {"kahn": {"cause": "names_cached", "until": told}}
    last = Result(step=first.name, direction=Direction.DO, outcome=outcome, cause="names_cached", evidence=evidence,
                  at=NOW)  # fmt: skip
    move = MoveProgress(asset=AssetId("a01"), batch="b1", state=MoveState.RUNNING, last=last, waits_since=NOW)
    return content, move


def test_it_looks_again_when_the_machine_says_that_it_is_over_and_the_screen_says_so() -> None:
    over = NOW + timedelta(minutes=25)
    content, move = waiting(int(over.timestamp()))
    assert (waits_until(content, move), waits_told(content, move)) == (NOW + HOUR, over)
    assert looks_again_at(content, move) == over
    told = move_without_people(content, move)
    assert told.at == over and "goes on by itself" in told.says


@pytest.mark.parametrize("told", [None, "soon", True, -1, 10**12, 1.5, int((NOW + HOUR).timestamp()) + 1])
def test_what_a_machine_says_beyond_the_waiting_or_besides_a_time_counts_for_nothing(told: object) -> None:
    content, move = waiting(told)
    assert waits_told(content, move) is None and looks_again_at(content, move) == NOW + timedelta(seconds=60)
    assert move_without_people(content, move).at == NOW + HOUR


def test_a_machine_that_names_a_time_that_is_over_is_not_asked_without_a_pause() -> None:
    content, move = waiting(int(NOW.timestamp()) - 100)
    assert looks_again_at(content, move) == NOW + timedelta(seconds=5)


def test_a_step_that_ended_waits_for_nothing() -> None:
    content, move = waiting(None, outcome="done")
    assert waits_until(content, move) is None and waits_told(content, move) is None

"""Whatever people do to a wave holds while driver and supervisors are killed, a line is cut, PostgreSQL restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.kills import unlike
from orchestrator.lab.lab import Lab
from tests.faults.acts import Stage, a_stage, abort_and_roll_back, pause_hold_skip_stop_retry_and_recover
from tests.faults.kills import left_working
from tests.faults.test_database_away import server
from tests.labs import lab

__all__ = ["lab", "server"]
pytestmark = [pytest.mark.lab, pytest.mark.postgres, pytest.mark.long]
Played = tuple[Stage, Stage]


@pytest.fixture
def play(lab: Lab, server: Any, tmp_path: Path) -> Iterator[Callable[..., Played]]:
    """Both nights of one story: in peace on SQLite, under fire on PostgreSQL."""
    stages: list[Stage] = []

    def both(story: Callable[[Stage], None], *, tenant: str, seats: int) -> Played:
        for name, database in (("frieden", None), ("feuer", server)):
            stage = a_stage(tmp_path / name, lab, tenant=f"{tenant}-{name}", seats=seats, server=database)
            stages.append(stage)
            story(stage)
        return stages[0], stages[1]

    try:
        yield both
    finally:
        for stage in stages:
            stage.ends()


def alike(peace: Stage, fire: Stage) -> None:
    """Both nights left the machines alike; a receipt names its attempt, which differs: their number is compared."""
    receipts = ("sha256 of /root/receipts.txt",)
    assert [line for line in unlike(peace.story, fire.story) if not line.endswith(receipts)] == []
    assert peace.begun() == fire.begun()
    assert left_working(fire.story) == []


def test_pause_hold_skip_stop_retry_and_recovery_hold_under_fire(play: Callable[..., Played]) -> None:
    peace, fire = play(pause_hold_skip_stop_retry_and_recover, tenant="halt", seats=5)
    for stage in (peace, fire):
        assert set(stage.begun().values()) == {1}, "the step that happens once began once on each machine"
        left = stage.states()
        assert (left.pop("apc-0003"), set(left.values())) == ("held", {"moved"})
        assert stage.states("W02") == {"apc-0003": "moved"}
    assert len(fire.fired) == 7
    alike(peace, fire)


def test_an_abort_and_a_rollback_of_the_whole_wave_hold_under_fire(play: Callable[..., Played]) -> None:
    peace, fire = play(abort_and_roll_back, tenant="zurueck", seats=3)
    for stage in (peace, fire):
        assert set(stage.begun().values()) == {0}, "nothing of the step is left on any machine"
        assert set(stage.states().values()) == {"rolled_back"}
    assert len(fire.fired) == 2
    alike(peace, fire)

"""Times come from the tenant's own latest waves of the same runbook."""

from __future__ import annotations

from pathlib import Path

from orchestrator.actions.read_times import times_of
from orchestrator.core.runbook import Direction
from tests.copied_towns import a_town
from tests.towns import STADT


def test_a_driven_wave_leaves_the_times_of_its_steps(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    town.drive()
    with town.store.reading() as books:
        times = times_of(books, STADT, town.runbook.name)
        assert times_of(books, STADT, "another") == ()
    assert {one.step for one in times if one.direction is Direction.DO} == set(town.runbook.step_names)


def test_a_wave_that_has_not_started_measures_nothing(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    with town.store.reading() as books:
        assert times_of(books, STADT, town.runbook.name) == ()

"""The supervisor of a step dies, or ansible itself: what survives goes on, the rest is probed, nothing is doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.lab import Lab
from tests.faults.kills import a_counting_story, all_is_well, enough, is_working, kill_9, wait_for_mid_step
from tests.labs import lab
from tests.scenarios.story import PATIENCE_S, wait_until

__all__ = ["lab"]
pytestmark = pytest.mark.lab


def test_ansible_goes_on_without_its_supervisor_and_its_spool_tells_the_end(tmp_path: Path, lab: Lab) -> None:
    story = a_counting_story(tmp_path / "story", lab, tenant="aufsicht")
    driver = story.begin("wave", "run", "W01")
    step = wait_for_mid_step(story)
    kill_9(step.supervisor)
    wait_until(lambda: not is_working(step.supervisor, step.run))
    assert is_working(step.ansible, step.run)
    enough(story)
    assert driver.wait(timeout=PATIENCE_S) == 0, (story.place / "begun.log").read_text()
    assert [line["pid"] for line in step.spool() if line["kind"] == "run_start"] == [step.ansible]
    ends = [fact for fact in story.facts() if fact["kind"] == "run.ended" and fact["run"] == step.run]
    assert [end["how"] for end in ends] == ["lost"]
    all_is_well(story, step)


def test_supervisor_and_driver_killed_together_are_replaced_by_a_driver_that_reads_the_spool(
    tmp_path: Path, lab: Lab
) -> None:
    story = a_counting_story(tmp_path / "story", lab, tenant="beide")
    driver = story.begin("wave", "run", "W01")
    step = wait_for_mid_step(story)
    kill_9(step.supervisor, driver.pid)
    driver.wait()
    assert is_working(step.ansible, step.run)
    enough(story)
    again = story.tried("wave", "run", "W01")
    assert again.code == 0, again
    all_is_well(story, step)


def test_a_step_whose_ansible_was_killed_is_probed_and_not_repeated(tmp_path: Path, lab: Lab) -> None:
    story = a_counting_story(tmp_path / "story", lab, tenant="ansible")
    driver = story.begin("wave", "run", "W01")
    step = wait_for_mid_step(story)
    kill_9(step.ansible)
    enough(story)
    assert driver.wait(timeout=PATIENCE_S) == 0, (story.place / "begun.log").read_text()
    probes = [fact for fact in story.facts() if fact["kind"] == "run.intended" and fact["direction"] == "probe"]
    assert probes
    all_is_well(story, step)

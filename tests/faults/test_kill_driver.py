"""The driver dies, or there are two: the step that must happen once happens once, and the wave comes to its end."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.lab.lab import Lab
from tests.faults.kills import a_counting_story, all_is_well, enough, is_working, kill_9, wait_for_mid_step
from tests.labs import lab
from tests.scenarios.story import PATIENCE_S, hosts_for, wait_until

__all__ = ["lab"]
pytestmark = pytest.mark.lab


def test_a_driver_killed_in_mid_step_is_replaced_and_the_step_goes_on_meanwhile(tmp_path: Path, lab: Lab) -> None:
    story = a_counting_story(tmp_path / "story", lab, tenant="fahrer")
    driver = story.begin("wave", "run", "W01")
    step = wait_for_mid_step(story)
    driver.kill()
    driver.wait()
    assert is_working(step.ansible, step.run) and is_working(step.supervisor, step.run)
    enough(story)
    again = story.tried("wave", "run", "W01")
    assert again.code == 0, again
    assert [line["pid"] for line in step.spool() if line["kind"] == "run_start"] == [step.ansible]
    all_is_well(story, step)


def test_driver_supervisor_and_ansible_killed_together_leave_it_to_the_probe(tmp_path: Path, lab: Lab) -> None:
    story = a_counting_story(tmp_path / "story", lab, tenant="alledrei")
    driver = story.begin("wave", "run", "W01")
    step = wait_for_mid_step(story)
    kill_9(driver.pid, step.supervisor, step.ansible)
    driver.wait()
    enough(story)
    again = story.tried("wave", "run", "W01")
    assert again.code == 0, again
    ends = [fact["outcome"] for fact in story.facts() if fact["kind"] == "attempt.ended" and fact["run"] == step.run]
    assert ends == ["unknown", "unknown"]
    all_is_well(story, step)


def test_of_two_drivers_one_drives_and_the_other_changes_nothing(tmp_path: Path, lab: Lab) -> None:
    story = a_counting_story(tmp_path / "story", lab, tenant="zwei")
    driver = story.begin("wave", "run", "W01")
    step = wait_for_mid_step(story)
    before = story.facts()
    second = story.tried("wave", "run", "W01")
    assert (second.code, "RUN-008" in second.err) == (6, True), second
    assert story.facts()[: len(before)] == before
    enough(story)
    assert driver.wait(timeout=PATIENCE_S) == 0
    assert {fact["epoch"] for fact in story.facts() if fact["kind"] == "run.intended"} == {1}
    all_is_well(story, step)


def test_two_drivers_started_at_the_same_moment_start_the_wave_once(tmp_path: Path, lab: Lab) -> None:
    story = a_counting_story(tmp_path / "story", lab, tenant="zugleich", seats=1, seconds=1)
    both = [story.begin("wave", "run", "W01") for _ in range(2)]
    codes = sorted(one.wait(timeout=PATIENCE_S) for one in both)
    assert codes in ([0, 0], [0, 3], [0, 6]), (story.place / "begun.log").read_text()
    intended = [fact for fact in story.facts() if fact["kind"] == "run.intended"]
    assert [(fact["direction"], fact["step"]) for fact in intended] == [("baseline", ""), ("do", "append")]
    assert len([fact for fact in story.facts() if fact.get("event") == "start"]) == 1


def test_the_service_starts_a_wave_at_its_hour_and_its_successor_finishes_it(tmp_path: Path, lab: Lab) -> None:
    hosts_for(lab, tenant="dienst", seats=2, files=0)
    opens = datetime.now(UTC) + timedelta(seconds=25)
    closes = opens + timedelta(hours=1)
    story = a_counting_story(
        tmp_path / "story", lab, tenant="dienst", opens=opens.isoformat(), closes=closes.isoformat()
    )
    service = story.begin("serve")
    wait_until(lambda: any(fact.get("event") == "schedule" for fact in story.facts()), within_s=PATIENCE_S)
    watcher = story.begin("wave", "watch", "W01")
    step = wait_for_mid_step(story)
    assert started_at(story.facts()) is not None and datetime.now(UTC) >= opens
    service.send_signal(signal.SIGTERM)
    assert service.wait(timeout=PATIENCE_S) == 0
    assert is_working(step.ansible, step.run)
    enough(story)
    successor = story.begin("serve")
    assert watcher.wait(timeout=PATIENCE_S) == 0
    successor.send_signal(signal.SIGTERM)
    assert successor.wait(timeout=PATIENCE_S) == 0
    all_is_well(story, step)


def started_at(facts: tuple[dict[str, object], ...]) -> object:
    return next((fact for fact in facts if fact.get("event") == "start"), None)

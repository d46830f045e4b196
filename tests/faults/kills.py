"""A wave whose one step happens once and can be counted on the hosts, and ways to kill what drives it in mid-step."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.lab.lab import Lab
from tests.scenarios.story import PATIENCE_S, Story, a_story, wait_until

SECONDS = 300
"""How long the step works on a host after its line is written, unless the story says that it is enough."""
RECEIPTS = "root/receipts.txt"
IN_MOTION = ("running", "probing", "rolling_back", "failed", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The run of the one step, while it is under way: its spool, and the pids of supervisor and ansible."""

    run: str
    folder: Path
    supervisor: int
    ansible: int

    def spool(self) -> list[dict[str, Any]]:
        return lines_of(self.folder / "spool.jsonl")


def a_counting_story(
    place: Path, lab: Lab, *, tenant: str, seats: int = 2, seconds: int = SECONDS, **policy: object
) -> Story:
    """An approved wave of ``append-once``; the step takes that many seconds on each host."""
    story = a_story(place, lab, tenant=tenant, seats=seats, runbook="append-once", **policy)
    for host in old_hosts(story):
        (host.root / "etc/kahn-test-seconds").write_text(f"{seconds}\n")
    return story


def old_hosts(story: Story) -> list[Any]:
    return [host for host in story.lab.hosts(story.tenant) if host.name.startswith("apc-")]


def enough(story: Story) -> None:
    """Whoever works on a step of this story comes to its end."""
    for host in old_hosts(story):
        (host.root / "etc/kahn-test-enough").touch()


def receipts(story: Story) -> dict[str, list[str]]:
    """Host name -> attempts that left a line on it, read from outside."""
    found = {}
    for host in old_hosts(story):
        path = host.root / RECEIPTS
        found[host.name] = path.read_text().split() if path.exists() else []
    return found


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Whole lines of a file of JSON lines."""
    whole, _, _ = path.read_bytes().rstrip(b"\0").rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines() if line.strip(b"\0 ")]


def runs_of_the_step(story: Story) -> list[str]:
    """Runs that were meant to do the step, oldest first."""
    wanted = (fact for fact in story.facts() if fact["kind"] == "run.intended")
    return [fact["run"] for fact in wanted if (fact["step"], fact["direction"]) == ("append", "do")]


def wait_for_mid_step(story: Story) -> Step:
    """Once the step has begun, and not ended, on at least one host. Raises NotAsExpected."""
    wait_until(lambda: any(receipts(story).values()), within_s=PATIENCE_S)
    (run,) = runs_of_the_step(story)
    folder = story.home / "runs" / run
    start = next(line for line in lines_of(folder / "supervisor.jsonl") if line["kind"] == "START")
    begin = next(line for line in lines_of(folder / "spool.jsonl") if line["kind"] == "run_start")
    return Step(run=run, folder=folder, supervisor=start["pid"], ansible=begin["pid"])


def kill_9(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def is_working(pid: int, run: str) -> bool:
    """Whether the pid still is a process of that run (and no zombie)."""
    with suppress(OSError):
        return f"KAHN_RUN={run}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False


def left_working(story: Story) -> list[int]:
    """Processes of any run of this story."""
    marks = {f"KAHN_RUN={path.name}".encode() for path in (story.home / "runs").iterdir()}
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if marks.intersection((place / "environ").read_bytes().split(b"\0")):
                found.append(int(place.name))
    return found


def gaps(step: Step) -> list[int]:
    """Places in the spool where the numbers do not follow one another."""
    numbers = [line["seq"] for line in step.spool()]
    return [number for place, number in enumerate(numbers, start=1) if number != place]


def in_motion(story: Story) -> dict[str, tuple[str, str]]:
    return {name: state for name, state in story.states().items() if state[0] in IN_MOTION}


def all_is_well(story: Story, step: Step) -> None:
    """One line on each machine, all of it by one run of the step; everything moved; nothing still at work."""
    by_name = {name: attempts for name, attempts in receipts(story).items() if len(attempts) != 1}
    assert by_name == {}
    assert runs_of_the_step(story) == [step.run]
    assert gaps(step) == []
    assert in_motion(story) == {}
    assert {state for state, _cause in story.states().values()} == {"moved"}
    assert story.wave()["view"]["state"] == "closed"
    assert left_working(story) == []

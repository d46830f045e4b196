"""What people do to a wave under way, played twice on real hosts: in peace, and under fire while each act is in force.

Fire is, at one moment: SIGKILL to every supervisor and to the driver, a cable pulled, the database restarted under
whoever is left. Both nights must leave the machines alike.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.adapters.store import DatabaseStore
from orchestrator.lab.lab import Lab
from tests.faults.kills import is_working, kill_9, lines_of, old_hosts, receipts
from tests.scenarios.story import (
    APPROVER,
    ENGINEER,
    PATIENCE_S,
    TEST_RUNBOOKS,
    Ended,
    Story,
    a_place,
    a_policy,
    a_tenant,
    an_approved_wave,
    an_import,
    hosts_for,
    wait_until,
)

LONGEST_S = 900
"""How long a step works at most, unless the story says that it is enough; longer than its deadline is not needed."""

ENOUGH = "/run/kahn-test-enough"
"""Says to a step that it is enough; outside of what the fingerprint from before covers."""


@dataclass
class Stage:
    """One night. ``server``: the PostgreSQL that may be restarted; without one the night is in peace, on SQLite."""

    story: Story
    server: Any = None
    service: subprocess.Popen[str] | None = None
    fired: list[str] = field(default_factory=list)
    terminals: list[subprocess.Popen[str]] = field(default_factory=list)

    # ------------------------------------------------------------------ what happens

    def begins(self) -> None:
        """`kahn serve`, which starts the approved wave."""
        self.service = self.story.begin("serve")

    def ends(self) -> None:
        for one in (*self.terminals, *([self.service] if self.service else [])):
            if one.poll() is None:
                one.kill()
            one.wait(timeout=PATIENCE_S)

    def fire(self, while_: str, *, cut: str = "", driver_too: bool = True) -> None:
        """Everything at once; in peace nothing. ``driver_too``: else the driver lives through the restart."""
        if self.server is None:
            return
        assert self.service is not None
        self.fired.append(while_)
        if cut:
            self.story.lab.fault(self.story.host(cut), "cut")
        kill_9(*self._supervisors())
        if driver_too:
            with suppress(ProcessLookupError):
                self.service.kill()
            self.service.wait(timeout=PATIENCE_S)
        self.server.stop()
        self.server.start()
        if driver_too:
            self.begins()
        if cut:
            time.sleep(3)  # the line stays dead for a while; nobody waits for anything here
            self.story.lab.fault(self.story.host(cut), "join")

    def _supervisors(self) -> list[int]:
        found = []
        for path in (self.story.home / "runs").glob("*/supervisor.jsonl"):
            starts = (line["pid"] for line in lines_of(path) if line["kind"] == "START")
            found += [pid for pid in starts if is_working(pid, path.parent.name)]
        return found

    def signs(self, person: str, *words: str) -> Ended:
        """A command that is done once it is signed."""
        ended = self.story.tried(*words, "--yes", "--reason", "As agreed", person=person)
        assert ended.code == 0, ended
        return ended

    def signs_and_closes_the_terminal(self, person: str, *words: str, until: Callable[[], object]) -> None:
        """A command that would go on watching: its terminal is killed as soon as it had its effect."""
        argv, environment = self.story.command("--plain", *words, "--yes", "--reason", "As agreed", person=person)
        with (self.story.place / "terminals.log").open("a") as log:
            terminal = subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.terminals.append(terminal)  # type: ignore[arg-type]
        self.waits_for(until)
        kill_9(terminal.pid)
        terminal.wait(timeout=PATIENCE_S)

    def enough(self, *names: str) -> None:
        """Whoever works on a step of these comes to its end."""
        for name in names:
            (self.story.host(name).root / ENOUGH.lstrip("/")).touch()

    # ------------------------------------------------------------------ what is so

    def waits_for(self, holds: Callable[[], object]) -> None:
        wait_until(holds, within_s=LONGEST_S, every_s=0.3)

    def works_on(self, *names: str) -> None:
        """Wait until their step has begun on each machine."""
        self.waits_for(lambda: all(receipts(self.story)[name] for name in names))

    def state(self, wave: str = "W01") -> str:
        return str(self.story.wave(wave)["view"]["state"])

    def states(self, wave: str = "W01") -> dict[str, str]:
        return {name: state for name, (state, _cause) in self.story.states(wave).items()}

    def begun(self) -> dict[str, int]:
        """How often the step that happens once began on each machine, by its own word."""
        return {name: len(attempts) for name, attempts in receipts(self.story).items()}


def a_stage(place: Path, lab: Lab, *, tenant: str, seats: int, server: Any = None) -> Stage:
    """Hosts up, a wave of ``append-once`` approved: a canary of one, the others in one batch."""
    hosts_for(lab, tenant=tenant, seats=seats, files=0)
    story = a_place(place, lab, tenant=tenant)
    if server is not None:
        _on_postgresql(story, server)
    _runbook(story)
    limits = {"canary_size": 1, "probe_tries": 9, "runbook": "append-once"}
    a_tenant(story, policy=a_policy(**limits))
    an_import(story)
    an_approved_wave(story)
    for host in old_hosts(story):
        (host.root / "etc/kahn-test-seconds").write_text(f"{LONGEST_S}\n")
    return Stage(story=story, server=server)


def _on_postgresql(story: Story, server: Any) -> None:
    url = str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    DatabaseStore.create_or_upgrade(url).close()
    (story.home / "kahn.sqlite").unlink()
    settings = (story.home / "kahn.toml").read_text()
    (story.home / "kahn.toml").write_text(settings.replace('database = ""', f'database = "{url}"'))


def _runbook(story: Story) -> None:
    """The counting runbook with a deadline that a slow machine under fire does not reach, and that can go back."""
    folder = story.home / "runbooks" / "append-once"
    folder.mkdir(parents=True)
    for path in (TEST_RUNBOOKS / "append-once").rglob("*"):
        if path.is_file() and path.suffix in (".yml", ".py"):
            copied = folder / path.relative_to(TEST_RUNBOOKS / "append-once")
            copied.parent.mkdir(exist_ok=True)
            text = path.read_text().replace("deadline_s: 120", f"deadline_s: {LONGEST_S}")
            copied.write_text(text.replace("/etc/kahn-test-enough", ENOUGH))


# ---------------------------------------------------------------------- the two nights


def pause_hold_skip_stop_retry_and_recover(stage: Stage) -> None:
    """apc-0001 is the canary. apc-0002 is held and tried again, apc-0003 is left out and moves in a second wave."""
    stage.begins()
    stage.works_on("apc-0001")
    stage.signs(ENGINEER, "wave", "pause", "W01")
    stage.fire("a pause, in the middle of a step")
    stage.enough("apc-0001")
    stage.waits_for(lambda: stage.states()["apc-0001"] == "moved")
    stage.fire("a pause, with nothing under way", driver_too=False)
    stage.signs(ENGINEER, "wave", "hold", "W01", "apc-0002")
    stage.signs(APPROVER, "wave", "skip", "W01", "apc-0003")
    stage.fire("a hold and a skip that nobody carried out yet")
    assert (stage.state(), stage.begun()) == ("paused", _begun(1))
    going = ("running", "soaking")
    stage.signs_and_closes_the_terminal(ENGINEER, "wave", "resume", "W01", until=lambda: stage.state() in going)
    stage.works_on("apc-0004", "apc-0005")
    _stop_everything(stage)
    stage.waits_for(lambda: stage.state() == "closed")
    stage.story.kahn("plan", "propose", "--yes", person=ENGINEER)
    stage.story.kahn("wave", "approve", "W02", "--yes", person=APPROVER)
    stage.works_on("apc-0003")
    stage.fire("the recovery wave", driver_too=False)
    stage.enough("apc-0003")
    stage.waits_for(lambda: stage.state("W02") == "closed")


def _begun(*numbers: int) -> dict[str, int]:
    return {f"apc-{number:04d}": int(number in numbers) for number in range(1, 6)}


def _stop_everything(stage: Stage) -> None:
    """All dispatch is stopped in the middle of the batch; the held one is tried again meanwhile; then it is lifted."""
    stage.signs(ENGINEER, "stop", "--all")
    stage.fire("a stop of all dispatch", cut="apc-0004")
    stage.signs(ENGINEER, "wave", "retry", "W01", "apc-0002")
    stage.enough("apc-0004", "apc-0005")
    stage.fire("a retry that waits for the stop to be lifted", driver_too=False)
    assert stage.begun() == _begun(1, 4, 5)
    stage.signs(APPROVER, "stop", "--lift")
    stage.works_on("apc-0002")
    stage.fire("what was held and is tried again")
    stage.enough("apc-0002")


def abort_and_roll_back(stage: Stage) -> None:
    """The canary moves; the batch is broken off in the middle of its step; then the canary is taken back too."""
    stage.begins()
    stage.works_on("apc-0001")
    stage.enough("apc-0001")
    stage.works_on("apc-0002", "apc-0003")
    over = ("aborting", "rolling_back", "closed", "needs_person")
    stage.signs_and_closes_the_terminal(ENGINEER, "wave", "abort", "W01", until=lambda: stage.state() in over)
    stage.fire("an abort", cut="apc-0002")
    stage.enough("apc-0002", "apc-0003")
    stage.waits_for(lambda: stage.state() == "closed")
    assert stage.states() == {"apc-0001": "moved", "apc-0002": "rolled_back", "apc-0003": "rolled_back"}
    back = ("rolling_back", "rolled_back")
    stage.signs_and_closes_the_terminal(APPROVER, "wave", "rollback", "W01", until=lambda: stage.state() in back)
    stage.fire("a rollback of the whole wave", cut="apc-0001")
    stage.waits_for(lambda: stage.state() == "rolled_back")

"""Following a run to its end: nothing a host sends can stop it from being written down."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inventory.model import AssetId
from orchestrator.actions.follow_run import START_GRACE, follow_run
from orchestrator.core.lifecycle import MoveState
from orchestrator.core.runbook import Direction, Effect, Step
from orchestrator.core.wave import RunId
from orchestrator.run_ports import AttemptSpec, RunOrder, RunRow, SpoolLine, SpoolRead
from tests.copied_towns import a_town, well
from tests.orchestrator.core.builders import a_runbook
from tests.simulated_runs import Fault, SimulatedRuns
from tests.towns import STADT, Town

ORDER = Step(
    name="order",
    title="Order",
    on="source",
    effect=Effect.ONCE,
    playbook="order.yml",
    probe="ask.yml",
    undo="cancel.yml",
    external=True,
    every_s=120,
    deadline_s=600,
)
"""Another tool is started, and asked every two minutes for at most ten minutes."""


def ordered(folder: Path, *answers: str, fault: Fault = well, step: Step = ORDER) -> tuple[Town, list[str]]:
    """A driven town whose seat is in the hands of another tool that answers so; what was played on it."""
    town = a_town(folder, "started", seats=1, runbook=a_runbook((step,)), fault=fault)
    assert isinstance(town.runs, SimulatedRuns)
    town.runs.answers = list(answers)
    town.drive()
    return town, [direction for _asset, direction, _step, _attempt in town.runs.ledger]


def test_another_tool_is_started_once_and_asked_until_it_is_done(tmp_path: Path) -> None:
    town, played = ordered(tmp_path, "running", "not_done", "cannot_tell", "done")
    assert town.states() == {"apc-001": "moved"} and played == ["baseline", "do", "probe", "probe", "probe", "probe"]


def test_while_another_tool_works_its_asset_stays_locked(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started", seats=1, runbook=a_runbook((ORDER,)))
    driver = town.driver()
    while driver.tick():
        pass
    assert town.states() == {"apc-001": "waiting_tool"}
    asset = AttemptSpec(id="", asset=AssetId("apc-001-id"), machines=())
    with town.store.reading() as books:
        assert books.runs.holder(STADT, asset, wave="W02") == "W01"


def test_what_another_tool_failed_at_is_taken_back(tmp_path: Path) -> None:
    town, played = ordered(tmp_path, "running", "failed")
    assert town.states() == {"apc-001": "rolled_back"} and played[-2:] == ["undo", "compare"]


def test_a_tool_that_never_ends_is_left_to_a_person_at_its_deadline(tmp_path: Path) -> None:
    town, played = ordered(tmp_path, *["running"] * 100)
    move = town.wave()[1].moves[AssetId("apc-001-id")]
    assert (move.state, move.cause) == (MoveState.NEEDS_PERSON, "tool_overdue")
    assert played.count("do") == 1 and 3 <= played.count("probe") <= 5


@pytest.mark.parametrize(("answers", "starts"), [(("running", "done"), 0), (("not_done", "done"), 1)])
def test_a_start_that_nobody_saw_is_looked_at_and_repeated_only_when_the_tool_knows_nothing(
    tmp_path: Path, answers: tuple[str, ...], starts: int
) -> None:
    lost = ["lost"]

    def once_lost(_asset: str, _step: str, direction: Direction) -> str:
        return lost.pop() if direction is Direction.DO and lost else ""

    town, played = ordered(tmp_path, *answers, fault=once_lost)
    assert town.states() == {"apc-001": "moved"} and played.count("do") == starts


def test_what_something_else_starts_is_only_asked_about(tmp_path: Path) -> None:
    town, played = ordered(tmp_path, "not_done", "done", step=replace(ORDER, playbook=""))
    assert town.states() == {"apc-001": "moved"} and played == ["baseline", "do", "probe", "probe"]


def deep(levels: int) -> object:
    found: object = "x"
    for _ in range(levels):
        found = {"a": [found]}
    return found


HOSTILE: dict[str, object] = {
    "huge integers": {"n": 10**300, "m": -(2**63)},
    "huge floats": {"n": 1e16, "m": -1e20},
    "deep nesting": {"deep": deep(60)},
    "many entries": {f"k{n}": n for n in range(5_000)},
    "control characters": {"a\x1b[2J": "\x07\r\n{{ lookup('pipe','id') }}"},
    "lone surrogates and NUL": {"a\ud800": "\x00\udfff", "msg": "\x00"},
    "no numbers": {"n": float("nan"), "m": float("-inf")},
    "a cause that cannot be stored": {"cause": "\x00\ud800"},
    "a cause that is no cause": {"cause": "{x} <script>" + "y" * 9_000},
    "an answer that is no answer": {"answer": {"a": ["done"]}, "baseline": ["d1"], "now": None},
}


@dataclass
class LyingHosts(SimulatedRuns):
    """Simulated hosts that report what they like."""

    report: Any = field(default_factory=dict)

    def note(self, lines: list[SpoolLine], kind: str, host: str, **fields: Any) -> None:
        """As always, but with a report of their own."""
        if "kahn" in fields:
            fields["kahn"] = {**fields["kahn"], **self.report}
        super().note(lines, kind, host, **fields)


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_hosts_report_the_wave_goes_on_to_its_end(tmp_path: Path, name: str) -> None:
    """One of the two fails at its last step, the other ends well."""

    def fault(asset: str, step: str, direction: Direction) -> str:
        return "failed" if (asset, step, direction) == ("apc-002-id", "switch", Direction.DO) else ""

    town = a_town(tmp_path, "started")
    town.runs = LyingHosts(fault=fault, report=HOSTILE[name])
    town.drive()
    with town.store.reading() as books:
        assert books.journal.verify(STADT).broken_at == 0
    assert not {"running", "probing", "rolling_back", "unknown"} & set(town.states().values())


@dataclass
class SlowRuns(SimulatedRuns):
    """A run that was started, or not, and of which processes live, or not."""

    started: bool = True
    alive: bool = True
    killed: list[RunId] = field(default_factory=list)
    closes: bool = True

    def read(self, run: RunId, *, offset: int) -> SpoolRead:
        """Nothing new."""
        read = super().read(run, offset=offset)
        return replace(read, lines=(), started=self.started, exited=False, alive=self.alive)

    def close(self, run: RunId) -> bool:
        """Only when nothing lives."""
        return self.closes and super().close(run)

    def kill(self, run: RunId) -> None:
        """Remembered."""
        self.killed.append(run)


def a_live_run(folder: Path, runs: SlowRuns) -> tuple[Town, RunRow]:
    """A town whose first run was intended."""
    town = a_town(folder, "started")
    town.runs = runs
    town.driver().tick()
    with town.store.reading() as books:
        (run,) = books.runs.live()
    return town, run


def attempts(town: Town) -> list[str]:
    with town.store.reading() as books:
        entries = books.journal.read(STADT, subject="wave:W01")
    return [one.entry.body["outcome"] for one in entries if one.entry.kind == "attempt.ended"]


def test_a_run_that_lives_is_left_alone_until_its_deadline_and_killed_then(tmp_path: Path) -> None:
    runs = SlowRuns()
    town, run = a_live_run(tmp_path, runs)
    town.clock.moment = run.deadline
    assert (follow_run(town.outside(), run), runs.killed) == (True, [])  # it is running now, and that is news
    town.clock.moment += timedelta(seconds=1)
    follow_run(town.outside(), replace(run, state="running"))
    assert (runs.killed, attempts(town)) == ([run.id], [])


def test_a_supervisor_gets_some_time_to_start_and_then_its_run_never_started(tmp_path: Path) -> None:
    town, run = a_live_run(tmp_path, SlowRuns(started=False, alive=False))
    town.clock.moment = run.intended_at + START_GRACE
    assert not follow_run(town.outside(), run)
    town.clock.moment += timedelta(microseconds=1)
    assert follow_run(town.outside(), run)
    assert attempts(town) == ["not_started"]


def test_a_fresh_driver_ends_at_once_what_an_earlier_one_intended_but_never_started(tmp_path: Path) -> None:
    town, run = a_live_run(tmp_path, SlowRuns(started=False, alive=False))
    assert follow_run(town.outside(), run, fresh_driver=True)
    assert attempts(town) == ["not_started"]


def test_nothing_is_said_of_a_run_that_may_still_start(tmp_path: Path) -> None:
    town, run = a_live_run(tmp_path, SlowRuns(started=False, alive=False, closes=False))
    assert not follow_run(town.outside(), run, fresh_driver=True)
    assert attempts(town) == []


def test_a_run_whose_processes_are_gone_without_an_end_is_unknown_never_failed(tmp_path: Path) -> None:
    town, run = a_live_run(tmp_path, SlowRuns(alive=False))
    assert follow_run(town.outside(), run)
    assert attempts(town) == ["unknown"]
    with town.store.reading() as books:
        assert books.runs.live() == ()


class Hanging(SimulatedRuns):
    """A supervisor that lives and never says START."""

    killed = False

    def start(self, order: RunOrder) -> None:
        """Nothing that could be read."""

    def read(self, run: RunId, *, offset: int) -> SpoolRead:
        """Alive until it is killed."""
        return replace(super().read(run, offset=offset), alive=not self.killed)

    def kill(self, run: RunId) -> None:
        """It is gone."""
        self.killed = True


def test_what_hangs_before_its_start_is_ended_at_its_deadline(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    town.runs = Hanging()
    driver = town.driver()
    driver.tick()
    (run,) = live_runs(town)
    town.clock.moment = run.deadline + timedelta(seconds=1)
    for _ in range(2):
        driver.tick()
    assert run.id not in {one.id for one in live_runs(town)}


def live_runs(town: Town) -> tuple[RunRow, ...]:
    with town.store.reading() as books:
        return books.runs.live()


LOOK = Step(
    name="look",
    title="Look",
    on="source",
    effect=Effect.NONE,
    playbook="look.yml",
    every_s=60,
    waits_for=("made_up",),
    waits_s=600,
)
"""Looked at once a minute, for ten minutes at most, while somebody is at work."""
COPY = Step(name="copy", title="Copy", on="source", effect=Effect.IDEMPOTENT, playbook="copy.yml", undo="copy-undo.yml")


def waited(folder: Path, *, looks: int) -> tuple[Town, list[str]]:
    """A driven town of two seats; the first is busy for so many looks. And what was played on it."""
    met = ["failed"] * looks

    def fault(asset: str, step: str, direction: Direction) -> str:
        return met.pop() if met and (asset, step, direction) == ("apc-001-id", "look", Direction.DO) else ""

    town = a_town(folder, "started", seats=2, runbook=a_runbook((LOOK, COPY)), fault=fault)
    assert isinstance(town.runs, SimulatedRuns)
    town.drive()
    return town, [f"{way} {step}" for asset, way, step, _attempt in town.runs.ledger if asset == "apc-001-id"]


def test_a_step_that_waits_looks_again_until_it_is_well_and_nothing_counts_as_failed(tmp_path: Path) -> None:
    town, played = waited(tmp_path, looks=4)
    assert town.states() == {"apc-001": "moved", "apc-002": "moved"}
    assert played == ["baseline ", *["do look"] * 5, "do copy"]
    assert town.wave()[1].moves[AssetId("apc-001-id")].fault is None


def test_past_its_time_the_asset_stays_untouched_with_the_cause_and_the_others_move(tmp_path: Path) -> None:
    town, played = waited(tmp_path, looks=1000)
    move = town.wave()[1].moves[AssetId("apc-001-id")]
    assert (move.state, move.cause, move.begun, move.out_since) == (MoveState.HELD, "made_up", (), None)
    assert town.states()["apc-002"] == "moved"
    assert "do copy" not in played and 9 <= played.count("do look") <= 11

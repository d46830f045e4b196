"""A ground of a trial that exists only in memory: one machine whose files steps write and undos take away again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from orchestrator.core.access import AccessProfile
from orchestrator.core.runbook import Direction, Effect, Runbook, Step
from orchestrator.core.trial import Ground, Trial
from orchestrator.core.wave import RunId, WaveMachine, WaveMove
from orchestrator.lab.ground import Worker
from orchestrator.lab.picture import Picture
from orchestrator.lab.trial import SeatTrial
from orchestrator.lab.trial_run import ASSET
from orchestrator.run_ports import RunOrder, SpoolLine
from tests.orchestrator.core.builders import KEY, a_runbook
from tests.simulated_runs import SimulatedRuns
from tests.towns import TestClock

FAILING = "fails.yml"
INSTALL = Step(
    name="install", title="Install", on="source", effect=Effect.IDEMPOTENT, playbook="order.yml", probe="ask.yml",
    undo="withdraw.yml", external=True, every_s=1,
)  # fmt: skip


@dataclass
class Memory:
    """``forgets``: undos of these steps take nothing away."""

    files: Picture = field(default_factory=dict)
    kind: Ground = Ground.HOSTS
    worker: Worker | None = None
    stays: Mapping[str, str] = field(default_factory=dict)
    is_clear: bool = False

    def lay(self) -> None:
        self.files["before"] = ("there",)

    def clear(self) -> None:
        self.is_clear = True

    def inside(self) -> AbstractContextManager[None]:
        return nullcontext()

    def move(self) -> WaveMove:
        machine = WaveMachine(role="source", name="old", address="10.0.0.1", host_key=KEY, access="lab")
        return WaveMove(asset=ASSET, name="old", department="", site="", users=1, machines=(machine,))

    def profiles(self) -> tuple[AccessProfile, ...]:
        return (AccessProfile(name="lab", user="root", key_file="/none"),)

    def pictures(self) -> dict[str, Picture]:
        return {"old": dict(self.files)}


@dataclass
class Runs(SimulatedRuns):
    """Steps leave a file of their name, undos take it away unless the step is one of ``forgets``."""

    ground: Memory = field(default_factory=Memory)
    forgets: frozenset[str] = frozenset()
    played: list[str] = field(default_factory=list)
    killed: list[RunId] = field(default_factory=list)

    def start(self, order: RunOrder) -> None:
        run = order.run
        self.played.append(f"{run.direction.value} {run.step}".strip())
        super().start(order)
        if run.direction is Direction.DO and order.content.runbook.step(run.step).undo:
            self.ground.files[run.step] = ("done",)
        if run.direction is Direction.UNDO and run.step not in self.forgets:
            self.ground.files.pop(run.step, None)
        if FAILING in order.playbooks:
            self.spools[run.id] = (_failed(), True)

    def kill(self, run: RunId) -> None:
        self.killed.append(run)


def _failed() -> list[SpoolLine]:
    bad: dict[str, object] = {"kahn": {"cause": "made_up"}}
    none: dict[str, object] = {}
    rows = (("task_start", none), ("ok", none), ("task_start", none), ("failed", bad))
    return [
        SpoolLine(seq=number, wall_us=number * 1000, kind=kind, host=str(ASSET), fields={"part": "step", **fields})
        for number, (kind, fields) in enumerate(rows, start=1)
    ]


@dataclass
class Power:
    """A machine that begins its work once it is on; ``lost`` once it was off in the midst."""

    runs: Runs
    on: bool = False
    begun: int = 0
    acts: list[str] = field(default_factory=list)

    def switch_on(self) -> None:
        if not self.on:
            self.acts.append("on")
            self.begun += 1
            self.runs.ground.files["disk"] = (self.begun,)
        self.on = True

    def switch_off(self) -> None:
        if self.on:
            self.acts.append("off")
        self.on = False

    def in_midst(self) -> bool:
        return self.on


def tried(
    runs: Runs, *, steps: tuple[Step, ...] | None = None, look: Callable[[], tuple[str, ...]] = lambda: ()
) -> Trial:
    """The trial of a small runbook, or of one with these steps."""
    runbook: Runbook = a_runbook() if steps is None else replace(a_runbook(), steps=steps)
    trial = SeatTrial(
        ground=runs.ground,
        runbook=runbook,
        runs=runs,
        clock=TestClock(),
        failing=FAILING,
        tell=lambda _text: None,
        look=look,
    )
    return trial.run()

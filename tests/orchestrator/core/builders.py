"""Builders for waves, and a little world in which the rules play a whole wave with outcomes of one's choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from inventory.model import AssetId, TenantId
from orchestrator.core.access import AccessProfile
from orchestrator.core.command import (
    BeginBatch,
    ChangeMove,
    ChangeWave,
    Command,
    RecordComparison,
    RecordGate,
    StartRun,
)
from orchestrator.core.decide import next_commands
from orchestrator.core.lifecycle import next_move_state, next_wave_state
from orchestrator.core.plan import MoveGroup, PlannedBatch, PlannedWindow, WaveKey
from orchestrator.core.progress import Fact, WaveProgress, progress_of
from orchestrator.core.runbook import Baseline, Direction, Effect, Role, RoleSource, Runbook, Step
from orchestrator.core.wave import Thresholds, WaveContent, WaveMachine, WaveMove

OPENS = datetime(2026, 12, 1, 21, 0, tzinfo=UTC)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDummyDummyDummyDummyDummyDummyDummyDummyDum"

STEPS = (
    Step(name="look", title="Look", on="source", effect=Effect.NONE, playbook="look.yml"),
    Step(name="copy", title="Copy", on="source", effect=Effect.IDEMPOTENT, playbook="copy.yml", undo="copy-undo.yml"),
    Step(
        name="switch",
        title="Switch",
        on="source",
        effect=Effect.ONCE,
        playbook="switch.yml",
        undo="switch-undo.yml",
        probe="switch-probe.yml",
    ),
)


def a_runbook(steps: tuple[Step, ...] = STEPS) -> Runbook:
    """A small runbook: one step that looks, one that repeats, one that happens once."""
    return Runbook(
        name="small",
        title="Small",
        ansible="modern",
        roles=(Role(name="source", machine=RoleSource.ASSET),),
        baseline=Baseline(on="source", take="take.yml", compare="compare.yml"),
        steps=steps,
        tree="0" * 64,
    )


def a_wave(
    *,
    batches: Mapping[str, int] | None = None,
    runbook: Runbook | None = None,
    groups: tuple[tuple[str, ...], ...] = (),
    **thresholds: Any,
) -> WaveContent:
    """A wave with assets a01, a02 ... spread over the batches; thresholds may be given by name."""
    sizes = batches or {"canary": 1, "b1": 3}
    names = iter(f"a{number:02}" for number in range(1, 1000))
    planned = tuple(
        PlannedBatch(name=name, assets=tuple(AssetId(next(names)) for _ in range(size))) for name, size in sizes.items()
    )
    assets = tuple(asset for batch in planned for asset in batch.assets)
    limits: dict[str, Any] = {
        "batch_budget": 0.5,
        "wave_budget": 0.5,
        "auto_rollback_max": 3,
        "max_tries": 2,
        "probe_tries": 3,
        "probe_gap_s": 10,
        "forks": 5,
    }
    return WaveContent(
        tenant=TenantId("stadt"),
        key=WaveKey("W01"),
        runbook=runbook or a_runbook(),
        ansible_core="2.19.14",
        window=PlannedWindow(opens=OPENS, closes=OPENS + timedelta(hours=6), zone="Europe/Berlin", local="night"),
        groups=tuple(MoveGroup(assets=tuple(AssetId(one) for one in group)) for group in groups),
        batches=planned,
        moves=tuple(
            WaveMove(
                asset=asset,
                name=f"apc-{asset}",
                department="Amt 1",
                site="Rathaus",
                users=1,
                machines=(
                    WaveMachine(role="source", name=f"apc-{asset}", address="10.0.0.1", host_key=KEY, access="lab"),
                ),
            )
            for asset in assets
        ),
        access=(AccessProfile(name="lab", user="root", key_file="/keys/lab"),),
        thresholds=Thresholds(**{**limits, **thresholds}),
        approvers_needed=1,
        contacts=(),
        shown="",
    )


Answer = tuple[str, Mapping[str, Any]]
"""An attempt's outcome and its evidence."""
Chooser = Callable[[AssetId, str, Direction, int], Answer]


def all_good(_asset: AssetId, _step: str, direction: Direction, _try: int) -> Answer:
    """Every attempt ends well; comparisons are equal; probes answer not_done."""
    if direction is Direction.BASELINE:
        return "done", {"kahn": {"baseline": "d1"}}
    if direction is Direction.COMPARE:
        return "done", {"kahn": {"baseline": "d1", "now": "d1"}}
    return "done", {"kahn": {"answer": "not_done"}} if direction is Direction.PROBE else {}


def failing_at(asset: str, step: str, outcome: str = "failed", direction: Direction = Direction.DO) -> Chooser:
    """As ``all_good``, but this asset ends so at this step, every time."""

    def choose(one: AssetId, at: str, toward: Direction, nth: int) -> Answer:
        if (one, at, toward) == (asset, step, direction):
            return outcome, {}
        return all_good(one, at, toward, nth)

    return choose


@dataclass
class Game:
    """Plays a wave by the rules: journal facts in, commands out, outcomes chosen by ``choose``; time moves."""

    content: WaveContent
    choose: Chooser = all_good
    now: datetime = OPENS
    facts: list[Fact] = field(default_factory=list)
    started: list[StartRun] = field(default_factory=list)
    runs: int = 0
    cause_of: Callable[[str], str] = "{}_cause".format

    def __post_init__(self) -> None:
        for event in ("propose", "approve", "claim", "start"):
            self.wave(event)

    @property
    def progress(self) -> WaveProgress:
        """The fold so far."""
        return progress_of(self.content, self.facts)

    @property
    def states(self) -> dict[str, str]:
        """State by asset."""
        return {str(asset): move.state.value for asset, move in self.progress.moves.items()}

    def note(self, kind: str, /, **body: Any) -> None:
        """One more journal entry."""
        self.facts.append(Fact(at=self.now, kind=kind, body=body))

    def wave(self, event: str, cause: str = "") -> None:
        """An event happens to the wave; illegal ones raise."""
        from orchestrator.core.lifecycle import WaveEvent

        state = self.progress.state
        to = next_wave_state(state, WaveEvent(event))
        self.note("wave.state", revision=1, **{"from": state}, to=to, event=event, cause=cause)

    def ask_rollback(self, *assets: str) -> None:
        """A person asks for a rollback of these assets, or of all."""
        self.note("act", kind="roll_back", by="p-1", fingerprint="f", assets=list(assets))
        self.wave("roll_back")

    def wish(self, kind: str, *assets: str) -> None:
        """A person holds, leaves out or retries these assets."""
        self.note("act", kind=kind, by="p-1", fingerprint="f", assets=list(assets))

    def carry_out(self, command: Command) -> None:
        """What the driver would do with one command."""
        if isinstance(command, ChangeWave):
            self.wave(command.event.value, command.cause)
        elif isinstance(command, BeginBatch):
            members = next(batch for batch in self.content.batches if batch.name == command.batch)
            self.note("batch.begun", batch=command.batch, assets=list(members.assets))
        elif isinstance(command, RecordGate):
            fields = {name: getattr(command.gate, name) for name in command.gate.__dataclass_fields__}
            fields.pop("overruled")
            self.note("batch.gated", **fields)
        elif isinstance(command, ChangeMove):
            self.move(command)
        elif isinstance(command, RecordComparison):
            self.note("move.compared", asset=command.asset, **command.body)
        else:
            assert isinstance(command, StartRun), "in this world machines are always well"
            self.run(command)

    def move(self, command: ChangeMove) -> None:
        """An event happens to a move; illegal ones raise."""
        state = self.progress.moves[command.asset].state
        to = next_move_state(state, command.event)
        body = {"from": state, "to": to, "event": command.event.value, "step": command.step, "cause": command.cause}
        self.note("move.state", asset=command.asset, **body)

    def intend(self, command: StartRun) -> str:
        """Write the intent of a run down and return its id."""
        self.runs += 1
        self.started.append(command)
        run = f"r{self.runs}"
        attempts = {asset: f"{run}-{asset}" for asset in command.assets}
        self.note(
            "run.intended", run=run, batch=command.batch, step=command.step, direction=command.direction.value,
            attempts=attempts, second_way=command.second_way,
        )  # fmt: skip
        if command.direction is Direction.PROBE:
            for asset in command.assets:
                from orchestrator.core.lifecycle import MoveEvent

                self.move(ChangeMove(asset=asset, event=MoveEvent.PROBE, step=command.step))
        return run

    def run(self, command: StartRun) -> None:
        """Intend a run and let every attempt of it end as chosen."""
        run = self.intend(command)
        self.now += timedelta(seconds=5)
        for asset in command.assets:
            tried = self.progress.moves[asset].tried(command.direction, command.step)
            outcome, evidence = self.choose(asset, command.step, command.direction, tried)
            self.note(
                "attempt.ended", run=run, asset=asset, step=command.step, direction=command.direction.value,
                outcome=outcome, cause="" if outcome == "done" else self.cause_of(outcome), evidence=evidence,
            )  # fmt: skip
        self.note("run.ended", run=run, how="exit", rc=0, last_seq=1)

    def play(self, *, rounds: int = 500) -> Game:
        """Let the rules answer until they rest; the clock moves over probe gaps. Fails when they never rest."""
        for _ in range(rounds):
            commands = next_commands(self.content, self.progress, self.now)
            if not commands:
                if "unknown" not in self.states.values():
                    return self
                self.now += timedelta(seconds=30)
            for command in commands:
                self.carry_out(command)
        raise AssertionError(f"the rules did not rest: {self.progress.state} {self.states}")


def at(game: Game, moment: datetime) -> Game:
    """The same game at another time."""
    return replace(game, now=moment)

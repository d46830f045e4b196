"""A night in the simulated world, told in sentences: who dies when, and what is true in the morning."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from inventory.errors import ExpectedError
from orchestrator.actions.control_wave import change_course
from orchestrator.actions.drive_wave import Driver
from orchestrator.actions.record import wave_at
from orchestrator.actions.sign import Intent
from orchestrator.adapters.simulated_hosts import LedgerEntry, SimulatedHost
from orchestrator.adapters.simulated_run import Mishap, SimulatedRun, Trouble
from orchestrator.adapters.simulated_runs import SimulatedRuns
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.refusals import StoreUnavailable
from orchestrator.core.wave import ActKind, RunId
from orchestrator.run_ports import RunRow
from tests.simulation.faults import Dice
from tests.simulation.play import STADT, Keyboard, Path, World
from tests.simulation.unreliable import Killed

SEED = 93
"""A wave of seven machines, one of them the canary; copy, send (must happen once), serve; 40 % of a batch may fail."""


class Script(Trouble):
    """What goes wrong on hosts, as the story says. Each mishap happens as often as it was said."""

    def __init__(self) -> None:
        self.mishaps: dict[tuple[str, str, str], list[Mishap]] = {}
        self.heard: Callable[[LedgerEntry], None] = lambda _entry: None
        self.world: SimulatedRuns | None = None
        self.fate = "dies"
        """What a program on a machine does when its ansible is killed: dies, half, late."""

    def at_task(self, run: SimulatedRun, task: str, host: SimulatedHost) -> Mishap:
        assert run.order is not None
        waiting = self.mishaps.get((host.name, run.order.run.step, task))
        return waiting.pop() if waiting else Mishap()

    def when_killed(self, run: SimulatedRun, host: SimulatedHost, until_us: int) -> str:
        return self.fate

    def on_entry(self, entry: LedgerEntry) -> None:
        self.heard(entry)


class Night:
    """One wave of a town, its driver, its hosts. The judge of the simulation looks on all the time."""

    def __init__(self) -> None:
        self.world = World(SEED, Dice(SEED, off=True))
        self.script = Script()
        self.script.heard, self.script.world = self.world._happened, self.world.runs
        self.world.runs.trouble = self.script
        self.world.steady = lambda: self.world.clock.mono_us / 1e6
        self.world.runs.seconds_for = lambda _run, _task, _host: 6.0
        self.once = next(step.name for step in self._wave().content.runbook.steps if step.effect.value == "once")

    # ------------------------------------------------------------------ what happens

    def goes_on(self, *, until: Callable[[], object] | None = None, turns: int = 3000) -> None:
        """The driver works, second by second, until something is so, or until the wave rests."""
        for _ in range(turns):
            if until is not None and until():
                return
            if not self.world.turn():
                if until is None and self.world._rests():
                    return
                self.world.wait(1)
        raise AssertionError("it never came to that")

    def goes_on_until_the_once_step_works(self) -> RunRow:
        """Until the step that must happen once has begun on the first machine. Its run."""
        self.goes_on(until=lambda: self._begun())
        return next(run for run in self.live_runs() if run.step == self.once)

    def time_passes(self, seconds: float) -> None:
        """Nobody drives meanwhile; hosts and runs go on."""
        for _ in range(int(seconds)):
            self.world.wait(1)

    def driver_dies(self) -> None:
        """kill -9."""
        self.world.driver = None

    def driver_dies_at_the_commit(self, *, of: str, after: bool) -> None:
        """The driver's process is killed right before or after the commit that writes this kind of entry."""

        def watch(side: str, kinds: tuple[str, ...]) -> None:
            if side == ("after" if after else "before") and of in kinds:
                self.world.bad_store.watch = lambda _side, _kinds: None
                raise Killed

        self.world.bad_store.watch = watch
        self.goes_on(until=lambda: self.told("driver is dead"))

    def database_is_away(self, seconds: int) -> None:
        """Every transaction fails; the driver's service asks again each second."""
        store = self.world.bad_store

        def away() -> Any:
            raise StoreUnavailable(url="memory", why="the server is not there")

        store.transaction = store.reading = away  # type: ignore[method-assign, assignment]
        for _ in range(seconds):
            self.world.turn()
            self.world.wait(1)
        del store.transaction, store.reading

    def second_driver_sits_down(self) -> Driver:
        """Another process takes the seat, for instance after a lost database connection. The old one, still there."""
        old = self.world.driver
        assert old is not None
        self.world.driver = self.world.sit_down()
        return old

    def clock_jumps(self, *, hours: int) -> None:
        """Somebody, or a time server, sets the clock of Kahn's machine."""
        self.world.clock.jump = timedelta(hours=hours)

    def person_resumes(self) -> None:
        """The engineer lets the held wave go on, signed, with a reason; after a breaker a second person signs too."""
        go_on = Intent(kind=ActKind.RESUME, reason="seen")
        for name in ("anna", "bert"):
            keyboard = Keyboard(person=name, key_file=Path(f"/nowhere/{name}"))
            with self.world.outside().desk() as desk:
                wave = desk.books.waves.get(STADT, "W01")
                if wave.state is WaveState.HELD:
                    change_course(desk, wave, keyboard=keyboard, intent=go_on)

    def goes_wrong(self, asset: str, step: str, task: str, what: str) -> None:
        """Once more, on this machine, at this task."""
        self.script.mishaps.setdefault((f"{asset}-id", step, task), []).append(Mishap(what=what))

    # ------------------------------------------------------------------ what is so

    def live_runs(self) -> tuple[RunRow, ...]:
        """Runs that have not ended in the books."""
        with self.world.store.reading() as books:
            return books.runs.live()

    def state(self) -> str:
        """State of the wave and its cause."""
        wave = self._wave()
        return f"{wave.state.value} {wave.cause}".strip()

    def states(self) -> dict[str, str]:
        """State of each machine and its cause."""
        with self.world.store.reading() as books:
            moves = books.waves.moves(STADT, "W01")
        return {move.name: f"{move.state.value} {move.cause}".strip() for move in moves}

    def times_done(self, asset: str = "apc-001") -> int:
        """How often the step that must happen once was done on the machine, by its own ledger."""
        mine = (one for one in self.world.runs.ledger if one.host == f"{asset}-id" and one.step == self.once)
        return sum(one.kind == "effect" for one in mine)

    def attempts(self, direction: str = "do", asset: str = "apc-001") -> int:
        """How often the step was intended for the machine, by the journal."""
        return sum(
            entry["step"] == self.once and entry["direction"] == direction and f"{asset}-id" in entry["attempts"]
            for entry in self.entries("run.intended")
        )

    def entries(self, kind: str) -> list[Any]:
        """Bodies of the journal's entries of a kind."""
        return [one.entry.body for one in self.world.store.rows.journal[STADT] if one.entry.kind == kind]

    def outcomes(self, run: RunId) -> set[tuple[str, str]]:
        """How the attempts of a run ended, and why."""
        mine = (entry for entry in self.entries("attempt.ended") if entry["run"] == run)
        return {(entry["outcome"], entry["cause"]) for entry in mine}

    def told(self, words: str) -> bool:
        """Whether the trace says so."""
        return any(words in line for line in self.world.trace)

    def well_in_the_morning(self) -> None:
        """Every machine is moved, nothing was done twice, books and ledger agree."""
        self.goes_on()
        assert self.state() == "closed", (self.state(), self.states())
        assert set(self.states().values()) == {"moved"}
        assert {self.times_done(name) for name in self.states()} == {1}
        self.world.oracle.at_rest(self.world.seats)

    def tick_of(self, driver: Driver) -> str:
        """What a driver that was unseated hears when it wants to go on."""
        try:
            driver.tick(appointments=True)
        except ExpectedError as error:
            return error.code
        return ""

    def _wave(self) -> Any:
        with self.world.store.reading() as books:
            return wave_at(books, STADT, "W01")[0]

    def _begun(self) -> bool:
        return any(
            one.kind == "begin" and one.step == self.once and one.answer == "do" for one in self.world.runs.ledger
        )

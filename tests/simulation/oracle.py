"""The judge of a simulated wave: compares what the books say with what the hosts' ledger says, at every moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory.model import AssetId
from orchestrator.actions.record import subject_of
from orchestrator.adapters.simulated_hosts import LedgerEntry
from orchestrator.adapters.simulated_runs import SimulatedRuns
from orchestrator.core.decide import ONLY_LOOKS
from orchestrator.core.lifecycle import MOVE_TABLE, WAVE_TABLE, MoveEvent, MoveState, WaveEvent, WaveState
from orchestrator.core.progress import Fact, progress_of
from orchestrator.core.runbook import Direction, Effect
from orchestrator.ports import MoveRow, WaveRow
from tests.simulation.memory_store import Rows

GOING = (WaveState.RUNNING, WaveState.SOAKING)
FINAL_LINES = {"done": "done", "failed": "failed"}


class Violated(AssertionError):
    """A property of docs/reliability.md does not hold."""


@dataclass
class Oracle:
    """Watches commits and hosts. Raises Violated, naming the property."""

    runs: SimulatedRuns
    rows: Rows
    seen: int = 0
    begun: dict[tuple[str, str], str] = field(default_factory=dict)
    """(host, once step) -> attempt that began it, until a probe said not_done or an undo was done."""
    attempts: set[str] = field(default_factory=set)
    known: dict[tuple[str, AssetId], str] = field(default_factory=dict)

    # ------------------------------------------------------------------ on the hosts

    def on_entry(self, entry: LedgerEntry) -> None:
        """Something happened on a host: it was intended before, once, and by nobody whose time is over."""
        run = self.rows.runs.get(entry.run)
        check(run is not None, f"property 2: {entry.kind} on {entry.host} before its intent was committed")
        assert run is not None
        check(
            entry.attempt in {one.id for one in run.attempts}, f"property 2: {entry.attempt} is no attempt of its run"
        )
        step = self._effect(run.wave, entry.step)
        if entry.kind == "begin" and entry.answer == "do" and step is Effect.ONCE:
            self._begins_once(entry)
        if entry.kind == "undo" or (entry.kind == "probe" and entry.answer == "not_done"):
            self.begun.pop((entry.host, entry.step), None)
        if entry.kind in ("effect", "half", "undo") and entry.before != entry.after:
            self._changes(entry)

    def _begins_once(self, entry: LedgerEntry) -> None:
        earlier = self.begun.get((entry.host, entry.step))
        check(earlier is None, f"property 4: {entry.step} begins again on {entry.host} after {earlier}")
        highest = self.runs.host(entry.host).epoch
        check(entry.epoch >= highest, f"property 2: epoch {entry.epoch} acts on {entry.host} below {highest}")
        self.begun[entry.host, entry.step] = entry.attempt

    def _changes(self, entry: LedgerEntry) -> None:
        attempt = self.rows.attempts.get((entry.run, AssetId(entry.host)))
        outcome = attempt.outcome if attempt else ""
        told = f"property 5: {entry.kind} of {entry.attempt} on {entry.host} after it was called {outcome}"
        check(outcome in ("", "unknown"), told)
        state = self._move(entry.host).state
        resting = (MoveState.PLANNED, MoveState.MOVED, MoveState.ROLLED_BACK)
        check(state not in resting, f"property 5: {entry.kind} on {entry.host}, which is called {state}")

    def _effect(self, wave: str, step: str) -> Effect | None:
        runbook = self._wave(wave).content.runbook
        return next((one.effect for one in runbook.steps if one.name == step), None)

    def _wave(self, key: str = "W01") -> WaveRow:
        return next(wave for (_tenant, of), wave in self.rows.waves.items() if of == key)

    def _move(self, host: str) -> MoveRow:
        wave = self._wave()
        return self.rows.moves[wave.tenant, wave.key, wave.revision, AssetId(host)]

    # ------------------------------------------------------------------ in the books

    def on_commit(self, rows: Rows) -> None:
        """A transaction is done: one attempt an asset, and nothing written that the hosts do not confirm."""
        self.rows = rows
        live = Counter(asset for (_run, asset), one in rows.attempts.items() if one.live)
        machines = Counter(name for one in rows.attempts.values() if one.live for name in one.spec.machines)
        double = [name for counted in (live, machines) for name, count in counted.items() if count > 1]
        check(not double, f"property 1: more than one live attempt: {double}")
        for place, attempt in rows.attempts.items():
            if attempt.ended is not None and place not in self.known:
                self.known[place] = attempt.outcome
                self._ended(place[1], attempt.spec.id, attempt.run.id, attempt.outcome)
        wave = self._wave()
        if wave.state in (WaveState.HELD, WaveState.MISSED, WaveState.NEEDS_PERSON):
            kinds = {one.kind.value for one in rows.notices.values() if one.wave == wave.key}
            check(wave.state.value in kinds, f"property 3: the wave is {wave.state} and nobody is called")
        for tenant, chain in rows.journal.items():
            for entry in chain[self.seen :]:
                if entry.entry.kind == "move.state":
                    self._moved(AssetId(entry.entry.body["asset"]), entry.entry.body)
                if entry.entry.kind == "run.intended":
                    self._begun(entry.entry.body, stopped=bool(rows.stops))
                if entry.entry.kind == "attempt.ended":
                    self._told(entry.entry.body)
            self.seen = len(chain)
            assert tenant

    def _begun(self, body: Mapping[str, object], *, stopped: bool) -> None:
        """Whoever stopped or paused is obeyed from that very transaction on."""
        state = self._wave().state
        what = f"{body['direction']} {body['step']}"
        check(
            not stopped or body["direction"] in ONLY_LOOKS,
            f"property 8: {what} is begun although all dispatch is stopped",
        )
        forward = body["direction"] in (Direction.BASELINE, Direction.DO)
        check(not forward or state in GOING, f"property 8: {what} is begun in a wave that is {state}")

    def _ended(self, asset: AssetId, attempt: str, run: str, outcome: str) -> None:
        """The attempt's lock is freed or kept by what is known."""
        working = attempt in self.runs.host(str(asset)).at_work
        check(outcome == "unknown" or not working, f"property 5: {attempt} is called {outcome} and works on {asset}")

    def _told(self, body: Mapping[str, object]) -> None:
        """Done and failed come from the host, not started means that nothing began there."""
        host, outcome = str(body["asset"]), str(body["outcome"])
        mine = [one for one in self.runs.ledger if one.run == body["run"] and one.host == host]
        lines = [line.kind for line in self.runs.runs[body["run"]].lines if line.host == host]  # type: ignore[index]
        if outcome in FINAL_LINES:
            check(FINAL_LINES[outcome] in lines, f"property 5: {host} is called {outcome} without its word")
        if outcome == "not_started":
            begun = [one for one in mine if one.kind == "begin"]
            check(not begun, f"property 5: {host} is called not_started and has begun {body['step']}")
        if (
            outcome == "done"
            and body["direction"] == "do"
            and self._effect("W01", str(body["step"])) is not Effect.NONE
        ):
            check(any(one.kind == "effect" for one in mine), f"property 5: {host} done without effect")

    def _moved(self, asset: AssetId, body: Mapping[str, str]) -> None:
        legal = MOVE_TABLE[MoveState(body["from"])].get(MoveEvent(body["event"]))
        check(legal == MoveState(body["to"]), f"conformance: {body['from']} -{body['event']}-> {body['to']}")
        host = self.runs.host(str(asset))
        if body["to"] == MoveState.ROLLED_BACK:
            clean = not host.whole and not host.half and host.quiet(self.runs.at_us)
            check(clean, f"property 7: {asset} is called rolled back and is {host.whole} {host.half} {host.at_work}")
        if body["to"] == MoveState.MOVED:
            steps = self._wave().content.runbook.steps
            wanted = {step.name for step in steps if step.effect is not Effect.NONE}
            check(set(host.whole) == wanted, f"property 5: {asset} is called moved and has {sorted(host.whole)}")
            check(not host.half and host.quiet(self.runs.at_us), f"property 5: {asset} is called moved and is at work")

    # ------------------------------------------------------------------ at the end

    def at_rest(self, assets: int) -> None:
        """Every asset in one state, none in motion, the tables equal to the journal, the journal legal and whole."""
        wave = self._wave()
        rows = {move.asset: move for move in self.rows.moves.values() if move.wave == wave.key}
        check(len(rows) == assets, "property 3: the number of assets changed")
        entries = [one for one in self.rows.journal[wave.tenant] if one.entry.subject == subject_of(wave)]
        facts = [Fact(at=one.at, kind=one.entry.kind, body=one.entry.body) for one in entries]
        progress = progress_of(wave.content, facts)
        told = {asset: (move.state, move.cause) for asset, move in progress.moves.items()}
        check(told == {asset: (row.state, row.cause) for asset, row in rows.items()}, "the tables left the journal")
        check(progress.state is wave.state, "the wave's table left the journal")
        check(not progress.live, f"property 6: runs still live: {progress.live}")
        moving = (MoveState.RUNNING, MoveState.PROBING, MoveState.ROLLING_BACK, MoveState.FAILED, MoveState.UNKNOWN)
        check(not [one for one in rows.values() if one.state in moving], "property 6: moves still in motion")
        for fact in facts:
            if fact.kind == "wave.state":
                legal = WAVE_TABLE[WaveState(fact.body["from"])].get(WaveEvent(fact.body["event"]))
                check(legal == WaveState(fact.body["to"]), f"conformance: the wave {fact.body}")
        check(not any(run.alive for run in self.runs.runs.values()), "property 6: a run still lives")


def check(holds: bool, otherwise: str) -> None:
    """Raise Violated unless it holds."""
    if not holds:
        raise Violated(otherwise)

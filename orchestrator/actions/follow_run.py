"""Following a run: its spool goes into the store line by line; at its end each attempt gets an outcome.

A run's own files are the truth about effects until they are ingested; nothing here guesses.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from inventory.model import AssetId
from orchestrator.actions.desk import Desk, Outside
from orchestrator.actions.record import write_down
from orchestrator.core.canonical import tamed
from orchestrator.core.outcome import Outcome, outcomes
from orchestrator.core.results import STARTED, WAITS
from orchestrator.core.runbook import Direction
from orchestrator.ports import WaveRow
from orchestrator.run_ports import RunRow, SpoolRead

NO_SKEW = timedelta()
START_GRACE = timedelta(seconds=30)
"""How long a supervisor may take until its START is on disk."""


def follow_run(
    outside: Outside, run: RunRow, *, fresh_driver: bool = False, kill: bool = False, skew: timedelta = NO_SKEW
) -> bool:
    """Ingest what is new; end the run when no process of it lives. True when something was learned.

    ``fresh_driver``: a run that was intended by an earlier driver and never started is closed at once.
    ``skew``: by how much the wall clock jumped since the run began; a jump ends nobody's time.
    ``kill``: every process of it is told to end; it has ended only once none lives.
    """
    runs, now = outside.runs, outside.clock.now() - skew
    read = runs.read(run.id, offset=run.ingested_offset)
    if read.alive and (kill or now > run.deadline):
        runs.kill(run.id)
    if not read.started:
        waited = fresh_driver or now > run.deadline or _age(run, now) > START_GRACE
        return waited and not read.alive and _end(outside, run)
    if not read.alive:
        return _end(outside, run)
    return _keep(outside, run, read)


def _age(run: RunRow, now: datetime) -> timedelta:
    return now - run.intended_at


def _keep(outside: Outside, run: RunRow, read: SpoolRead) -> bool:
    if not read.lines and run.state == "running":
        return False
    with outside.desk() as desk:
        desk.books.runs.ingest(run.id, read.lines, offset=read.offset)
        if run.state == "intended":
            desk.books.runs.set_run_state(run.id, to="running", at=desk.now)
    return True


def _end(outside: Outside, run: RunRow) -> bool:
    """Forbid a late start, read the last lines, and write every attempt's outcome in one transaction."""
    if not outside.runs.close(run.id):
        return False
    read = outside.runs.read(run.id, offset=run.ingested_offset)
    with outside.desk() as desk:
        books = desk.books
        books.runs.ingest(run.id, read.lines, offset=read.offset)
        found = outcomes(
            books.runs.events(run.id),
            hosts=tuple(str(attempt.asset) for attempt in run.attempts),
            started=read.started,
            exited=read.exited,
            last_seq=read.last_seq,
            damaged=read.damaged,
        )
        _write_end(desk, run, read, {AssetId(host): one for host, one in found.items()})
    return True


def _write_end(desk: Desk, run: RunRow, read: SpoolRead, found: Mapping[AssetId, Outcome]) -> None:
    books, now = desk.books, desk.now
    wave = books.waves.get(run.tenant, run.wave)
    for attempt in run.attempts:
        outcome = found[attempt.asset]
        kind = STARTED if _only_started(wave, run, outcome) else WAITS if _waits(wave, run, outcome) else outcome.kind
        lock = "unknown" if kind == STARTED or _still_unknown(run, outcome) else outcome.kind
        cause = tamed(outcome.cause)
        books.runs.end_attempt(run.id, attempt.asset, outcome=lock, cause=cause, at=now)
        body = {
            "run": run.id,
            "asset": attempt.asset,
            "step": run.step,
            "direction": run.direction,
            "outcome": kind,
            "cause": cause,
            "evidence": tamed(outcome.evidence),
        }
        write_down(desk, wave, "attempt.ended", body)
    how = "exit" if read.exited else "lost" if read.started else "never_started"
    body = {"run": run.id, "how": how, "rc": read.exit_code, "last_seq": read.last_seq, "damaged": read.damaged}
    write_down(desk, wave, "run.ended", body)
    books.runs.set_run_state(run.id, to="ended", at=now)


def _only_started(wave: WaveRow, run: RunRow, outcome: Outcome) -> bool:
    """Whether another tool has the step in hand now: it is done once a probe says so, and the asset stays locked."""
    starts = run.direction is Direction.DO and wave.content.runbook.step(run.step).external
    return starts and outcome.kind == "done"


def _waits(wave: WaveRow, run: RunRow, outcome: Outcome) -> bool:
    """Whether the step only met what its runbook says to wait for."""
    looks = run.direction is Direction.DO and outcome.kind == "failed"
    return looks and outcome.cause in wave.content.runbook.step(run.step).waits_for


def _still_unknown(run: RunRow, outcome: Outcome) -> bool:
    """A probe without an answer leaves the asset locked: what was unknown before it still is."""
    answer = outcome.evidence.get("kahn", {}).get("answer") if outcome.kind == "done" else None
    return run.direction is Direction.PROBE and answer not in ("done", "not_done", "partial")

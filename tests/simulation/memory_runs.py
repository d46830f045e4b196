"""Runs, attempts and run events in memory, with the same locks on assets and machines."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from inventory.model import AssetId, TenantId
from inventory.tables import unique_key
from orchestrator.core.estimates import RunTime
from orchestrator.core.refusals import AssetBusy, Overtaken, StaleDriver, UnknownRun, UnknownWave
from orchestrator.core.wave import RunId
from orchestrator.run_ports import AttemptSpec, RunRow, SpoolLine

if TYPE_CHECKING:
    from tests.simulation.memory_store import Rows

UNKNOWN = "unknown"
_BEFORE = {"running": ("intended",), "ended": ("intended", "running")}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryAttempt:
    """An attempt as stored."""

    run: RunRow
    spec: AttemptSpec
    live: bool = True
    outcome: str = ""
    ended: datetime | None = None


class MemoryRuns:
    """Runs of all tenants."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def unknown(self, runs: Collection[RunId]) -> frozenset[RunId]:
        """No other store meets these hosts."""
        return frozenset(run for run in runs if run not in self._rows.runs)

    def intend(self, run: RunRow, *, at: datetime) -> None:
        """Write the intent and take the locks. Raises AssetBusy, StaleDriver, UnknownWave, Overtaken."""
        present = self._rows.counters.get("epoch", 0)
        if run.epoch < present:
            raise StaleDriver(epoch=run.epoch, current=present)
        wave = self._rows.waves.get((run.tenant, run.wave))
        if wave is None:
            raise UnknownWave(wave=run.wave, tenant=run.tenant)
        if run.id in self._rows.runs or wave.revision != run.revision:
            raise Overtaken(subject=f"run {run.id}")
        self._rows.runs[run.id] = replace(run, attempts=tuple(replace(one, settled=()) for one in run.attempts))
        for attempt in run.attempts:
            self._lock(run, attempt)

    def _lock(self, run: RunRow, attempt: AttemptSpec) -> None:
        mine = {unique_key(machine) for machine in attempt.machines}
        for other in self._held(run.tenant):
            if other.spec.asset == attempt.asset:
                raise AssetBusy(subject=f"asset {attempt.asset}", run=other.run.id)
            for machine in other.spec.machines:
                if unique_key(machine) in mine:
                    raise AssetBusy(subject=f"machine {machine}", run=other.run.id)
        self._rows.attempts[run.id, attempt.asset] = MemoryAttempt(run=run, spec=attempt)

    def _held(self, tenant: TenantId) -> list[MemoryAttempt]:
        return [one for one in self._rows.attempts.values() if one.live and one.run.tenant == tenant]

    def holder(self, tenant: TenantId, attempt: AttemptSpec, *, wave: str) -> str:
        """Which other wave holds the asset or one of the machines."""
        machines = {unique_key(machine) for machine in attempt.machines}
        for other in self._held(tenant):
            shared = machines.intersection(map(unique_key, other.spec.machines))
            if other.run.wave != wave and (other.spec.asset == attempt.asset or shared):
                return other.run.wave
        return ""

    def earlier_attempts(self, tenant: TenantId, asset: AssetId) -> tuple[str, ...]:
        """Ids of the asset's ended attempts in any wave, oldest first."""
        found = (one for (_run, of), one in self._rows.attempts.items() if of == asset and one.run.tenant == tenant)
        return tuple(one.spec.id for one in found if one.ended is not None)

    def set_run_state(self, run: RunId, *, to: str, at: datetime) -> None:
        """intended -> running -> ended. Raises Overtaken."""
        row = self._rows.runs.get(run)
        if row is None or row.state not in _BEFORE[to]:
            raise Overtaken(subject=f"run {run}")
        self._rows.runs[run] = replace(row, state=to)

    def live(self) -> tuple[RunRow, ...]:
        """Runs that have not ended, oldest first."""
        return tuple(sorted((one for one in self._rows.runs.values() if one.state != "ended"), key=_age))

    def of_wave(self, tenant: TenantId, key: str) -> tuple[RunRow, ...]:
        """All runs of the wave's present revision, oldest first."""
        wave = self._rows.waves.get((tenant, key))
        mine = (tenant, key, wave.revision if wave else 0)
        found = (one for one in self._rows.runs.values() if (one.tenant, one.wave, one.revision) == mine)
        return tuple(sorted(found, key=_age))

    def ingest(self, run: RunId, lines: Sequence[SpoolLine], *, offset: int) -> int:
        """Store the lines and move the mark, never back."""
        row = self._rows.runs.get(run)
        if row is None:
            raise UnknownRun(subject=f"run {run}")
        known = self._rows.events.get(run, {})
        new = {one.seq: one for one in reversed(lines) if one.seq not in known}
        for seq, one in new.items():
            new[seq] = replace(one, fields=json.loads(json.dumps(dict(one.fields))))
        self._rows.events[run] = {**known, **new}
        top = max((row.ingested_seq, *(one.seq for one in lines)))
        self._rows.runs[run] = replace(row, ingested_seq=top, ingested_offset=max(row.ingested_offset, offset))
        return len(new)

    def events(self, run: RunId) -> tuple[SpoolLine, ...]:
        """All stored lines of the run by seq."""
        return tuple(one for _seq, one in sorted(self._rows.events.get(run, {}).items()))

    def end_attempt(self, run: RunId, asset: AssetId, *, outcome: str, cause: str, at: datetime) -> None:
        """Close the attempt; an unknown one keeps its locks. Raises UnknownRun, Overtaken."""
        row = self._rows.attempts.get((run, asset))
        if row is None:
            raise UnknownRun(subject=f"attempt of {asset} in run {run}")
        if row.ended is not None:
            raise Overtaken(subject=f"the attempt of {asset} in run {run}")
        self._rows.attempts[run, asset] = replace(row, outcome=outcome, ended=at, live=outcome == UNKNOWN)

    def times(self, tenant: TenantId, *, waves: Collection[str]) -> tuple[RunTime, ...]:
        """Nothing is known of earlier nights here: estimates come from the runbook."""
        return ()

    def release(self, tenant: TenantId, asset: AssetId, *, wave: str) -> None:
        """Free an asset locked by an unknown outcome of this wave."""
        for (run, of), row in list(self._rows.attempts.items()):
            mine = of == asset and row.run.tenant == tenant and row.run.wave == wave
            if mine and row.live and row.outcome == UNKNOWN:
                self._rows.attempts[run, of] = replace(row, live=False)

    def outcomes(self, run: RunId) -> dict[AssetId, str]:
        """How each attempt of the run ended."""
        return {asset: row.outcome for (of, asset), row in self._rows.attempts.items() if of == run}


def _age(run: RunRow) -> tuple[datetime, str, str]:
    return run.intended_at, run.tenant, run.wave

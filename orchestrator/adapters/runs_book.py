"""Runs, attempts and run events in the database; and the locks that attempts hold on assets and machines.

An attempt locks its asset and its machines until it ends with a known outcome. One that ends as unknown keeps them
locked until it is released.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from inventory.model import AssetId, TenantId
from inventory.tables import table_of, unique_key
from orchestrator.adapters.rows import unless_taken
from orchestrator.adapters.tables import (
    AttemptMachineRow,
    AttemptRow,
    DriverEpochRow,
    RunEventRow,
    RunTableRow,
    WaveTableRow,
)
from orchestrator.core.estimates import RunTime
from orchestrator.core.refusals import AssetBusy, Overtaken, StaleDriver, UnknownRun, UnknownWave
from orchestrator.core.runbook import Direction
from orchestrator.core.wave import RunId
from orchestrator.run_ports import AttemptSpec, RunRow, SpoolLine

_RUN, _ATTEMPT, _MACHINE = table_of(RunTableRow), table_of(AttemptRow), table_of(AttemptMachineRow)
_EVENT, _WAVE, _EPOCH = table_of(RunEventRow), table_of(WaveTableRow), table_of(DriverEpochRow)
UNKNOWN = "unknown"
_NEWEST = 500
"""So many earlier runs are looked at for their times."""
_BEFORE = {"running": ("intended",), "ended": ("intended", "running")}

_AT_ONCE = 500


class RunsBook:
    """Runs of all tenants. Works inside the caller's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def intend(self, run: RunRow, *, at: datetime) -> None:
        """Write the intent and take the locks. Raises AssetBusy, StaleDriver, UnknownWave, Overtaken."""
        self._check_epoch(run.epoch)
        seq = self._next_seq(run)
        with unless_taken(self._connection, Overtaken(subject=f"run {run.id}")):
            self._connection.execute(
                insert(_RUN).values(
                    id=run.id, tenant=run.tenant, wave=run.wave, seq=seq, revision=run.revision, batch=run.batch,
                    step=run.step, direction=run.direction.value, epoch=run.epoch, deadline_us=run.deadline,
                    state="intended", ingested_seq=0, ingested_offset=0, at_us=run.intended_at,
                )
            )  # fmt: skip
        for place, attempt in enumerate(run.attempts):
            self._lock(run, attempt, place=place)

    def holder(self, tenant: TenantId, attempt: AttemptSpec, *, wave: str) -> str:
        """Which other wave holds the asset or one of the machines; empty when they are free for this wave."""
        keys = [unique_key(machine) for machine in attempt.machines]
        for table, mine in (
            (_ATTEMPT, _ATTEMPT.c.asset == attempt.asset),
            (_MACHINE, _MACHINE.c.machine_key.in_(keys)),
        ):
            other = self._connection.scalars(
                select(_RUN.c.wave)
                .join(table, table.c.run == _RUN.c.id)
                .where(table.c.tenant == tenant, table.c.live, mine, _RUN.c.wave != wave)
            ).first()
            if other is not None:
                return str(other)
        return ""

    def earlier_attempts(self, tenant: TenantId, asset: AssetId) -> tuple[str, ...]:
        """Ids of the asset's ended attempts in any wave, oldest first."""
        found = self._connection.scalars(
            select(_ATTEMPT.c.id)
            .join(_RUN, _RUN.c.id == _ATTEMPT.c.run)
            .where(_ATTEMPT.c.tenant == tenant, _ATTEMPT.c.asset == asset, _ATTEMPT.c.ended_us.is_not(None))
            .order_by(_RUN.c.at_us)
        )
        return tuple(found)

    def unknown(self, runs: Collection[RunId]) -> frozenset[RunId]:
        """Those of the runs that the store never intended."""
        known: set[str] = set()
        names = sorted(runs)
        for first in range(0, len(names), _AT_ONCE):
            some = names[first : first + _AT_ONCE]
            known.update(self._connection.scalars(select(_RUN.c.id).where(_RUN.c.id.in_(some))))
        return frozenset(run for run in runs if run not in known)

    def set_run_state(self, run: RunId, *, to: str, at: datetime) -> None:
        """intended -> running -> ended. Raises Overtaken."""
        stamp = {"started_us": at} if to == "running" else {"ended_us": at}
        changed = self._connection.execute(
            update(_RUN).where(_RUN.c.id == run, _RUN.c.state.in_(_BEFORE[to])).values(state=to, **stamp)
        )
        if changed.rowcount != 1:
            raise Overtaken(subject=f"run {run}")

    def live(self) -> tuple[RunRow, ...]:
        """Runs that have not ended, of all tenants, oldest first."""
        return self._runs(_RUN.c.state != "ended")

    def of_wave(self, tenant: TenantId, key: str) -> tuple[RunRow, ...]:
        """All runs of the wave's present revision, oldest first."""
        present = select(_WAVE.c.revision).where(_WAVE.c.tenant == tenant, _WAVE.c.key == key).scalar_subquery()
        return self._runs((_RUN.c.tenant == tenant) & (_RUN.c.wave == key) & (_RUN.c.revision == present))

    def ingest(self, run: RunId, lines: Sequence[SpoolLine], *, offset: int) -> int:
        """Store the lines and move the mark, never back; returns how many lines were new. Raises UnknownRun."""
        mark = self._connection.execute(
            select(_RUN.c.ingested_seq, _RUN.c.ingested_offset).where(_RUN.c.id == run).with_for_update()
        ).one_or_none()
        if mark is None:
            raise UnknownRun(subject=f"run {run}")
        by_seq = {line.seq: line for line in reversed(lines)}
        known = self._known(run, by_seq)
        new = [
            {"run": run, "seq": seq, "wall_us": line.wall_us, "kind": line.kind, "host": line.host,
             "record": json.dumps(dict(line.fields))}
            for seq, line in sorted(by_seq.items())
            if seq not in known
        ]  # fmt: skip
        if new:
            self._connection.execute(insert(_EVENT), new)
        self._connection.execute(
            update(_RUN)
            .where(_RUN.c.id == run)
            .values(ingested_seq=max(mark.ingested_seq, *by_seq, 0), ingested_offset=max(mark.ingested_offset, offset))
        )
        return len(new)

    def events(self, run: RunId) -> tuple[SpoolLine, ...]:
        """All stored lines of the run by seq."""
        rows = self._connection.execute(select(_EVENT).where(_EVENT.c.run == run).order_by(_EVENT.c.seq))
        return tuple(
            SpoolLine(seq=r.seq, wall_us=r.wall_us, kind=r.kind, host=r.host, fields=json.loads(r.record)) for r in rows
        )

    def end_attempt(self, run: RunId, asset: AssetId, *, outcome: str, cause: str, at: datetime) -> None:
        """Close the attempt. One that ends as ``unknown`` keeps its locks. Raises UnknownRun, Overtaken."""
        mine = (_ATTEMPT.c.run == run) & (_ATTEMPT.c.asset == asset)
        ended = self._connection.execute(
            update(_ATTEMPT)
            .where(mine, _ATTEMPT.c.ended_us.is_(None))
            .values(outcome=outcome, cause=cause, ended_us=at)
        )
        if ended.rowcount != 1:
            known = self._connection.execute(select(_ATTEMPT.c.run).where(mine)).one_or_none()
            raise (
                Overtaken(subject=f"the attempt of {asset} in run {run}")
                if known
                else UnknownRun(subject=f"attempt of {asset} in run {run}")
            )
        if outcome != UNKNOWN:
            self._free(run, asset)

    def release(self, tenant: TenantId, asset: AssetId, *, wave: str) -> None:
        """Free an asset locked by an unknown outcome of this wave. A living attempt is never freed."""
        stuck = self._connection.scalars(
            select(_ATTEMPT.c.run)
            .join(_RUN, _RUN.c.id == _ATTEMPT.c.run)
            .where(_ATTEMPT.c.tenant == tenant, _ATTEMPT.c.asset == asset, _RUN.c.wave == wave)
            .where(_ATTEMPT.c.outcome == UNKNOWN, _ATTEMPT.c.live)
        ).all()
        for run in stuck:
            self._free(RunId(run), asset)

    def times(self, tenant: TenantId, *, waves: Collection[str]) -> tuple[RunTime, ...]:
        """How long the newest runs of these waves took in which everything went well."""
        not_well = select(_ATTEMPT.c.run).where(_ATTEMPT.c.run == _RUN.c.id, _ATTEMPT.c.outcome != "done").exists()
        counted = select(func.count()).where(_ATTEMPT.c.run == _RUN.c.id).scalar_subquery()
        rows = self._connection.execute(
            select(_RUN.c.direction, _RUN.c.step, _RUN.c.at_us, _RUN.c.ended_us, counted.label("assets"))
            .where(_RUN.c.tenant == tenant, _RUN.c.wave.in_(list(waves)), _RUN.c.ended_us.is_not(None), ~not_well)
            .order_by(_RUN.c.at_us.desc())
            .limit(_NEWEST)
        )
        return tuple(
            RunTime(
                direction=Direction(row.direction),
                step=row.step,
                assets=row.assets,
                seconds=(row.ended_us - row.at_us).total_seconds(),
            )
            for row in rows
        )

    def outcomes(self, run: RunId) -> Mapping[AssetId, str]:
        """How each attempt of the run ended; empty while it lives."""
        rows = self._connection.execute(
            select(_ATTEMPT.c.asset, _ATTEMPT.c.outcome).where(_ATTEMPT.c.run == run).order_by(_ATTEMPT.c.place)
        )
        return {AssetId(row.asset): row.outcome for row in rows}

    def _free(self, run: RunId, asset: AssetId) -> None:
        for table in (_MACHINE, _ATTEMPT):
            self._connection.execute(update(table).where(table.c.run == run, table.c.asset == asset).values(live=False))

    def _check_epoch(self, epoch: int) -> None:
        current = self._connection.scalars(select(_EPOCH.c.epoch).with_for_update(read=True)).one_or_none() or 0
        if epoch < current:
            raise StaleDriver(epoch=epoch, current=current)

    def _next_seq(self, run: RunRow) -> int:
        seq = self._connection.execute(
            update(_WAVE)
            .where(_WAVE.c.tenant == run.tenant, _WAVE.c.key == run.wave)
            .values(run_seq=_WAVE.c.run_seq + 1)
            .returning(_WAVE.c.run_seq, _WAVE.c.revision)
        ).one_or_none()
        if seq is None:
            raise UnknownWave(wave=run.wave, tenant=run.tenant)
        if seq.revision != run.revision:
            raise Overtaken(subject=f"wave {run.wave}")
        return int(seq.run_seq)

    def _lock(self, run: RunRow, attempt: AttemptSpec, *, place: int) -> None:
        machines = {unique_key(machine): machine for machine in attempt.machines}
        with unless_taken(self._connection, self._busy(run, attempt, machines)):
            self._connection.execute(
                insert(_ATTEMPT).values(
                    run=run.id, asset=attempt.asset, id=attempt.id, tenant=run.tenant, place=place,
                    live=True, outcome="", cause="",
                )
            )  # fmt: skip
            rows = [
                {"run": run.id, "asset": attempt.asset, "machine_key": key, "machine": machine, "place": number,
                 "tenant": run.tenant, "live": True}
                for number, (key, machine) in enumerate(machines.items())
            ]  # fmt: skip
            if rows:
                self._connection.execute(insert(_MACHINE), rows)

    def _busy(self, run: RunRow, attempt: AttemptSpec, machines: Mapping[str, str]) -> AssetBusy:
        """What stands in the way, for the message; looked up before the attempt is made."""
        of_asset = select(_ATTEMPT.c.run).where(
            _ATTEMPT.c.tenant == run.tenant, _ATTEMPT.c.asset == attempt.asset, _ATTEMPT.c.live
        )
        holder = self._connection.scalars(of_asset).first()
        if holder is not None:
            return AssetBusy(subject=f"asset {attempt.asset}", run=holder)
        machine = self._connection.execute(
            select(_MACHINE.c.machine, _MACHINE.c.run).where(
                _MACHINE.c.tenant == run.tenant, _MACHINE.c.machine_key.in_(list(machines)), _MACHINE.c.live
            )
        ).first()
        if machine is not None:
            return AssetBusy(subject=f"machine {machine.machine}", run=machine.run)
        return AssetBusy(subject=f"asset {attempt.asset} or one of its machines", run="another driver")

    def _known(self, run: RunId, seqs: Mapping[int, SpoolLine]) -> frozenset[int]:
        if not seqs:
            return frozenset()
        between = (_EVENT.c.run == run) & _EVENT.c.seq.between(min(seqs), max(seqs))
        return frozenset(self._connection.scalars(select(_EVENT.c.seq).where(between)))

    def _runs(self, wanted: ColumnElement[bool]) -> tuple[RunRow, ...]:
        runs = self._connection.execute(
            select(_RUN).where(wanted).order_by(_RUN.c.at_us, _RUN.c.tenant, _RUN.c.wave, _RUN.c.seq)
        ).all()
        attempts = self._connection.execute(
            select(_ATTEMPT)
            .join(_RUN, _RUN.c.id == _ATTEMPT.c.run)
            .where(wanted)
            .order_by(_ATTEMPT.c.run, _ATTEMPT.c.place)
        ).all()
        machines: dict[tuple[str, str], list[str]] = {}
        for row in self._connection.execute(
            select(_MACHINE.c.run, _MACHINE.c.asset, _MACHINE.c.machine)
            .join(_RUN, _RUN.c.id == _MACHINE.c.run)
            .where(wanted)
            .order_by(_MACHINE.c.place)
        ):
            machines.setdefault((row.run, row.asset), []).append(row.machine)
        of_run = {run: _specs(rows, machines) for run, rows in groupby(attempts, key=lambda row: str(row.run))}
        return tuple(_run_row(row, of_run.get(row.id, ())) for row in runs)


def _specs(attempts: Iterable[Row[Any]], machines: Mapping[tuple[str, str], list[str]]) -> tuple[AttemptSpec, ...]:
    return tuple(
        AttemptSpec(id=row.id, asset=AssetId(row.asset), machines=tuple(machines.get((row.run, row.asset), ())))
        for row in attempts
    )


def _run_row(row: Row[Any], attempts: tuple[AttemptSpec, ...]) -> RunRow:
    return RunRow(
        id=RunId(row.id),
        tenant=TenantId(row.tenant),
        wave=row.wave,
        revision=row.revision,
        batch=row.batch,
        step=row.step,
        direction=Direction(row.direction),
        epoch=row.epoch,
        attempts=attempts,
        intended_at=row.at_us,
        deadline=row.deadline_us,
        state=row.state,
        ingested_seq=row.ingested_seq,
        ingested_offset=row.ingested_offset,
    )

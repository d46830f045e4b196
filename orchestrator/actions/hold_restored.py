"""A store that knows less than the world: one that was restored from a backup. Noticed, written down, and held.

What happened after the backup is not in it: a wave that it calls approved may have run, and one that it calls under
way may be further than it says. So nothing goes on and nothing starts until a person says so.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from inventory.model import TenantId
from orchestrator.actions.desk import Desk
from orchestrator.actions.record import change_wave
from orchestrator.core.lifecycle import WAVE_GROUPS, WAVE_TABLE, WaveEvent
from orchestrator.core.wave import RunId
from orchestrator.ports import Books, Entry, WaveRow
from orchestrator.run_ports import PlaybookRunner

RESTORED = "store.restored"
STORE = "store"
"""Journal subject of what happened to the store itself."""
CAUSE = "store_restored"
EPOCHS_LEFT_OUT = 1_000_000
"""A restored store goes on so many epochs later: more than any driver raised that it does not remember."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WentBack:
    """How it shows that the store knows less than this machine."""

    epoch_of_store: int
    epoch_here: int
    unknown_runs: tuple[RunId, ...] = ()

    @property
    def is_so(self) -> bool:
        """Whether it is so at all."""
        return self.epoch_of_store < self.epoch_here or bool(self.unknown_runs)


def went_back(books: Books, runs: PlaybookRunner) -> WentBack:
    """Compare the store with what this machine remembers: the highest epoch that started a run here, and runs whose
    directories lie here although the store never intended them. What was noticed before is not noticed again."""
    noticed = {run for tenant in books.tenants.all() for run in _noticed(books, tenant)}
    unknown = books.runs.unknown(runs.runs_here() - noticed)
    return WentBack(epoch_of_store=books.epoch(), epoch_here=runs.epoch(), unknown_runs=tuple(sorted(unknown)))


def _noticed(books: Books, tenant: TenantId) -> Collection[RunId]:
    entries = (one.entry for one in books.journal.read(tenant, subject=STORE) if one.entry.kind == RESTORED)
    return {RunId(str(run)) for entry in entries for run in entry.body.get("unknown_runs", ())}


def hold_restored(desk: Desk, how: WentBack) -> tuple[WaveRow, ...]:
    """Hold every wave under way, take back every approval, write it down; returns the waves concerned."""
    concerned: list[WaveRow] = []
    for tenant in desk.books.tenants.all():
        body = {
            "epoch_of_store": how.epoch_of_store,
            "epoch_here": how.epoch_here,
            "unknown_runs": list(how.unknown_runs),
        }
        desk.books.journal.append(tenant, [Entry(kind=RESTORED, subject=STORE, body=body)], at=desk.now)
        concerned += [after for wave in desk.books.waves.all(tenant) if (after := _stop(desk, wave))]
    return tuple(concerned)


def _stop(desk: Desk, wave: WaveRow) -> WaveRow | None:
    allowed = WAVE_TABLE[wave.state]
    if WaveEvent.EXPIRE in allowed:
        return change_wave(desk, wave, WaveEvent.EXPIRE, cause=CAUSE)
    if wave.state not in WAVE_GROUPS["in motion"]:
        return None
    stop = next((event for event in (WaveEvent.HOLD, WaveEvent.GIVE_UP) if event in allowed), None)
    return change_wave(desk, wave, stop, cause=CAUSE) if stop else None

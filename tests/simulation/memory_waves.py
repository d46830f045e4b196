"""Waves and asset moves in memory: the same compare-and-set."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from inventory.model import TenantId
from orchestrator.core.lifecycle import MoveState, WaveEvent, WaveState, next_wave_state
from orchestrator.core.refusals import ActMisplaced, Overtaken, SameSide, UnknownWave
from orchestrator.core.wave import ActKind, SignedAct, WaveContent
from orchestrator.ports import MoveRow, WaveRow

if TYPE_CHECKING:
    from tests.simulation.memory_store import Rows

_SIDES = (ActKind.PROPOSE, ActKind.APPROVE)


class MemoryWaves:
    """Waves of all tenants."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def put(self, content: WaveContent, *, plan: str, at: datetime) -> WaveRow:
        """A new wave, or the next revision of a known one."""
        old = self._rows.waves.get((content.tenant, content.key))
        if old is not None:
            next_wave_state(old.state, WaveEvent.REPLACE, subject=f"wave {old.key}")
        wave = WaveRow(
            tenant=content.tenant, key=content.key, revision=old.revision + 1 if old else 1, state=WaveState.DRAFT,
            version=old.version + 1 if old else 1, fingerprint=content.fingerprint, content=content, plan=plan,
            cause="", since=at,
        )  # fmt: skip
        self._rows.waves[content.tenant, content.key] = wave
        for batch in content.batches:
            for asset in batch.assets:
                self._rows.moves[wave.tenant, wave.key, wave.revision, asset] = MoveRow(
                    tenant=wave.tenant, wave=wave.key, asset=asset, name=content.move(asset).name, batch=batch.name,
                    state=MoveState.PLANNED, version=1, step="", cause="", since=at,
                )  # fmt: skip
        return wave

    def get(self, tenant: TenantId, key: str) -> WaveRow:
        """Raises UnknownWave."""
        if (tenant, key) not in self._rows.waves:
            raise UnknownWave(wave=key, tenant=tenant)
        return self._rows.waves[tenant, key]

    def all(self, tenant: TenantId) -> tuple[WaveRow, ...]:
        """All waves by key."""
        return tuple(wave for (owner, _key), wave in sorted(self._rows.waves.items()) if owner == tenant)

    def set_state(self, wave: WaveRow, *, to: WaveState, cause: str, at: datetime) -> WaveRow:
        """Compare-and-set. Raises Overtaken."""
        now = self._rows.waves.get((wave.tenant, wave.key))
        if now is None or (now.revision, now.version, now.state) != (wave.revision, wave.version, wave.state):
            raise Overtaken(subject=f"wave {wave.key}")
        changed = replace(wave, state=to, version=wave.version + 1, cause=cause, since=at)
        self._rows.waves[wave.tenant, wave.key] = changed
        return changed

    def add_act(self, wave: WaveRow, act: SignedAct) -> None:
        """Keep a signed act. Raises ActMisplaced, SameSide, Overtaken."""
        signed = act.act
        known = (signed.tenant, signed.by) in self._rows.people
        if (signed.tenant, signed.wave, signed.fingerprint) != (wave.tenant, wave.key, wave.fingerprint) or not known:
            raise ActMisplaced(signed=f"{signed.wave} {signed.fingerprint[:12]}", wave=wave.key)
        place = (wave.tenant, wave.key, wave.revision)
        if self.get(wave.tenant, wave.key).revision != wave.revision:
            raise Overtaken(subject=f"wave {wave.key}")
        if signed.kind in _SIDES:
            for person in filter(None, (signed.by, signed.for_person)):
                if self._rows.sides.setdefault((*place, person), signed.kind.value) != signed.kind.value:
                    raise SameSide(person=person, act=signed.kind.value, wave=wave.key)
        self._rows.acts[place] = (*self._rows.acts.get(place, ()), act)

    def acts(self, tenant: TenantId, key: str) -> tuple[SignedAct, ...]:
        """Signed acts on the present revision, oldest first."""
        wave = self._rows.waves.get((tenant, key))
        return self._rows.acts.get((tenant, key, wave.revision), ()) if wave else ()

    def moves(self, tenant: TenantId, key: str) -> tuple[MoveRow, ...]:
        """The moves of the present revision in the order of the batches."""
        wave = self._rows.waves.get((tenant, key))
        if wave is None:
            return ()
        order = (asset for batch in wave.content.batches for asset in batch.assets)
        return tuple(self._rows.moves[tenant, key, wave.revision, asset] for asset in order)

    def set_move(self, move: MoveRow, *, to: MoveState, step: str, cause: str, at: datetime) -> MoveRow:
        """Compare-and-set. Raises Overtaken."""
        place = (move.tenant, move.wave, self.get(move.tenant, move.wave).revision, move.asset)
        now = self._rows.moves.get(place)
        if now is None or (now.version, now.state) != (move.version, move.state):
            raise Overtaken(subject=f"the move of {move.name} in wave {move.wave}")
        changed = replace(move, state=to, version=move.version + 1, step=step, cause=cause, since=at)
        self._rows.moves[place] = changed
        return changed

"""Waves and asset moves in the database: frozen revisions, current states by compare-and-set, signed acts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from inventory.model import AssetId, TenantId
from inventory.tables import table_of
from orchestrator.adapters.rows import unless_taken, value_of
from orchestrator.adapters.tables import AssetMoveRow, WaveActRow, WaveRevisionRow, WaveSideRow, WaveTableRow
from orchestrator.core.canonical import canonical_bytes
from orchestrator.core.lifecycle import MoveState, WaveEvent, WaveState, next_wave_state
from orchestrator.core.refusals import ActMisplaced, Overtaken, SameSide, StoreDamaged, UnknownWave
from orchestrator.core.wave import Act, ActKind, SignedAct, WaveContent
from orchestrator.ports import MoveRow, WaveRow

_WAVE, _REVISION, _MOVE = table_of(WaveTableRow), table_of(WaveRevisionRow), table_of(AssetMoveRow)
_ACT, _SIDE = table_of(WaveActRow), table_of(WaveSideRow)
_SIDES = frozenset({ActKind.PROPOSE, ActKind.APPROVE})


class WavesBook:
    """Waves of each tenant. Works inside the caller's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, content: WaveContent, *, plan: str, at: datetime) -> WaveRow:
        """A new wave (draft), or the next revision of a known one: its old acts and moves no longer count.

        Raises IllegalTransition when the known wave can no longer be replaced, Overtaken.
        """
        known = self._connection.execute(
            select(_WAVE).where(_WAVE.c.tenant == content.tenant, _WAVE.c.key == content.key).with_for_update()
        ).one_or_none()
        if known is not None:
            next_wave_state(WaveState(known.state), WaveEvent.REPLACE, subject=f"wave {content.key}")
        revision = known.revision + 1 if known else 1
        with unless_taken(self._connection, Overtaken(subject=f"wave {content.key}")):
            self._freeze(content, plan=plan, revision=revision, at=at)
            self._point_to(content, revision=revision, is_new=known is None, at=at)
        return self.get(content.tenant, content.key)

    def get(self, tenant: TenantId, key: str) -> WaveRow:
        """Raises UnknownWave, StoreDamaged."""
        row = self._connection.execute(_waves(tenant).where(_WAVE.c.key == key)).one_or_none()
        if row is None:
            raise UnknownWave(wave=key[:40], tenant=tenant)
        return _wave_row(row)

    def all(self, tenant: TenantId) -> tuple[WaveRow, ...]:
        """All waves by key."""
        return tuple(sorted(map(_wave_row, self._connection.execute(_waves(tenant))), key=lambda wave: wave.key))

    def set_state(self, wave: WaveRow, *, to: WaveState, cause: str, at: datetime) -> WaveRow:
        """Compare-and-set on (revision, state, version). Raises Overtaken."""
        changed = self._connection.execute(
            update(_WAVE)
            .where(_WAVE.c.tenant == wave.tenant, _WAVE.c.key == wave.key, _WAVE.c.revision == wave.revision)
            .where(_WAVE.c.version == wave.version, _WAVE.c.state == wave.state.value)
            .values(state=to.value, version=wave.version + 1, cause=cause, since_us=at)
        )
        if changed.rowcount != 1:
            raise Overtaken(subject=f"wave {wave.key}")
        return replace(wave, state=to, version=wave.version + 1, cause=cause, since=at)

    def add_act(self, wave: WaveRow, act: SignedAct) -> None:
        """Keep a signed act for this revision. Raises ActMisplaced, SameSide, Overtaken."""
        signed = act.act
        if (signed.tenant, signed.wave, signed.fingerprint) != (wave.tenant, wave.key, wave.fingerprint):
            raise ActMisplaced(signed=f"{signed.wave} {signed.fingerprint[:12]}", wave=f"{wave.key}")
        self._lock(wave)
        side = signed.kind.value if signed.kind in _SIDES else None
        if side is not None:
            self._take_side(wave, signed, side=side)
        misplaced = ActMisplaced(signed=f"a person {signed.by} of this tenant", wave=wave.key)
        with unless_taken(self._connection, misplaced):
            self._connection.execute(
                insert(_ACT).values(
                    **_revision_of(wave),
                    seq=len(self.acts(wave.tenant, wave.key)) + 1,
                    fingerprint=signed.fingerprint,
                    kind=signed.kind.value,
                    side=side,
                    person=signed.by,
                    for_person=signed.for_person,
                    canonical=canonical_bytes(signed),
                    signature=act.signature,
                    public_key=act.public_key,
                )
            )

    def acts(self, tenant: TenantId, key: str) -> tuple[SignedAct, ...]:
        """Signed acts on the present revision, oldest first. Raises StoreDamaged."""
        rows = self._connection.execute(
            select(_ACT)
            .join(_WAVE, _of_present_revision(_ACT))
            .where(_ACT.c.tenant == tenant, _ACT.c.wave == key)
            .order_by(_ACT.c.seq)
        )
        return tuple(map(_signed_act, rows))

    def moves(self, tenant: TenantId, key: str) -> tuple[MoveRow, ...]:
        """The wave's asset moves in the order of its batches."""
        rows = self._connection.execute(
            select(_MOVE)
            .join(_WAVE, _of_present_revision(_MOVE))
            .where(_MOVE.c.tenant == tenant, _MOVE.c.wave == key)
            .order_by(_MOVE.c.place)
        )
        return tuple(map(_move_row, rows))

    def set_move(self, move: MoveRow, *, to: MoveState, step: str, cause: str, at: datetime) -> MoveRow:
        """Compare-and-set on (state, version) within the present revision. Raises Overtaken."""
        present = (
            select(_WAVE.c.revision).where(_WAVE.c.tenant == move.tenant, _WAVE.c.key == move.wave).scalar_subquery()
        )
        changed = self._connection.execute(
            update(_MOVE)
            .where(_MOVE.c.tenant == move.tenant, _MOVE.c.wave == move.wave, _MOVE.c.revision == present)
            .where(_MOVE.c.asset == move.asset, _MOVE.c.version == move.version, _MOVE.c.state == move.state.value)
            .values(state=to.value, version=move.version + 1, step=step, cause=cause, since_us=at)
        )
        if changed.rowcount != 1:
            raise Overtaken(subject=f"the move of {move.name} in wave {move.wave}")
        return replace(move, state=to, version=move.version + 1, step=step, cause=cause, since=at)

    def _freeze(self, content: WaveContent, *, plan: str, revision: int, at: datetime) -> None:
        self._connection.execute(
            insert(_REVISION).values(
                tenant=content.tenant,
                wave=content.key,
                revision=revision,
                fingerprint=content.fingerprint,
                plan=plan,
                at_us=at,
                canonical=canonical_bytes(content),
            )
        )
        rows = [
            {"tenant": content.tenant, "wave": content.key, "revision": revision, "asset": asset, "place": place,
             "name": content.move(asset).name, "batch": batch, "state": MoveState.PLANNED.value, "version": 1,
             "step": "", "cause": "", "since_us": at}
            for place, (batch, asset) in enumerate((b.name, asset) for b in content.batches for asset in b.assets)
        ]  # fmt: skip
        if rows:
            self._connection.execute(insert(_MOVE), rows)

    def _point_to(self, content: WaveContent, *, revision: int, is_new: bool, at: datetime) -> None:
        fresh = {"revision": revision, "state": WaveState.DRAFT.value, "cause": "", "since_us": at}
        if is_new:
            row = {"tenant": content.tenant, "key": content.key, "version": 1, "run_seq": 0} | fresh
            self._connection.execute(insert(_WAVE).values(row))
            return
        self._connection.execute(
            update(_WAVE)
            .where(_WAVE.c.tenant == content.tenant, _WAVE.c.key == content.key)
            .values(version=_WAVE.c.version + 1, **fresh)
        )

    def _lock(self, wave: WaveRow) -> None:
        present = self._connection.scalars(
            select(_WAVE.c.revision).where(_WAVE.c.tenant == wave.tenant, _WAVE.c.key == wave.key).with_for_update()
        ).one_or_none()
        if present != wave.revision:
            raise Overtaken(subject=f"wave {wave.key}")

    def _take_side(self, wave: WaveRow, signed: Act, *, side: str) -> None:
        """Put the signer, and whoever the signer stands in for, on one side of this revision for good."""
        for person in (signed.by, signed.for_person):
            if person is None:
                continue
            taken = self._connection.scalars(
                select(_SIDE.c.side).where(
                    _SIDE.c.tenant == wave.tenant,
                    _SIDE.c.wave == wave.key,
                    _SIDE.c.revision == wave.revision,
                    _SIDE.c.person == person,
                )
            ).one_or_none()
            if taken == side:
                continue
            if taken is not None:
                raise SameSide(person=person, act=side, wave=wave.key)
            stranger = ActMisplaced(signed=f"a person {person} of this tenant", wave=wave.key)
            with unless_taken(self._connection, stranger):
                self._connection.execute(insert(_SIDE).values(**_revision_of(wave), person=person, side=side))


def _waves(tenant: TenantId) -> Select[Any]:
    return (
        select(_WAVE, _REVISION.c.fingerprint, _REVISION.c.plan, _REVISION.c.canonical)
        .join(
            _REVISION,
            (_REVISION.c.tenant == _WAVE.c.tenant)
            & (_REVISION.c.wave == _WAVE.c.key)
            & (_REVISION.c.revision == _WAVE.c.revision),
        )
        .where(_WAVE.c.tenant == tenant)
    )


def _of_present_revision(table: Any) -> Any:
    return (table.c.tenant == _WAVE.c.tenant) & (table.c.wave == _WAVE.c.key) & (table.c.revision == _WAVE.c.revision)


def _revision_of(wave: WaveRow) -> dict[str, object]:
    return {"tenant": wave.tenant, "wave": wave.key, "revision": wave.revision}


def _wave_row(row: Row[Any]) -> WaveRow:
    content = value_of(WaveContent, row.canonical, subject=f"wave {row.key}", fingerprint=row.fingerprint)
    if (content.tenant, content.key) != (row.tenant, row.key):
        raise StoreDamaged(subject=f"wave {row.key}", why="its content belongs to another wave")
    return WaveRow(
        tenant=content.tenant,
        key=row.key,
        revision=row.revision,
        state=WaveState(row.state),
        version=row.version,
        fingerprint=row.fingerprint,
        content=content,
        plan=row.plan,
        cause=row.cause,
        since=row.since_us,
    )


def _signed_act(row: Row[Any]) -> SignedAct:
    act = value_of(Act, row.canonical, subject=f"act {row.seq} on wave {row.wave}")
    said = (act.tenant, act.wave, act.fingerprint, act.kind.value, act.by, act.for_person)
    if said != (row.tenant, row.wave, row.fingerprint, row.kind, row.person, row.for_person):
        raise StoreDamaged(subject=f"act {row.seq} on wave {row.wave}", why="its columns say something else")
    return SignedAct(act=act, signature=row.signature, public_key=row.public_key)


def _move_row(row: Row[Any]) -> MoveRow:
    return MoveRow(
        tenant=TenantId(row.tenant),
        wave=row.wave,
        asset=AssetId(row.asset),
        name=row.name,
        batch=row.batch,
        state=MoveState(row.state),
        version=row.version,
        step=row.step,
        cause=row.cause,
        since=row.since_us,
    )

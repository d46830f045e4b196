"""The end of an old machine: a person signs that it was erased, its record in the inventory is closed."""

from __future__ import annotations

from dataclasses import replace

from inventory.model import AssetId
from orchestrator.actions.control_wave import reason_given, touch
from orchestrator.actions.decide_asset import Asked, Word, decide, decided, effect
from orchestrator.actions.desk import Desk
from orchestrator.actions.record import change_move, keep_act, progress_in, subject_of, write_down
from orchestrator.actions.sign import Intent, Keyboard, sign_act
from orchestrator.actions.take_inventory import holdings_in
from orchestrator.core.command import ChangeMove
from orchestrator.core.lifecycle import MoveEvent
from orchestrator.core.progress import Fact
from orchestrator.core.retention import ENTRY, Erasure, KeptMachine, check_erasable, kept_machines, local_day
from orchestrator.core.wave import ActKind, PersonId
from orchestrator.ports import WaveRow

CLOSED_AS = "erased"
"""What an erased machine's field *lifecycle* says, whatever later imports tell of it."""


def kept_in(desk: Desk, wave: WaveRow) -> tuple[KeptMachine, ...]:
    """Old machines that the wave has left over, those erased included."""
    entries = desk.books.journal.read(wave.tenant, subject=subject_of(wave))
    facts = (Fact(at=one.at, kind=one.entry.kind, body=one.entry.body) for one in entries)
    return kept_machines(wave.content, progress_in(desk.books, wave), facts)


def record_erasure(desk: Desk, wave: WaveRow, *, keyboard: Keyboard, intent: Intent, erasure: Erasure) -> int:
    """Sign it, let the moves be *erased*, and close the records; how many records of the inventory were closed.

    ``intent.reason`` says who erased them, and how. Takes effect at once and for good.
    Raises ReasonMissing, WaveStillOpen, NotKept, StillKept, ErasedLater, and as ``sign_act`` does.
    """
    reason_given(intent)
    touch(desk, wave)
    today = local_day(desk.now, wave.content)
    check_erasable(wave.content, progress_in(desk.books, wave), intent.assets, on=erasure.on, today=today)
    signed = sign_act(desk, wave, keyboard=keyboard, intent=replace(intent, kind=ActKind.ERASED, about=erasure.about))
    keep_act(desk, wave, signed)
    body = {
        "assets": intent.assets,
        "on": erasure.on.isoformat(),
        "certificate": erasure.certificate,
        "sha256": erasure.sha256,
        "by": signed.act.by,
    }
    write_down(desk, wave, ENTRY, body, by=signed.act.by)
    rows = {move.asset: move for move in desk.books.waves.moves(wave.tenant, wave.key)}
    for asset in intent.assets:
        row = rows[asset]
        change_move(desk, wave, row, ChangeMove(asset=asset, event=MoveEvent.ERASE, cause="", step=row.step))
    return sum(_close(desk, wave, asset, by=signed.act.by, about=erasure) for asset in intent.assets)


def _close(desk: Desk, wave: WaveRow, asset: AssetId, *, by: PersonId, about: Erasure) -> int:
    """Let the asset's record say that it is erased, by the person's decision; 0 where the inventory has it no more."""
    holdings = holdings_in(desk.books, wave.tenant)
    known = holdings.snapshot.by_id().get(asset)
    if known is None:
        return 0
    word = Word(by=by, at=desk.now, reason=f"erased on {about.on.isoformat()}, certificate {about.sha256[:16]}")
    decision = decided(holdings, known, Asked(field="lifecycle", use=CLOSED_AS), word=word)
    changes = effect(holdings, decision, new_id=_no_new_one)
    return decide(desk.books, holdings, decision, changes, word=word)


def _no_new_one() -> AssetId:
    """A decision on one field of one record makes no other record."""
    raise AssertionError

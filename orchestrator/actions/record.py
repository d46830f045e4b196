"""Writing down: each change of a state goes to the journal and to its table in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inventory.model import TenantId
from orchestrator.actions.desk import Desk
from orchestrator.actions.keep_occurrence import keep_occurrence
from orchestrator.core.canonical import plain
from orchestrator.core.command import BeginBatch, ChangeMove, RecordComparison, RecordGate
from orchestrator.core.lifecycle import WaveEvent, next_move_state, next_wave_state
from orchestrator.core.notices import Notice, notice_kind
from orchestrator.core.progress import Fact, WaveProgress, progress_of
from orchestrator.core.wave import SignedAct
from orchestrator.ports import Books, Entry, MoveRow, SealedEntry, WaveRow


def subject_of(wave: WaveRow) -> str:
    """The journal subject of a wave."""
    return f"wave:{wave.key}"


def write_down(desk: Desk, wave: WaveRow, kind: str, body: Mapping[str, Any], *, by: str = "kahn") -> None:
    """One journal entry about a wave."""
    entry = Entry(kind=kind, subject=subject_of(wave), body=plain(body), by=by)
    (sealed,) = desk.books.journal.append(wave.tenant, [entry], at=desk.now)
    _call_for_it(desk, wave, sealed)


def _call_for_it(desk: Desk, wave: WaveRow, sealed: SealedEntry) -> None:
    """A notice for what people must hear of: it exists exactly when the entry does."""
    body = sealed.entry.body
    kind = notice_kind(sealed.entry.kind, body)
    if kind is not None:
        notice = Notice(
            tenant=wave.tenant,
            number=sealed.seq,
            at=desk.now,
            kind=kind,
            wave=wave.key,
            revision=wave.revision,
            cause=str(body.get("cause") or body.get("at_desk", "")),
            asset=str(body.get("asset", "")),
        )
        desk.books.notices.put(notice)


GATE_FIELDS = ("batch", "verdict", "bad", "allowed", "size", "wave_bad", "wave_allowed", "wave_size")


def write_fact(desk: Desk, wave: WaveRow, command: BeginBatch | RecordGate | RecordComparison) -> None:
    """What the rules only want written down."""
    if isinstance(command, BeginBatch):
        members = next(batch for batch in wave.content.batches if batch.name == command.batch)
        write_down(desk, wave, "batch.begun", {"batch": members.name, "assets": members.assets})
    elif isinstance(command, RecordGate):
        write_down(desk, wave, "batch.gated", {name: getattr(command.gate, name) for name in GATE_FIELDS})
    else:
        write_down(desk, wave, "move.compared", {"asset": command.asset, **command.body})


def change_wave(desk: Desk, wave: WaveRow, event: WaveEvent, *, cause: str = "", by: str = "kahn") -> WaveRow:
    """Let an event happen to a wave. Raises IllegalTransition (nothing is changed), Overtaken."""
    to = next_wave_state(wave.state, event, subject=f"wave {wave.key}")
    changed = desk.books.waves.set_state(wave, to=to, cause=cause, at=desk.now)
    keep_occurrence(desk, wave, event)
    body = {"revision": wave.revision, "from": wave.state, "to": to, "event": event, "cause": cause}
    write_down(desk, wave, "wave.state", body, by=by)
    return changed


def change_move(desk: Desk, wave: WaveRow, move: MoveRow, change: ChangeMove) -> MoveRow:
    """Let an event happen to an asset move. Raises IllegalTransition (nothing is changed), Overtaken."""
    to = next_move_state(move.state, change.event, subject=move.name)
    changed = desk.books.waves.set_move(move, to=to, step=change.step, cause=change.cause, at=desk.now)
    body = {
        "asset": move.asset,
        "from": move.state,
        "to": to,
        "event": change.event,
        "step": change.step,
        "cause": change.cause,
    }
    write_down(desk, wave, "move.state", body)
    return changed


def keep_act(desk: Desk, wave: WaveRow, signed: SignedAct) -> None:
    """Keep a signed act beside the wave and in the journal. Free texts go where they can be redacted."""
    act = signed.act
    desk.books.waves.add_act(wave, signed)
    body = {
        "kind": act.kind,
        "by": act.by,
        "fingerprint": act.fingerprint,
        "assets": act.assets,
        "for_person": act.for_person,
        "signature": signed.signature,
        "public_key": signed.public_key,
    }
    texts = {name: text for name, text in (("reason", act.reason), ("conditions", act.conditions)) if text}
    entry = Entry(kind="act", subject=subject_of(wave), body=plain(body), by=act.by, texts=texts)
    desk.books.journal.append(wave.tenant, [entry], at=desk.now)


def progress_in(books: Books, wave: WaveRow) -> WaveProgress:
    """How far the wave has come, read from its journal.

    The fold up to an entry is kept: an entry's hash stands for everything before it, so a kept fold is used exactly
    when that entry is still there, unchanged, and only what follows is read. A transaction that was undone, or a store
    that was put back, has another hash there.
    """
    place = (wave.tenant, wave.key, wave.revision, wave.fingerprint)
    kept = _FOLDS.pop(place, None)
    entries = books.journal.read(wave.tenant, subject=subject_of(wave), after=kept.seq - 1 if kept else 0)
    so_far = None
    if kept is not None and entries and entries[0].hash == kept.hash:
        so_far, entries = kept.progress, entries[1:]
    elif kept is not None:
        entries = books.journal.read(wave.tenant, subject=subject_of(wave))
    facts = (Fact(at=one.at, kind=one.entry.kind, body=one.entry.body) for one in entries)
    progress = progress_of(wave.content, facts, so_far=so_far)
    if entries:
        kept = _Fold(seq=entries[-1].seq, hash=entries[-1].hash, progress=progress)
    if kept is not None:
        _FOLDS[place] = kept
    while len(_FOLDS) > _FOLDS_KEPT:
        del _FOLDS[next(iter(_FOLDS))]
    return progress


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fold:
    """How far a wave had come with the entry of that number and hash."""

    seq: int
    hash: str
    progress: WaveProgress


_FOLDS_KEPT = 64
_FOLDS: dict[tuple[TenantId, str, int, str], _Fold] = {}


def wave_at(books: Books, tenant: TenantId, key: str) -> tuple[WaveRow, WaveProgress]:
    """A wave and how far it has come. Raises UnknownWave."""
    wave = books.waves.get(tenant, key)
    return wave, progress_in(books, wave)

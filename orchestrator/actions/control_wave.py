"""What people do to a wave under way: pause, go on, break off, end; hold, leave out or retry single assets; lead."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from inventory.errors import ExpectedError
from inventory.model import AssetId
from orchestrator.actions.desk import Desk
from orchestrator.actions.record import change_move, change_wave, keep_act, progress_in, write_down
from orchestrator.actions.sign import Intent, Keyboard, checked_acts, sign_act
from orchestrator.actions.take_back import ReasonMissing
from orchestrator.core.command import ChangeMove
from orchestrator.core.control import (
    DECLARATIONS,
    SAFETY,
    NotTheLead,
    Signatures,
    Unfinished,
    check_fit,
    signatures_needed,
)
from orchestrator.core.lifecycle import WAVE_GROUPS, WAVE_TABLE, IllegalTransition, MoveEvent, MoveState, WaveEvent
from orchestrator.core.move_rules import is_half_way
from orchestrator.core.progress import WaveProgress
from orchestrator.core.undo import WAVE_HELD
from orchestrator.core.wave import ActKind, PersonId
from orchestrator.ports import Entry, SealedEntry, WaveRow

_EVENTS = {
    ActKind.PAUSE: (WaveEvent.PAUSE, "paused"),
    ActKind.RESUME: (WaveEvent.RESUME, ""),
    ActKind.ABORT: (WaveEvent.ABORT, "aborted"),
    ActKind.CLOSE: (WaveEvent.CLOSE, "given_up"),
}


class SignedAlready(ExpectedError):
    """The second signature of an act came from the person who gave the first."""

    code, says = "RUN-012", "{person} has signed this already; wave {wave} waits for another person."
    remedy = "Let a second person sign the same act."
    exit_code = 3


class HalfWay(ExpectedError):
    """A wave is to be ended while assets stand half-way."""

    code, says = "RUN-013", "Wave {wave} cannot be ended: {count} assets stand between old and new."
    remedy = "Break it off, which takes them back (`kahn wave abort {wave}`), or resume it."
    exit_code = 3


class StillAtWork(ExpectedError):
    """A wave is to be ended while runs of it live: their assets would belong to nobody."""

    code, says = "RUN-037", "Wave {wave} cannot be ended: steps are still under way on {count} assets."
    remedy = "Wait until they end, say how the work at the desk went (`kahn wave done`), or break the wave off."
    exit_code = 3


class LeadTaken(ExpectedError):
    """Somebody else leads the wave."""

    code, says = "RUN-014", "{lead} leads wave {wave}."
    remedy = "Take over with `kahn wave lead {wave} --take-over --reason REASON`, or let the lead hand it over."
    exit_code = 6


def signed_so_far(
    desk: Desk, wave: WaveRow, progress: WaveProgress, *, kind: ActKind, assets: Collection[AssetId] = ()
) -> Signatures:
    """Genuine signatures for this act on the wave (or these assets) as they stand since they last changed."""
    since = [progress.moves[asset].since for asset in assets] if assets else [progress.since]
    last = max((one for one in since if one is not None), default=None)
    by = {
        PersonId(one.act.by)
        for one in checked_acts(desk, wave)
        if one.genuine
        and one.act.kind is kind
        and frozenset(one.act.assets) == frozenset(assets)
        and (last is None or one.act.at >= last)
    }
    lead = "" if kind in SAFETY else progress.lead
    return Signatures(by=frozenset(by), needed=signatures_needed(kind, wave.content, progress, assets), lead=lead)


_BY_SEVERAL = frozenset({ActKind.RESUME, *DECLARATIONS})
"""Acts that may need more than one person."""


def unfinished_acts(desk: Desk, wave: WaveRow, progress: WaveProgress) -> tuple[Unfinished, ...]:
    """What was signed for the wave as it stands and has no effect yet, because another person must sign the same."""
    if wave.state not in WAVE_GROUPS["stuck"]:
        return ()
    acts = (one.act for one in desk.books.waves.acts(wave.tenant, wave.key))
    signed = dict.fromkeys((act.kind, frozenset(act.assets)) for act in acts if act.kind in _BY_SEVERAL)
    found = []
    for kind, assets in signed:
        if any(_unasked(progress, asset) for asset in assets) or (kind is ActKind.RESUME and not _may_resume(wave)):
            continue
        so_far = signed_so_far(desk, wave, progress, kind=kind, assets=assets)
        if so_far.by and so_far.missing:
            needed = len(so_far.by) + so_far.missing
            found.append(Unfinished(kind=kind, assets=assets, there=len(so_far.by), needed=needed))
    return tuple(found)


def _unasked(progress: WaveProgress, asset: AssetId) -> bool:
    return asset not in progress.moves or progress.moves[asset].state is not MoveState.NEEDS_PERSON


def _may_resume(wave: WaveRow) -> bool:
    return WaveEvent.RESUME in WAVE_TABLE[wave.state]


def reason_given(intent: Intent) -> None:
    """Raises ReasonMissing."""
    if not intent.reason.strip():
        raise ReasonMissing()


def _sign(desk: Desk, wave: WaveRow, *, keyboard: Keyboard, intent: Intent) -> Signatures:
    """Sign and keep the act; who has signed it by now. Raises ReasonMissing, SignedAlready, NotTheLead."""
    reason_given(intent)
    progress = progress_in(desk.books, wave)
    before = signed_so_far(desk, wave, progress, kind=intent.kind, assets=intent.assets)
    signed = sign_act(desk, wave, keyboard=keyboard, intent=intent)
    person = signed.act.by
    if before.missing and person in before.by:
        raise SignedAlready(person=keyboard.person, wave=wave.key)
    after = replace(before, by=before.by | {person})
    if after.needed == 1 and after.missing:
        raise NotTheLead(lead=after.lead, wave=wave.key, act=intent.kind.value)
    keep_act(desk, wave, signed)
    return after


def change_course(desk: Desk, wave: WaveRow, *, keyboard: Keyboard, intent: Intent) -> tuple[WaveRow, Signatures]:
    """Pause, resume, abort or close the wave, once enough people have signed; until then it stays as it is.

    Raises ReasonMissing, IllegalTransition, StillAtWork, HalfWay, SignedAlready, NotTheLead.
    """
    event, cause = _EVENTS[intent.kind]
    stands = wave.state in WAVE_GROUPS["stuck"]
    if event not in WAVE_TABLE[wave.state] or (intent.kind is ActKind.CLOSE and not stands):
        raise IllegalTransition(subject=f"wave {wave.key}", state=wave.state.value, event=event.value)
    if intent.kind is ActKind.CLOSE:
        _nothing_half_way(desk, wave)
    signatures = _sign(desk, wave, keyboard=keyboard, intent=intent)
    if signatures.missing:
        return touch(desk, wave), signatures
    return change_wave(desk, wave, event, cause=cause, by=_names(signatures)), signatures


def _names(signatures: Signatures) -> str:
    return " ".join(sorted(signatures.by))


def _nothing_half_way(desk: Desk, wave: WaveRow) -> None:
    moves = progress_in(desk.books, wave).moves.values()
    working = sum(move.run is not None for move in moves)
    if working:
        raise StillAtWork(wave=wave.key, count=working)
    half = sum(is_half_way(wave.content, move) for move in moves)
    if half:
        raise HalfWay(wave=wave.key, count=half)


def touch(desk: Desk, wave: WaveRow) -> WaveRow:
    """Compare-and-set without a change: two people who act at once do not both act on what they saw."""
    return desk.books.waves.set_state(wave, to=wave.state, cause=wave.cause, at=wave.since)


def wish(desk: Desk, wave: WaveRow, *, keyboard: Keyboard, intent: Intent) -> WaveRow:
    """Hold, leave out, try again or ask again single assets (HOLD, SKIP, RETRY, PROBE); the driver does it in its turn.

    Raises ReasonMissing, WaveNotUnderWay, AssetNotFit, NotTheLead.
    """
    check_fit(intent.kind, wave.content, progress_in(desk.books, wave), intent.assets)
    _sign(desk, wave, keyboard=keyboard, intent=intent)
    return touch(desk, wave)


def declare(desk: Desk, wave: WaveRow, *, keyboard: Keyboard, intent: Intent) -> Signatures:
    """Say how assets that need a person stand after somebody looked: the step is done, not done, or all is undone.

    What is done or not done goes on with its wave; what was undone is compared with before. Takes effect once
    enough people have signed. Raises ReasonMissing, WaveNotUnderWay, AssetNotFit, SignedAlready, NotTheLead.
    """
    progress = progress_in(desk.books, wave)
    check_fit(intent.kind, wave.content, progress, intent.assets)
    signatures = _sign(desk, wave, keyboard=keyboard, intent=intent)
    touch(desk, wave)
    if signatures.missing:
        return signatures
    verdict, by = DECLARATIONS[intent.kind], _names(signatures)
    write_down(desk, wave, "move.declared", {"assets": intent.assets, "verdict": verdict, "by": by}, by=by)
    rows = {move.asset: move for move in desk.books.waves.moves(wave.tenant, wave.key)}
    for asset in intent.assets:
        undone = intent.kind is ActKind.DECLARE_UNDONE
        event = MoveEvent.ROLL_BACK if undone else MoveEvent.REPAIRED
        cause = "declared_undone" if undone else WAVE_HELD
        change = ChangeMove(asset=asset, event=event, cause=cause, step=progress.moves[asset].step)
        change_move(desk, wave, rows[asset], change)
        desk.books.runs.release(wave.tenant, asset, wave=wave.key)
    return signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """How the lead changes hands. ``over``: although somebody else leads. ``to``: to that person, else to oneself."""

    reason: str = ""
    over: bool = False
    to: str = ""


def take_lead(desk: Desk, wave: WaveRow, *, keyboard: Keyboard, handover: Handover) -> str:
    """Take the lead of a wave under way, or hand it on; returns the pseudonym of who leads now.

    Raises LeadTaken, ReasonMissing (taking over), UnknownPerson, IllegalTransition (the wave is not under way).
    """
    reason, over, to = handover.reason, handover.over, handover.to
    if wave.state in WAVE_GROUPS["at rest"]:
        raise IllegalTransition(subject=f"wave {wave.key}", state=wave.state.value, event="lead")
    if over and not reason.strip():
        raise ReasonMissing()
    lead = progress_in(desk.books, wave).lead
    signed = sign_act(desk, wave, keyboard=keyboard, intent=Intent(kind=ActKind.LEAD, reason=reason))
    me = signed.act.by
    if lead and lead != me and not over:
        raise LeadTaken(lead=lead, wave=wave.key)
    following = desk.books.people.find(wave.tenant, to).id if to else me
    keep_act(desk, wave, signed)
    write_down(desk, wave, "wave.lead", {"lead": following, "before": lead}, by=me)
    touch(desk, wave)
    return following


def add_note(desk: Desk, wave: WaveRow, *, person: str, text: str) -> None:
    """Keep a person's note beside the wave. Raises UnknownPerson, ReasonMissing (no text)."""
    if not text.strip():
        raise ReasonMissing()
    by = desk.books.people.find(wave.tenant, person).id
    entry = Entry(kind="wave.note", subject=f"wave:{wave.key}", body={}, by=by, texts={"note": text})
    desk.books.journal.append(wave.tenant, [entry], at=desk.now)


def notes_of(desk: Desk, wave: WaveRow) -> tuple[SealedEntry, ...]:
    """The wave's notes, oldest first; a redacted one has no text."""
    entries = desk.books.journal.read(wave.tenant, subject=f"wave:{wave.key}")
    return tuple(one for one in entries if one.entry.kind == "wave.note")

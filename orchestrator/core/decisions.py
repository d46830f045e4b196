"""What waits for a person: one decision per cause, with who decides, since when, and what happens if nobody acts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from shlex import quote
from zoneinfo import ZoneInfo

from inventory.model import AssetId
from orchestrator.core.by_hand import DeskWork, desk_works
from orchestrator.core.causes import cause_of
from orchestrator.core.control import askable, declarable, signatures_needed, was_lost
from orchestrator.core.explain import Sentence
from orchestrator.core.lifecycle import ARRIVED, MoveState, WaveState
from orchestrator.core.places import WaveCase, in_order
from orchestrator.core.progress import MoveProgress
from orchestrator.core.retention import due_in, due_since, local_day
from orchestrator.core.runbook import Direction
from orchestrator.core.undo import WAVE_HELD, past_return
from orchestrator.core.waiting import Outlook, move_without_people, next_without_people
from orchestrator.core.wave import ActKind, WaveContent


class About(StrEnum):
    """What sort of decision it is."""

    APPROVE = "approve"
    MISSED = "missed"
    HELD = "held"
    NEEDS_PERSON = "needs_person"
    PLAN = "plan"
    BY_HAND = "by_hand"
    """Work at the desk that waits to be done and signed."""
    ERASE = "erase"
    """Old machines whose retention time is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One thing that a person must decide. Times carry the zone of the wave's window."""

    about: About
    wave: str
    """Key; empty for a decision about the tenant."""
    what: Sentence
    who: Sentence
    if_nobody_acts: Sentence
    stands: tuple[Sentence, ...] = ()
    """How single assets stand, where their step was begun and its end was not seen."""
    helps: Sentence | None = None
    """What helps, where the cause tells."""
    signed: tuple[Sentence, ...] = ()
    """What somebody signed already and another person must sign too before it is done."""
    since: datetime | None = None
    until: datetime | None = None
    """When it is too late to decide."""
    assets: tuple[AssetId, ...] = ()
    names: tuple[str, ...] = ()
    users: int = 0
    commands: tuple[str, ...] = ()


ENGINEER = Sentence(says="the migration engineer")
APPROVER = Sentence(says="a second person, who did not propose it")
_NOT_STARTED = (WaveState.PROPOSED, WaveState.APPROVED, WaveState.SCHEDULED)


def decisions_of(cases: Iterable[WaveCase], *, now: datetime) -> tuple[Decision, ...]:
    """Everything in these waves that waits for a person; stuck assets first, then waves, then approvals."""
    found = [decision for case in in_order(cases) for decision in _of_wave(case, now)]
    return tuple(sorted(found, key=lambda one: _URGENCY.index(one.about)))


_URGENCY = (About.NEEDS_PERSON, About.BY_HAND, About.HELD, About.MISSED, About.APPROVE, About.PLAN, About.ERASE)


def _of_wave(case: WaveCase, now: datetime) -> Iterator[Decision]:
    state = case.progress.state
    closed = now >= case.content.window.closes
    yield from _stuck(case)
    for work in desk_works(case.content, case.progress):
        yield _by_hand(case, work)
    if state is WaveState.MISSED or (state in _NOT_STARTED and closed):
        yield _missed(case)
    elif state in _NOT_STARTED and not case.is_approved():
        yield _approval(case)
    elif state in (WaveState.HELD, WaveState.PAUSED) or (
        state is WaveState.NEEDS_PERSON and not _in_state(case, MoveState.NEEDS_PERSON)
    ):
        yield _held(case)
    if due := due_in(case.content, case.progress, local_day(now, case.content)):
        yield _erase(case, due)


def _erase(case: WaveCase, due: Sequence[MoveProgress]) -> Decision:
    names = _names(case, due)
    return Decision(
        about=About.ERASE,
        wave=case.key,
        what=Sentence(
            says="Wave {wave}: the retention time of old machines is over: {count}.",
            facts={"wave": case.key, "count": len(due)},
        ),
        who=ENGINEER,
        if_nobody_acts=Sentence(says="They are kept, with all that is on them."),
        since=due_since(case.content, due),
        assets=tuple(move.asset for move in due),
        names=names,
        commands=(
            "kahn asset due",
            f"kahn wave erased {case.key} --certificate FILE --by WHO --how HOW -- {' '.join(map(quote, names))}",
        ),
    )


def _in_state(case: WaveCase, *states: MoveState) -> list[MoveProgress]:
    return [move for move in case.progress.moves.values() if move.state in states]


def _stuck(case: WaveCase) -> Iterator[Decision]:
    """One decision for all assets that are stuck by the same cause."""
    groups: dict[str, list[MoveProgress]] = {}
    for move in _in_state(case, MoveState.NEEDS_PERSON):
        groups.setdefault(move.cause, []).append(move)
    for code, moves in groups.items():
        cause, names = cause_of(code), _names(case, moves)
        lost = [move for move in moves if _is_half_seen(case, move)]
        yield Decision(
            about=About.NEEDS_PERSON,
            wave=case.key,
            what=Sentence(
                says="Wave {wave}, assets that need a person: {count}. The cause: {cause}.",
                facts={"wave": case.key, "count": len(moves), "cause": Sentence(says=cause.says)},
            ),
            who=ENGINEER,
            stands=tuple(_begun_not_finished(case, move) for move in lost),
            helps=_look_first(case, lost) if lost else Sentence(says=cause.remedy),
            signed=_signed(case, moves),
            if_nobody_acts=in_zone(move_without_people(case.content, moves[0], around=case.around), case.content),
            since=earliest((move.since for move in moves), case.content),
            assets=tuple(move.asset for move in moves),
            names=names,
            users=users_of(case.content, moves),
            commands=(
                f"kahn wave show {case.key} --evidence={quote(names[0])}",
                *_asking(case, moves),
                *_declarations(case, moves),
                f"kahn wave rollback {case.key} -- {' '.join(map(quote, names))}",
            ),
        )


def _is_half_seen(case: WaveCase, move: MoveProgress) -> bool:
    """Whether it stands at a step that was begun and whose end nobody saw; on its way back it does not."""
    unseen = move.step in move.begun and move.step not in move.done
    return unseen and declarable(ActKind.DECLARE_DONE, case.content, move) and was_lost(move)


def _begun_not_finished(case: WaveCase, move: MoveProgress) -> Sentence:
    is_past = past_return(move, case.content.runbook)
    reached = Sentence(says="reached") if is_past else Sentence(says="not reached")
    facts = {"name": case.content.move(move.asset).name, "step": place_of(case.content, move.step), "reached": reached}
    return Sentence(
        says="{name}: step {step}: begun, not finished; point of no return: {reached}",
        facts=facts,
    )


def _look_first(case: WaveCase, moves: Sequence[MoveProgress]) -> Sentence:
    """Where nobody saw the end of a step, the machine must be looked at before anybody says anything."""
    kind, assets = ActKind.DECLARE_DONE, [move.asset for move in moves]
    needed = signatures_needed(kind, case.content, case.progress, assets)
    return Sentence(
        says="Mend the line and let the machine be asked again; or look at it how far the step came, then say so "
        "(signatures needed: {needed}), or take it back.",
        facts={"needed": needed},
    )


def _asking(case: WaveCase, moves: Sequence[MoveProgress]) -> Iterator[str]:
    """The command that lets the machines be asked again, those of them that can be."""
    fit = [move for move in moves if askable(case.content, move)]
    if fit:
        yield f"kahn wave probe {case.key} --reason REASON -- {' '.join(map(quote, _names(case, fit)))}"


def _declarations(case: WaveCase, moves: Sequence[MoveProgress]) -> Iterator[str]:
    """Commands that say how assets stand; each names those of which it may be said."""
    for kind, option in _SAYING:
        fit = [move for move in moves if declarable(kind, case.content, move)]
        if fit:
            names = " ".join(map(quote, _names(case, fit)))
            yield f"kahn wave repaired {case.key} {option} --reason REASON -- {names}"


_SAYING = (
    (ActKind.DECLARE_DONE, "--step done"),
    (ActKind.DECLARE_NOT_DONE, "--step not-done"),
    (ActKind.DECLARE_UNDONE, "--undone"),
)


def place_of(content: WaveContent, step: str) -> str:
    """A step with its place in the runbook, such as ``3/7 save``; the bare name where it is none of its steps."""
    names = content.runbook.step_names
    return f"{names.index(step) + 1}/{len(names)} {step}" if step in names else step


AT_THE_DESK: dict[Direction, str] = {
    Direction.DO: "Wave {wave}, by hand: {title} (machines: {count}).",
    Direction.UNDO: "Wave {wave}, take back by hand: {title} (machines: {count}).",
    Direction.BASELINE: "Wave {wave}, by hand: note the state from before (machines: {count}).",
    Direction.COMPARE: "Wave {wave}, by hand: compare with the state from before (machines: {count}).",
}


def _by_hand(case: WaveCase, work: DeskWork) -> Decision:
    """Work at the desk: what, who must be there, until when, and how to say that it is done."""
    moves = [case.progress.moves[asset] for asset in work.assets]
    names = _names(case, moves)
    named = " ".join(map(quote, names))
    return Decision(
        about=About.BY_HAND,
        wave=case.key,
        what=Sentence(
            says=AT_THE_DESK[work.direction],
            facts={"wave": case.key, "title": work.title, "count": len(moves)},
        ),
        who=Sentence(says="{who}", facts={"who": work.present}) if work.present else ENGINEER,
        helps=Sentence(says="Points: {points}", facts={"points": "; ".join(work.points)}),
        if_nobody_acts=in_zone(move_without_people(case.content, moves[0], around=case.around), case.content),
        since=earliest([work.since], case.content),
        until=local(work.until, case.content) if work.until else None,
        assets=work.assets,
        names=names,
        users=users_of(case.content, moves),
        commands=(
            f"kahn wave done {case.key} {work.word} -- {named}",
            f"kahn wave done {case.key} {work.word} --failed --reason REASON -- {named}",
        ),
    )


def _approval(case: WaveCase) -> Decision:
    content = case.content
    there = len(case.standing.approvers) if case.standing else 0
    facts = {
        "wave": case.key,
        "count": len(content.moves),
        "opens": local(content.window.opens, content),
        "there": there,
        "needed": content.approvers_needed,
    }
    return Decision(
        about=About.APPROVE,
        wave=case.key,
        what=Sentence(
            says="Approve or refuse wave {wave} (machines: {count}). Its window opens {opens}; approvals: {there} of "
            "{needed}.",
            facts=facts,
        ),
        who=APPROVER,
        if_nobody_acts=Sentence(says="It does not start, and at {closes} its window is over.", facts=_window(content)),
        since=earliest([case.progress.since], content),
        until=local(content.window.closes, content),
        assets=tuple(move.asset for move in content.moves),
        names=tuple(move.name for move in content.moves),
        users=sum(move.users for move in content.moves),
        commands=(f"kahn wave show {case.key}", f"kahn wave approve {case.key}"),
    )


def _missed(case: WaveCase) -> Decision:
    content = case.content
    return Decision(
        about=About.MISSED,
        wave=case.key,
        what=Sentence(
            says="Plan wave {wave} again (machines: {count}): its window passed without a start.",
            facts={"wave": case.key, "count": len(content.moves)},
        ),
        who=ENGINEER,
        if_nobody_acts=Sentence(says="Nothing happens: nothing is caught up by itself."),
        since=local(content.window.closes, content),
        assets=tuple(move.asset for move in content.moves),
        names=tuple(move.name for move in content.moves),
        users=sum(move.users for move in content.moves),
        commands=("kahn plan propose",),
    )


def _goes_on(move: MoveProgress) -> bool:
    """Whether resuming the wave lets it go on; one that is held for a cause of its own stays where it is."""
    settled = (*ARRIVED, MoveState.ROLLED_BACK, MoveState.NEEDS_PERSON)
    held_itself = move.state is MoveState.HELD and move.cause != WAVE_HELD
    return move.state not in settled and not held_itself


def _held(case: WaveCase) -> Decision:
    """A wave that stands: go on, roll back, or leave it so."""
    waiting = [move for move in case.progress.moves.values() if _goes_on(move)]
    cause = cause_of(case.progress.cause)
    resume = (f"kahn wave resume {case.key} --reason REASON",) if cause.code != "window_ended" else ()
    if case.progress.state is not WaveState.PAUSED:
        resume = (*resume, f"kahn wave close {case.key} --reason REASON")
    return Decision(
        about=About.HELD,
        wave=case.key,
        what=Sentence(
            says="Wave {wave} is held: {cause}. Machines that wait: {count}.",
            facts={"wave": case.key, "cause": Sentence(says=cause.says), "count": len(waiting)},
        ),
        who=ENGINEER,
        helps=Sentence(says=cause.remedy),
        signed=_signed(case),
        if_nobody_acts=in_zone(next_without_people(case.content, case.progress, around=case.around), case.content),
        since=earliest([case.progress.since], case.content),
        assets=tuple(move.asset for move in waiting),
        names=_names(case, waiting),
        users=users_of(case.content, waiting),
        commands=(f"kahn wave show {case.key}", *resume, f"kahn wave rollback {case.key} --preview"),
    )


SIGNED_SO_FAR: dict[ActKind, str] = {
    ActKind.RESUME: "Signed to let the wave go on: {there} of {needed}. Another person must sign the same.",
    ActKind.DECLARE_DONE: "Signed that the step is done ({names}): {there} of {needed}. Another person must sign the "
    "same.",
    ActKind.DECLARE_NOT_DONE: "Signed that the step is not done ({names}): {there} of {needed}. Another person must "
    "sign the same.",
    ActKind.DECLARE_UNDONE: "Signed that all is undone ({names}): {there} of {needed}. Another person must sign the "
    "same.",
}


def _signed(case: WaveCase, moves: Sequence[MoveProgress] = ()) -> tuple[Sentence, ...]:
    """What waits for another signature: on these assets, or without any on the whole wave."""
    among = frozenset(move.asset for move in moves)
    return tuple(
        Sentence(
            says=SIGNED_SO_FAR[one.kind],
            facts={
                "names": ", ".join(sorted(case.content.move(asset).name for asset in one.assets)),
                "there": one.there,
                "needed": one.needed,
            },
        )
        for one in case.unfinished
        if (one.assets & among if among else not one.assets)
    )


# --------------------------------------------------------------------------- words and times


def in_zone(outlook: Outlook, content: WaveContent) -> Sentence:
    """The outlook as a sentence: times on the wall of the wave's window, the cause in words."""
    facts: dict[str, object] = {**outlook.facts, **_window(content)}
    if "cause" in facts:
        facts["cause"] = Sentence(says=cause_of(str(outlook.facts["cause"]).strip("-")).says)
    if outlook.at is not None:
        facts["at"] = facts["last"] = local(outlook.at, content)
    return Sentence(says=outlook.says, facts=facts)


def _window(content: WaveContent) -> dict[str, object]:
    return {"opens": local(content.window.opens, content), "closes": local(content.window.closes, content)}


def local(moment: datetime, content: WaveContent) -> datetime:
    """The moment on the wall where the wave's window was planned."""
    return moment.astimezone(ZoneInfo(content.window.zone))


def earliest(moments: Iterable[datetime | None], content: WaveContent) -> datetime | None:
    """The first of these moments, on the wall of the window's zone; None when none is known."""
    known = [moment for moment in moments if moment is not None]
    return local(min(known), content) if known else None


def _names(case: WaveCase, moves: Sequence[MoveProgress]) -> tuple[str, ...]:
    return tuple(case.content.move(move.asset).name for move in moves)


def users_of(content: WaveContent, moves: Iterable[MoveProgress]) -> int:
    """How many people use these assets."""
    return sum(content.move(move.asset).users for move in moves)

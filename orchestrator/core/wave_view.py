"""One wave as a view: what a screen, plain text or JSON shows of it. Every count adds up to the size of the wave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from inventory.model import AssetId, TenantId
from orchestrator.core.approval import Standing
from orchestrator.core.asked_old import AskedOld
from orchestrator.core.causes import cause_of
from orchestrator.core.decisions import About, Decision, decisions_of, in_zone, local, place_of
from orchestrator.core.dependants import doubts
from orchestrator.core.estimates import Estimates
from orchestrator.core.explain import Sentence
from orchestrator.core.lifecycle import ARRIVED, MOVE_GROUPS, WAVE_GROUPS, MoveState, WaveState
from orchestrator.core.logged_on import SHOWN, logged_on
from orchestrator.core.opening_check import OpeningLine, openings_of
from orchestrator.core.places import WaveCase
from orchestrator.core.progress import GateRecord, MoveProgress, WaveProgress
from orchestrator.core.results import Result
from orchestrator.core.surroundings import CALM, Surroundings
from orchestrator.core.undo import HELD_BY_PERSON, SKIPPED, WAVE_HELD, touched
from orchestrator.core.waiting import move_without_people, next_without_people
from orchestrator.core.waits import waits_until
from orchestrator.core.wave import WaveContent

WELL = (MoveState.PLANNED, MoveState.RUNNING, MoveState.WAITING_TOOL, *ARRIVED)
_WORST_FIRST = (
    MoveState.NEEDS_PERSON,
    MoveState.UNKNOWN,
    MoveState.PROBING,
    MoveState.FAILED,
    MoveState.ROLLING_BACK,
    MoveState.HELD,
    MoveState.ROLLED_BACK,
    MoveState.RUNNING,
)


class StoredWave(Protocol):
    """What the view needs of a wave as stored."""

    @property
    def content(self) -> WaveContent: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """One batch, or with an empty name the whole wave: how many moves are in each state, and the gate behind it."""

    name: str
    size: int
    counts: Mapping[MoveState, int]
    """Every state is there, also with 0; together they are ``size``."""
    begun: bool
    gate: GateRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotWellLine:
    """One asset that is not simply planned, under way or moved."""

    asset: AssetId
    name: str
    department: str
    users: int
    state: MoveState
    step: str
    """Such as ``3/7 save``; empty when none is meant."""
    since: datetime | None
    cause: Sentence
    decision: int = 0
    """Number of the decision it belongs to, counted from 1; 0 for none."""
    waits_for: tuple[str, ...] = ()
    """Names of those whose state must be known before it goes on; it is well itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BehindLine:
    """One cause for which assets went back or stayed behind, with what helps."""

    cause: Sentence
    remedy: Sentence
    names: tuple[str, ...]
    users: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """People who may be unable to work: their machine was begun and is neither moved nor as before."""

    users: int
    since: datetime
    """Of the first of them."""
    allowed_s: int
    """How long that was agreed to last at most; 0 when nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLine:
    """Of how many assets before and after were compared, and which of them lack something that nobody signed for."""

    compared: int
    size: int
    lacking: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    """Which of them may lack something, as a person signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveView:
    """The whole view. Times stand in the zone of the wave's window."""

    tenant: TenantId
    key: str
    revision: int
    fingerprint: str
    state: WaveState
    cause: Sentence | None
    since: datetime | None
    runbook: str
    opens: datetime
    closes: datetime
    zone: str
    as_of: datetime
    if_nobody_acts: tuple[Sentence, ...]
    """What comes for the wave, and for its assets that are unknown or need a person."""
    batches: tuple[BatchLine, ...]
    total: BatchLine
    not_well: tuple[NotWellLine, ...]
    needs_you: tuple[Decision, ...]
    users: int
    """People who use the assets of this wave."""
    users_in_doubt: int
    """People who use an asset that is not well and not proven to be as before."""
    live_runs: int
    behind: tuple[BehindLine, ...] = ()
    outage: Outage | None = None
    last_start: datetime | None = None
    """When the next batch must begin at the latest, so that it could still go back; None when none waits."""
    last_rollback: datetime | None = None
    """When taking back what was begun must begin at the latest; None when nothing was changed."""
    lead: str = ""
    """Pseudonym of who leads it; empty when nobody does."""
    compared: ComparedLine | None = None
    """None where the runbook compares nothing, or nothing was compared yet."""
    openings: tuple[OpeningLine, ...] = ()
    """Opening checks for which the wave soaks."""
    asked_old: tuple[AskedOldLine, ...] = ()
    """Who still asks the old server of each procedure that moved, where that was counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOldLine:
    """One asset's old server and who asks it."""

    name: str
    asked: AskedOld


def view_of(
    wave: StoredWave,
    progress: WaveProgress,
    *,
    now: datetime,
    standing: Standing | None = None,
    around: Surroundings = CALM,
) -> WaveView:
    """The view of a wave at a moment. ``standing`` is given where signatures were checked."""
    case = WaveCase(content=wave.content, progress=progress, standing=standing, around=around)
    return view_of_case(case, now=now)


def view_of_case(case: WaveCase, *, now: datetime) -> WaveView:
    """The view of one wave with all that is known about it."""
    content, progress = case.content, case.progress
    decisions = decisions_of([case], now=now)
    not_well = _not_well(content, progress, decisions)
    times, going = Estimates(content=content, around=case.around), progress.state in _COUNTS_DOWN
    return WaveView(
        tenant=content.tenant,
        key=content.key,
        revision=progress.revision,
        fingerprint=content.fingerprint,
        state=progress.state,
        cause=Sentence(says=cause_of(progress.cause).says) if progress.cause else None,
        since=local(progress.since, content) if progress.since else None,
        runbook=content.runbook.name,
        opens=local(content.window.opens, content),
        closes=local(content.window.closes, content),
        zone=content.window.zone,
        as_of=local(now, content),
        if_nobody_acts=_outlook(case, decisions),
        batches=tuple(_batch(content, progress, batch.name) for batch in content.batches),
        total=_line("", list(progress.moves.values()), begun=bool(progress.begun)),
        not_well=not_well,
        needs_you=decisions,
        users=sum(move.users for move in content.moves),
        users_in_doubt=sum(content.move(one.asset).users for one in progress.moves.values() if in_doubt(one, content)),
        live_runs=len(progress.live),
        behind=_behind(content, progress),
        outage=_outage(case),
        last_start=_wall(times.last_start(progress), content) if going else None,
        last_rollback=_wall(times.last_rollback(progress), content) if going else None,
        lead=progress.lead,
        compared=_compared(content, progress),
        openings=openings_of(content, progress, now=now),
        asked_old=tuple(
            AskedOldLine(name=content.move(move.asset).name, asked=move.asked_old)
            for move in progress.moves.values()
            if move.asked_old is not None
        ),
    )


def _compared(content: WaveContent, progress: WaveProgress) -> ComparedLine | None:
    seen = [move for move in progress.moves.values() if move.likeness is not None]
    if content.runbook.after is None or not seen:
        return None
    less = [one for one in seen if one.likeness and one.likeness.serious]
    return ComparedLine(
        compared=len(seen),
        size=len(progress.moves),
        lacking=tuple(content.move(one.asset).name for one in less if not one.accepted),
        accepted=tuple(content.move(one.asset).name for one in less if one.accepted),
    )


def in_doubt(move: MoveProgress, content: WaveContent) -> bool:
    """Whether its users may be unable to work: stuck, on its way back, or stopped half-way; no untouched one."""
    if move.state in (MoveState.ROLLING_BACK, MoveState.PROBING, *MOVE_GROUPS["stuck"]):
        return True
    return move.state is MoveState.HELD and touched(move, content.runbook)


_COUNTS_DOWN = (*sorted(WAVE_GROUPS["in motion"] | WAVE_GROUPS["stuck"]), WaveState.APPROVED, WaveState.SCHEDULED)


def _wall(moment: datetime | None, content: WaveContent) -> datetime | None:
    return local(moment, content) if moment is not None else None


def _outlook(case: WaveCase, decisions: Sequence[Decision]) -> tuple[Sentence, ...]:
    """The wave's outlook, then work at the desk, then one for each stuck state of its assets: the soonest of them."""
    content, progress = case.content, case.progress
    found = [in_zone(next_without_people(content, progress, around=case.around), content)]
    for one in decisions:
        if one.about is About.BY_HAND:
            facts = {"count": len(one.assets), "outlook": one.if_nobody_acts}
            found.append(Sentence(says="At the desk ({count}): {outlook}", facts=facts))
    for state, says in (
        (MoveState.RUNNING, Sentence(says="Waiting ({count}): {outlook}")),
        (MoveState.UNKNOWN, Sentence(says="Unknown ({count}): {outlook}")),
        (MoveState.WAITING_TOOL, Sentence(says="In the hands of another tool ({count}): {outlook}")),
        (MoveState.NEEDS_PERSON, Sentence(says="Needs a person ({count}): {outlook}")),
    ):
        moves = [
            move
            for move in progress.moves.values()
            if move.state is state and (state is not MoveState.RUNNING or waits_until(content, move))
        ]
        outlooks = [move_without_people(content, move, around=case.around) for move in moves]
        if outlooks:
            soonest = min(outlooks, key=lambda one: (one.at is None, one.at or content.window.closes))
            facts = {"count": len(outlooks), "outlook": in_zone(soonest, content)}
            found.append(_how_far(moves, facts) or replace(says, facts=facts))
    return tuple(found)


def _how_far(moves: Sequence[MoveProgress], facts: Mapping[str, object]) -> Sentence | None:
    """The same with how far the slowest of them is, where every probe of another tool tells that."""
    told = [move.percent for move in moves if move.state is MoveState.WAITING_TOOL and move.percent is not None]
    if not moves or len(told) < len(moves):
        return None
    return Sentence(
        says="In the hands of another tool ({count}), at least {percent} % done: {outlook}",
        facts={**facts, "percent": min(told)},
    )


def _batch(content: WaveContent, progress: WaveProgress, name: str) -> BatchLine:
    batch = next(batch for batch in content.batches if batch.name == name)
    moves = [progress.moves[asset] for asset in batch.assets]
    return _line(name, moves, begun=name in progress.begun, gate=progress.gate(name))


def _line(name: str, moves: Sequence[MoveProgress], *, begun: bool, gate: GateRecord | None = None) -> BatchLine:
    counted = Counter(move.state for move in moves)
    counts = MappingProxyType({state: counted[state] for state in MoveState})
    return BatchLine(name=name, size=len(moves), counts=counts, begun=begun, gate=gate)


def _not_well(
    content: WaveContent, progress: WaveProgress, decisions: Sequence[Decision]
) -> tuple[NotWellLine, ...]:  # fmt: skip
    number = {asset: nth for nth, one in reversed(list(enumerate(decisions, 1))) for asset in one.assets}
    lines = [
        _not_well_line(content, move, number.get(move.asset, 0))
        for move in progress.moves.values()
        if move.state not in WELL or _tries_again(move)
    ]
    lines += _waiting_lines(content, progress)
    return tuple(sorted(lines, key=lambda line: _WORST_FIRST.index(line.state)))


def _tries_again(move: MoveProgress) -> bool:
    """Under way, but its latest attempt did not end well."""
    return move.state is MoveState.RUNNING and move.last is not None and move.last.outcome != "done"


def _waiting_lines(content: WaveContent, progress: WaveProgress) -> list[NotWellLine]:
    """Assets that are well and begin nothing, because somebody they lean on was lost sight of."""
    found = []
    for move in progress.moves.values():
        waits = move.state is MoveState.RUNNING and move.run is None and not _tries_again(move)
        names = tuple(content.move(one).name for one in doubts(content, progress, move.asset)) if waits else ()
        if names:
            after = next((name for name in content.runbook.step_names if name not in move.done), move.step)
            says = Sentence(says="waits until it is known how {names} stands", facts={"names": ", ".join(names)})
            line = _not_well_line(content, move, 0)
            found.append(replace(line, step=place_of(content, after), cause=says, waits_for=names))
    return found


_WANTED = ("asked", "aborted", SKIPPED, HELD_BY_PERSON, WAVE_HELD)
"""Causes that are a person's own will or the wave's, and tell nothing new."""


def _behind(content: WaveContent, progress: WaveProgress) -> tuple[BehindLine, ...]:
    """Assets that went back or stayed behind, one line a cause, most users first."""
    groups: dict[str, list[MoveProgress]] = {}
    for move in progress.moves.values():
        if move.state in (MoveState.ROLLED_BACK, MoveState.HELD) and move.cause and move.cause not in _WANTED:
            groups.setdefault(move.cause, []).append(move)
    lines = [
        BehindLine(
            cause=Sentence(says=cause_of(code).says),
            remedy=Sentence(says=cause_of(code).remedy),
            names=tuple(content.move(move.asset).name for move in moves),
            users=sum(content.move(move.asset).users for move in moves),
        )
        for code, moves in groups.items()
    ]
    return tuple(sorted(lines, key=lambda line: -line.users))


def _outage(case: WaveCase) -> Outage | None:
    content, moves = case.content, case.progress.moves.values()
    out = [move for move in moves if move.out_since is not None and move.state not in _IN_SERVICE]
    if not out or case.progress.state in WAVE_GROUPS["at rest"]:
        return None
    since = min(move.out_since for move in out if move.out_since is not None)
    users = sum(content.move(move.asset).users for move in out)
    return Outage(users=users, since=local(since, content), allowed_s=case.around.outage_allowed_s)


_IN_SERVICE = (*ARRIVED, MoveState.ROLLED_BACK)


def _not_well_line(content: WaveContent, move: MoveProgress, decision: int) -> NotWellLine:
    planned = content.move(move.asset)
    again = move.last if _tries_again(move) else None
    since = move.lost_at or move.since
    return NotWellLine(
        asset=move.asset,
        name=planned.name,
        department=planned.department,
        users=planned.users,
        state=move.state,
        step=place_of(content, again.step if again else move.step),
        since=local(since, content) if since else None,
        cause=_why(content, move, again),
        decision=decision,
    )


def _why(content: WaveContent, move: MoveProgress, again: Result | None) -> Sentence:
    """The cause in words; of people at work on the machine their numbers there, and since when they are logged on."""
    cause = Sentence(says=cause_of(again.cause if again else move.cause or _why_held(move)).says)
    people = logged_on(again.evidence) if again else ()
    if not people:
        return cause
    facts = {
        "cause": cause,
        "numbers": ", ".join(str(one.uid) for one in people[:SHOWN]) + (" ..." if len(people) > SHOWN else ""),
        "since": local(people[0].since, content),
    }
    return Sentence(says="{cause} (account number {numbers}, since {since})", facts=facts)


def _why_held(move: MoveProgress) -> str:
    return WAVE_HELD if move.state is MoveState.HELD else ""

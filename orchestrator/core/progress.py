"""How far a wave has come: a fold of its journal entries. Nothing here decides; ``decide`` does.

Kinds of entries with the subject ``wave:<key>`` and what they carry:

    wave.content     revision, fingerprint, plan               a (new) revision: everything before it is history
    wave.state       revision, from, to, event, cause
    act              kind, by, fingerprint, assets             a signed act of a person
    batch.begun      batch, assets                             its size is frozen here
    batch.gated      batch, verdict, bad, allowed, size, wave_bad, wave_allowed, wave_size
    run.intended     run, batch, step, direction, attempts (asset -> attempt id), epoch, deadline, second_way (assets)
    run.ended        run, how (exit | lost | never_started | by_hand), rc, last_seq
    attempt.ended    run, asset, step, direction, outcome, cause, evidence
    move.state       asset, from, to, event, step, cause
    move.compared    asset, counts, serious, differences: before and after, verdict by verdict
    move.declared    assets, verdict (done | not_done | undone), by: what people say about assets that needed one
    wave.lead        lead: who leads the wave from here on
    move.erased      assets, on, certificate, sha256, by;   wave.note: a person's note, its text can be redacted
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from inventory.model import AssetId
from orchestrator.core.asked_old import AskedOld, asked_old_in
from orchestrator.core.lifecycle import MoveState, WaveEvent, WaveState
from orchestrator.core.likeness import BEFORE_AND_AFTER, Likeness
from orchestrator.core.results import OPENING_BAD, SERVICE_BAD, STARTED, WAITS, AtWork, Result, fault_of
from orchestrator.core.runbook import Direction
from orchestrator.core.tools import percent_of
from orchestrator.core.wave import RunId, WaveContent, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One journal entry as the fold sees it."""

    at: datetime
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveProgress:
    """One asset move's way so far. Step names are those of the runbook."""

    asset: AssetId
    batch: str
    state: MoveState = MoveState.PLANNED
    cause: str = ""
    step: str = ""
    done: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()
    """Steps that were (perhaps) begun and whose undo was not confirmed since."""
    opened: str = ""
    """The step that the latest attempt was the first to begin; empty when an earlier one had begun it."""
    last: Result | None = None
    """The latest attempt's result, until the next attempt is intended."""
    tries: Mapping[str, int] = field(default_factory=dict)
    """Attempts per ``direction:step`` since the last decision of a person or since the rollback began."""
    probes: int = 0
    run: RunId | None = None
    """The live run it takes part in."""
    at_work: AtWork | None = None
    """What that run is for."""
    baseline: str = ""
    portrait: Mapping[str, Any] | None = None
    """What its machine told of itself before the first step."""
    likeness: Likeness | None = None
    """How its successor compares with that; None until it was looked at."""
    accepted: bool = False
    """Whether a person signed that the difference may stay."""
    since: datetime | None = None
    lost_at: datetime | None = None
    """Since when nobody knows how it stands, probes included; None while that is known."""
    out_since: datetime | None = None
    """Since when it may be out of service: its first step was intended and it is neither moved nor as before."""
    fault: tuple[str, str] | None = None
    """Step and cause of what last went wrong with it, since a person let the wave go on; None when all went well."""
    heard_at: datetime | None = None
    """When its latest attempt ended."""
    service_at: datetime | None = None
    """When it was last asked whether it really serves."""
    service_ok: bool | None = None
    asked_old: AskedOld | None = None
    """Who still asks its old server; None until that was counted."""
    wish: Wish | None = None
    asked: bool = False
    """Whether a person wants its machine asked again, and nobody has yet."""
    started_at: datetime | None = None
    """When the other tool was started with the external step that is under way."""
    waits_since: datetime | None = None
    """Since when its step is looked at again and again, because it met what its runbook waits for."""
    percent: int | None = None
    """How much of that step the latest probe said is done; None when it did not say."""
    attempts: int = 0
    """Attempts of any kind so far; 0 for one that nothing was ever done to."""

    def tried(self, direction: Direction, step: str) -> int:
        """How often this was tried."""
        return self.tries.get(f"{direction}:{step}", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRecord:
    """A gate's verdict with its inputs; ``overruled`` when a person resumed the wave after it."""

    batch: str
    verdict: str
    bad: int
    allowed: int
    size: int
    wave_bad: int
    wave_allowed: int
    wave_size: int
    overruled: bool = False
    at: datetime | None = None
    """When it was given; None before it was written down."""

    @property
    def open(self) -> bool:
        """Whether the wave may go on past it."""
        return self.verdict == "ok" or self.overruled


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveProgress:
    """A wave's way so far."""

    revision: int
    state: WaveState
    cause: str
    moves: Mapping[AssetId, MoveProgress]
    begun: tuple[str, ...] = ()
    gates: tuple[GateRecord, ...] = ()
    requested: frozenset[AssetId] = frozenset()
    """Assets a person asked to roll back; empty when none."""
    wholly: bool = False
    """Whether a person asked for the whole wave back, what never began included."""
    live: tuple[RunId, ...] = ()
    since: datetime | None = None
    aborted: bool = False
    """Whether a person broke it off: what is half-way goes back, what was not begun stays out."""
    lead: str = ""
    """Pseudonym of the person who leads it; empty when nobody took the lead."""
    soaked: bool = False
    """Whether the soak after the latest gate came to its end, or people let the wave go on after a bad answer in it."""
    halts: frozenset[str] = frozenset()
    """Causes for which it held itself since a person last let it go on; a rollback in between forgets none."""

    def gate(self, batch: str) -> GateRecord | None:
        """The latest verdict on that batch."""
        return next((gate for gate in reversed(self.gates) if gate.batch == batch), None)


def at_start(content: WaveContent, *, revision: int = 1) -> WaveProgress:
    """A wave about which nothing was written yet."""
    moves = {asset: MoveProgress(asset=asset, batch=batch.name) for batch in content.batches for asset in batch.assets}
    return WaveProgress(revision=revision, state=WaveState.DRAFT, cause="", moves=moves)


def progress_of(content: WaveContent, facts: Iterable[Fact], *, so_far: WaveProgress | None = None) -> WaveProgress:
    """The fold: the wave as its entries, oldest first, leave it. ``so_far``: what the entries before these left."""
    progress = so_far or at_start(content)
    for fact in facts:
        if fact.kind == "wave.content":
            progress = at_start(content, revision=fact.body["revision"])
        elif fact.kind in _APPLY:
            progress = _APPLY[fact.kind](progress, fact)
    return progress


def _wave_state(progress: WaveProgress, fact: Fact) -> WaveProgress:
    gates, requested, wholly = progress.gates, progress.requested, progress.wholly
    moves, halts = progress.moves, progress.halts
    if fact.body["event"] == WaveEvent.HOLD:
        halts |= {fact.body["cause"]}
    if fact.body["event"] == WaveEvent.RESUME:
        halts = frozenset()
        gates = tuple(replace(gate, overruled=True) for gate in gates)
        moves = {asset: replace(move, tries={}, fault=None) for asset, move in moves.items()}
    if fact.body["from"] == WaveState.ROLLING_BACK:
        requested, wholly = frozenset(), False
    if fact.body["event"] == WaveEvent.QUIET:
        requested = frozenset(move.asset for move in moves.values() if move.begun and _is_half_way(move))
    return replace(
        progress,
        state=WaveState(fact.body["to"]),
        cause=fact.body["cause"],
        gates=gates,
        requested=requested,
        wholly=wholly,
        moves=moves,
        since=fact.at,
        halts=halts,
        aborted=progress.aborted or fact.body["event"] == WaveEvent.ABORT,
        soaked=progress.soaked or _ends_soak(progress, fact),
    )


def _ends_soak(progress: WaveProgress, fact: Fact) -> bool:
    if fact.body["event"] == WaveEvent.RESUME:
        return progress.cause in (SERVICE_BAD, OPENING_BAD)
    return bool(fact.body["event"] == WaveEvent.SOAKED)


def _is_half_way(move: MoveProgress) -> bool:
    stopped = move.state is MoveState.HELD and move.cause in ("wave_held", "held_by_person")
    return stopped or move.state is MoveState.RUNNING


def _act(progress: WaveProgress, fact: Fact) -> WaveProgress:
    kind = fact.body["kind"]
    if kind in (*Wish, "probe"):
        want: dict[str, Any] = {"asked": True} if kind == "probe" else {"wish": Wish(kind)}
        wishing = {asset: replace(progress.moves[asset], **want) for asset in fact.body["assets"]}
        return replace(progress, moves={**progress.moves, **wishing})
    if kind != "roll_back":
        return progress
    wanted = fact.body["assets"] or [asset for asset, move in progress.moves.items() if move.begun or move.baseline]
    requested = progress.requested | frozenset(AssetId(asset) for asset in wanted)
    return replace(progress, requested=requested, wholly=progress.wholly or not fact.body["assets"])


def _batch_begun(progress: WaveProgress, fact: Fact) -> WaveProgress:
    return replace(progress, begun=(*progress.begun, fact.body["batch"]))


def _batch_gated(progress: WaveProgress, fact: Fact) -> WaveProgress:
    return replace(progress, gates=(*progress.gates, GateRecord(**{**fact.body, "at": fact.at})), soaked=False)


def _run_intended(progress: WaveProgress, fact: Fact) -> WaveProgress:
    run, step, direction = RunId(fact.body["run"]), fact.body["step"], Direction(fact.body["direction"])
    key = f"{direction}:{step}"
    moves = dict(progress.moves)
    for asset in fact.body["attempts"]:
        move = moves[asset]
        opened = step if direction is Direction.DO and step not in move.begun else ""
        begun = (*move.begun, step) if opened else move.begun
        tries = {**move.tries, key: move.tries.get(key, 0) + 1}
        asks = direction is Direction.PROBE
        probes = (0 if move.asked else move.probes) + 1 if asks else move.probes
        out = move.out_since or (fact.at if opened else None)
        at_work = AtWork(step=step, direction=direction, since=fact.at, until=_moment(fact.body.get("deadline")))
        learned = replace(move, begun=begun, opened=opened, tries=tries, probes=probes, out_since=out, at_work=at_work)
        if direction is Direction.DO:
            learned = replace(learned, started_at=None, percent=None)
        asked = move.asked and not asks
        moves[asset] = replace(learned, run=run, last=None, attempts=move.attempts + 1, asked=asked)
    return replace(progress, moves=moves, live=(*progress.live, run))


def _moment(told: object) -> datetime | None:
    return datetime.fromisoformat(told) if isinstance(told, str) else told if isinstance(told, datetime) else None


def _run_ended(progress: WaveProgress, fact: Fact) -> WaveProgress:
    return replace(progress, live=tuple(run for run in progress.live if run != fact.body["run"]))


def _attempt_ended(progress: WaveProgress, fact: Fact) -> WaveProgress:
    body = fact.body
    result = Result(
        step=body["step"],
        direction=Direction(body["direction"]),
        outcome=body["outcome"],
        cause=body["cause"],
        evidence=body["evidence"],
        at=fact.at,
    )
    before = progress.moves[body["asset"]]
    move = replace(before, run=None, at_work=None, last=result, heard_at=fact.at, fault=fault_of(result, before.fault))
    return replace(progress, moves={**progress.moves, move.asset: _learned(move, result)})


def _learned(move: MoveProgress, result: Result) -> MoveProgress:
    """What the result teaches about done, begun, the baseline and the service."""
    if result.direction is Direction.SERVICE:
        asked = asked_old_in(result.evidence) or move.asked_old
        return replace(move, service_at=result.at, service_ok=result.outcome == "done", asked_old=asked)
    if result.direction is Direction.DO:
        return _stepped(move, result)
    if result.outcome == "done":
        kahn = result.evidence.get("kahn", {})
        if result.direction is Direction.PROBE and kahn.get("answer") == "done":
            return replace(move, done=(*move.done, result.step), probes=0)
        if result.direction is Direction.PROBE:
            return replace(move, percent=percent_of(kahn) if isinstance(kahn, Mapping) else None)
        if result.direction is Direction.UNDO:
            return replace(
                move,
                done=tuple(step for step in move.done if step != result.step),
                begun=tuple(step for step in move.begun if step != result.step),
            )
        if result.direction is Direction.BASELINE:
            digest, portrait = kahn.get("baseline"), kahn.get("portrait")
            known = portrait if isinstance(portrait, Mapping) else None
            return replace(move, baseline=digest if isinstance(digest, str) else "", portrait=known)
    return move


_NOT_SEEN = (MoveState.UNKNOWN, MoveState.PROBING)
_NEW_CHANCE = ("repeat", "probe_done", "probe_not_done", "await", "still_going")
"""Events after which the latest result has been judged and must not be judged again."""


def _stepped(move: MoveProgress, result: Result) -> MoveProgress:
    """What a step on the way forward teaches; one that never began, or only waited, keeps nobody from working."""
    if result.outcome == STARTED:
        return replace(move, started_at=result.at)
    if result.outcome == "done":
        return replace(move, done=(*move.done, result.step), probes=0, waits_since=None)
    if result.outcome == WAITS:
        tries = {key: count for key, count in move.tries.items() if key != f"{Direction.DO}:{result.step}"}
        move = replace(move, waits_since=move.waits_since or result.at, tries=tries)
    if result.outcome in ("not_started", "unreachable", WAITS) and move.opened == result.step:
        begun = tuple(step for step in move.begun if step != result.step)
        return replace(move, begun=begun, out_since=move.out_since if begun else None)
    return move


def _move_state(progress: WaveProgress, fact: Fact) -> WaveProgress:
    body = fact.body
    move = progress.moves[body["asset"]]
    fresh = body["event"] in ("roll_back", "begin")
    moved = replace(
        move,
        state=MoveState(body["to"]),
        cause=body["cause"],
        step=body["step"],
        since=fact.at,
        lost_at=(move.lost_at or fact.at) if MoveState(body["to"]) in _NOT_SEEN else None,
        tries={} if fresh else move.tries,
        last=None if fresh or body["event"] in _NEW_CHANCE else move.last,
        probes=0 if fresh else move.probes,
        wish=None if body["event"] in _WISH_DONE else move.wish,
        asked=move.asked and MoveState(body["to"]) in _NOT_SEEN,
        started_at=move.started_at or (fact.at if body["event"] == "still_going" else None),
        likeness=None if body["event"] == "roll_back" else move.likeness,
        accepted=move.accepted and body["event"] != "roll_back",
        asked_old=None if body["event"] == "roll_back" else move.asked_old,
        waits_since=None if fresh else move.waits_since,
    )
    gave_up = body["event"] == "give_up" and body["from"] == MoveState.ROLLING_BACK
    requested = progress.requested - {moved.asset} if gave_up else progress.requested
    return replace(progress, moves={**progress.moves, moved.asset: moved}, requested=requested)


_WISH_DONE = ("hold", "begin", "roll_back", "complete", "retire", "prove", "give_up")
"""Events after which a person's wish was carried out, or has no sense any more."""


def _declared(progress: WaveProgress, fact: Fact) -> WaveProgress:
    """What people say was done by hand: the step is done, was not done, or everything was undone.

    Of a difference between before and after: it may stay, or it was mended and is looked at again.
    """
    moves = dict(progress.moves)
    for asset in fact.body["assets"]:
        move, verdict = moves[asset], fact.body["verdict"]
        if move.cause in BEFORE_AND_AFTER and verdict != "undone":
            kept = move.likeness if verdict == "done" else None
            moves[asset] = replace(move, last=None, tries={}, accepted=verdict == "done", likeness=kept)
        elif verdict == "undone":
            moves[asset] = replace(move, begun=(), done=(), last=None, tries={})
        elif verdict == "done":
            done = (*(step for step in move.done if step != move.step), move.step)
            moves[asset] = replace(move, done=done, last=None, tries={})
        else:
            begun = tuple(step for step in move.begun if step != move.step)
            moves[asset] = replace(move, begun=begun, last=None, tries={})
    return replace(progress, moves=moves)


def _compared(progress: WaveProgress, fact: Fact) -> WaveProgress:
    move = progress.moves[fact.body["asset"]]
    likeness = Likeness(counts=fact.body["counts"], serious=fact.body["serious"])
    return replace(progress, moves={**progress.moves, move.asset: replace(move, likeness=likeness, last=None)})


_APPLY: Mapping[str, Callable[[WaveProgress, Fact], WaveProgress]] = {
    "wave.state": _wave_state,
    "act": _act,
    "batch.begun": _batch_begun,
    "batch.gated": _batch_gated,
    "run.intended": _run_intended,
    "run.ended": _run_ended,
    "attempt.ended": _attempt_ended,
    "move.state": _move_state,
    "move.compared": _compared,
    "move.declared": _declared,
    "wave.lead": lambda progress, fact: replace(progress, lead=fact.body["lead"]),
}

"""A rehearsal: a wave's runbook played through the engine where nothing counts, with a stopwatch; what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from inventory.errors import ExpectedError
from inventory.model import AssetId
from orchestrator.core.access import AccessProfile
from orchestrator.core.lifecycle import ARRIVED, MoveState
from orchestrator.core.plan import PlannedBatch, PlannedWindow
from orchestrator.core.progress import Fact
from orchestrator.core.runbook import Runbook
from orchestrator.core.step_times import RunTime, run_times
from orchestrator.core.trial import SEAT_ROLES, lacking, left_untried, no_way_back
from orchestrator.core.wave import WaveContent, WaveMove

LAB, SIMULATED = "lab", "simulated"
LONG_ENOUGH = timedelta(days=1)
TROUBLES_KEPT = 20


class CannotRehearse(ExpectedError):
    """A wave whose runbook cannot be rehearsed there by Kahn alone."""

    code, says = "RUN-050", "The runbook {runbook} of wave {wave} cannot be rehearsed there: {why}."
    remedy = "Play a wave with it on machines that do not matter; then `kahn wave rehearse {wave} --played-as THAT`."
    exit_code = 3


class NotPlayed(ExpectedError):
    """A wave that is named as a rehearsal of another one and cannot be one."""

    code, says = "RUN-051", "Wave {played} is no rehearsal of {wave}: {why}."
    remedy = "Name a wave that is over and that ran with the very same runbook tree."
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalTrouble:
    """One part of a run that did not end well."""

    name: str
    work: str
    """``direction step``."""
    outcome: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What was rehearsed and what came of it. ``where``: lab, simulated, or the key of the wave that was played."""

    wave: str
    fingerprint: str
    """Of the wave that was rehearsed for."""
    runbook: str
    tree: str
    where: str
    assets: int
    moved: int
    """Assets that arrived, whether or not they went back afterwards."""
    back: int
    """Assets that are proven to be as before."""
    with_way_back: bool
    """Whether going back was part of it."""
    began: datetime
    ended: datetime
    record: str = ""
    """Hash of the last entry of the journal that was kept while it was played."""
    times: tuple[RunTime, ...] = ()
    troubles: tuple[RehearsalTrouble, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every asset arrived and, where that was part of it, came back as before."""
        back = self.back == self.assets or not self.with_way_back
        return 0 < self.assets == self.moved and back

    @property
    def proves(self) -> bool:
        """Whether it opens a gate: simulated machines know nothing of the playbooks."""
        return self.passed and self.where != SIMULATED


def why_not(runbook: Runbook, *, simulated: bool) -> str:
    """Why Kahn cannot play it by itself; empty when it can."""
    played = runbook.for_tenant(has_domain=False).steps
    left = next((f"step {one.name}: {why}" for one in played if (why := left_untried(one))), "")
    if left or (runbook.baseline.checklist and runbook.touches_machines):
        return left or "a person notes how things are before"
    if not runbook.touches_machines:
        return "all of it is done by people"
    return "" if simulated else _not_on_seats(runbook)


def _not_on_seats(runbook: Runbook) -> str:
    """Why the lab's seats cannot play it; empty when they can."""
    if runbook.procedure:
        return "it moves a procedure, and the lab's seats run none"
    return lacking(runbook, there=SEAT_ROLES)


def goes_back(runbook: Runbook) -> bool:
    """Whether the way back can be played: every step that changes something has an undo, and none is final."""
    return not any(one.no_return or no_way_back(one) for one in runbook.steps)


def on_lab_hosts(
    content: WaveContent, moves: Sequence[WaveMove], *, access: AccessProfile, now: datetime
) -> WaveContent:
    """The wave with other machines: the first seat alone as its canary, then the others; same runbook and limits."""
    assets = tuple(move.asset for move in moves)
    parts = (("canary", assets[:1]), ("b1", assets[1:]))
    batches = tuple(PlannedBatch(name=name, assets=members) for name, members in parts if members)
    there = replace(content, moves=tuple(moves), batches=batches, access=(access,), groups=(), needs=())
    return at_once(there, now=now)


def at_once(content: WaveContent, *, now: datetime) -> WaveContent:
    """The wave in a window that is open now, with one approval; it waits between no batches and for no morning.

    No rehearsal reaches the tenant's domain: steps that are about it are not played.
    """
    window = PlannedWindow(
        opens=now, closes=now + LONG_ENOUGH, zone=content.window.zone, local=f"{now:%Y-%m-%d} rehearsal"
    )
    limits = replace(content.thresholds, soak_s=0)
    moves = tuple(_at_any_hour(move) for move in content.moves)
    there = replace(content, window=window, thresholds=limits, approvers_needed=1, contacts=(), moves=moves)
    return replace(there, runbook=content.runbook.for_tenant(has_domain=False), domain=None)


def _at_any_hour(move: WaveMove) -> WaveMove:
    return replace(move, procedure=replace(move.procedure, opens_at="")) if move.procedure else move


def rehearsal_of(
    wave: WaveContent, played: WaveContent, facts: Sequence[Fact], *, where: str, with_way_back: bool
) -> Rehearsal:
    """What the journal of the wave that was played, oldest entry first, says about it. Raises ValueError if empty."""
    reached: dict[MoveState, set[AssetId]] = {MoveState.MOVED: set(), MoveState.ROLLED_BACK: set()}
    troubles: list[RehearsalTrouble] = []
    for fact in facts:
        body = fact.body
        if fact.kind == "move.state":
            to = MoveState.MOVED if body["to"] in ARRIVED else MoveState(body["to"])
            reached.get(to, set()).add(AssetId(body["asset"]))
        if fact.kind == "attempt.ended" and body["outcome"] != "done":
            troubles.append(
                RehearsalTrouble(
                    name=played.move(AssetId(body["asset"])).name,
                    work=f"{body['direction']} {body['step']}".strip(),
                    outcome=str(body["outcome"]),
                    cause=str(body["cause"]),
                )
            )
    if not facts:
        raise ValueError("nothing was written down")
    return Rehearsal(
        wave=wave.key,
        fingerprint=wave.fingerprint,
        runbook=wave.runbook.name,
        tree=wave.runbook.tree,
        where=where,
        assets=len(played.moves),
        moved=len(reached[MoveState.MOVED]),
        back=len(reached[MoveState.ROLLED_BACK]),
        with_way_back=with_way_back,
        began=facts[0].at,
        ended=facts[-1].at,
        times=run_times(facts),
        troubles=tuple(troubles[:TROUBLES_KEPT]),
    )

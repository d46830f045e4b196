"""Old machines that are kept: from which day on each may be erased, and what is known of those that were.

A machine is kept once its asset was moved off it or retired; the days are counted on the wall of its wave's window.
An erasure is one signed act for some assets of a closed wave, and an entry ``move.erased`` beside it:
assets, on (day), certificate (name), sha256.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from inventory.errors import ExpectedError
from inventory.model import AssetId
from orchestrator.core.lifecycle import MOVE_TABLE, MoveEvent, MoveState, WaveState
from orchestrator.core.progress import Fact, MoveProgress, WaveProgress
from orchestrator.core.runbook import RoleSource
from orchestrator.core.wave import WaveContent

ENTRY = "move.erased"


class NotKept(ExpectedError):
    """An erasure is told of a machine that is not kept: it is in use, or was erased already."""

    code, says = "RUN-070", "The old machine of {asset} is not kept to be erased: {asset} is {state} in wave {wave}."
    remedy = "`kahn asset due --all` lists the machines that are kept, and those that were erased."
    exit_code = 3


class StillKept(ExpectedError):
    """An erasure before the retention time is over."""

    code, says = "RUN-071", "The old machine of {asset} is kept: it may be erased from {day} on, not on {on}."
    remedy = "Wait until then, or correct the day. How many days (`keep_days`) was approved with the wave."
    exit_code = 3


class ErasedLater(ExpectedError):
    """An erasure in the future."""

    code, says = "RUN-072", "{on} has not come yet: only what has been erased is recorded."
    remedy = "Record it with the day on which it was done."


class ErasedForGood(ExpectedError):
    """A rollback to a machine that no longer holds anything."""

    code, says = "RUN-073", "There is no way back for {assets}: the old machine was erased."
    remedy = "Name the assets that are to go back, without these and what moves together with them."
    exit_code = 3


class WaveStillOpen(ExpectedError):
    """An erasure while the wave may still take machines back by itself."""

    code, says = "RUN-074", "Wave {wave} is {state}: its old machines are needed until it is closed."
    remedy = "End the wave first; `kahn wave show {wave}` tells what it waits for."
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What is on record of an erasure: its day, the certificate's file name and SHA-256, and whose word it is."""

    on: date
    certificate: str
    sha256: str
    by: str = ""

    @property
    def about(self) -> str:
        """What a signature says it is about."""
        return f"{self.on.isoformat()} {self.sha256} {self.certificate}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMachine:
    """One old machine: its asset, since when nobody needs it, and from which day on it may be erased."""

    wave: str
    asset: AssetId
    name: str
    machine: str
    state: MoveState
    since: date
    until: date
    zone: str = "UTC"
    """Where its days are counted: the zone of its wave's window."""
    erasure: Erasure | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether it may be erased on the day that it is there now, and nobody has said that it was."""
        return self.erasure is None and now.astimezone(ZoneInfo(self.zone)).date() >= self.until


def local_day(moment: datetime, content: WaveContent) -> date:
    """The day on the wall where the wave's window was planned."""
    return moment.astimezone(ZoneInfo(content.window.zone)).date()


def kept_machines(content: WaveContent, progress: WaveProgress, facts: Iterable[Fact]) -> tuple[KeptMachine, ...]:
    """Every old machine that the wave has left over, erased ones included, in the order of its assets."""
    known = erasures(facts)
    found = []
    for planned in content.moves:
        move = progress.moves.get(planned.asset)
        if move is None or move.since is None or not _is_left_over(content, move):
            continue
        erasure = known.get(planned.asset) if move.state is MoveState.ERASED else None
        since = local_day(move.since, content)
        found.append(
            KeptMachine(
                wave=content.key,
                asset=planned.asset,
                name=planned.name,
                machine=old_machine(content, planned.asset),
                state=move.state,
                since=since,
                until=since if erasure else may_be_erased_from(content, move.since),
                zone=content.window.zone,
                erasure=erasure,
            )
        )
    return tuple(found)


def _is_left_over(content: WaveContent, move: MoveProgress) -> bool:
    return content.runbook.leaves_old_machine and (
        move.state is MoveState.ERASED or MoveEvent.ERASE in MOVE_TABLE[move.state]
    )


def old_machine(content: WaveContent, asset: AssetId) -> str:
    """Name of the machine that its asset leaves behind."""
    roles = [role.name for role in content.runbook.roles if role.machine is RoleSource.ASSET]
    move = content.move(asset)
    return next((one.name for one in move.machines if one.role in roles), "") or move.name


def may_be_erased_from(content: WaveContent, since: datetime) -> date:
    """The first day on which a machine that nobody has needed since then may be erased."""
    try:
        return local_day(since, content) + timedelta(days=content.thresholds.keep_days)
    except OverflowError:
        return date.max


def erasures(facts: Iterable[Fact]) -> Mapping[AssetId, Erasure]:
    """What the wave's entries tell of erasures, by asset."""
    found: dict[AssetId, Erasure] = {}
    for fact in facts:
        if fact.kind == ENTRY:
            body = fact.body
            told = Erasure(
                on=date.fromisoformat(body["on"]), certificate=body["certificate"], sha256=body["sha256"], by=body["by"]
            )
            found.update(dict.fromkeys(map(AssetId, body["assets"]), told))
    return found


def due_in(content: WaveContent, progress: WaveProgress, today: date) -> tuple[MoveProgress, ...]:
    """Moves of a closed wave whose old machine may be erased today and was not yet."""
    if progress.state is not WaveState.CLOSED:
        return ()
    left = (move for move in progress.moves.values() if move.since and _is_left_over(content, move))
    return tuple(one for one in left if one.state is not MoveState.ERASED and _due(content, one) <= today)


def _due(content: WaveContent, move: MoveProgress) -> date:
    assert move.since is not None
    return may_be_erased_from(content, move.since)


def due_since(content: WaveContent, due: Iterable[MoveProgress]) -> datetime:
    """When the first of these old machines, at least one, could be erased: its day's beginning on the wall."""
    return datetime.combine(min(_due(content, one) for one in due), time(), tzinfo=ZoneInfo(content.window.zone))


def check_erasable(
    content: WaveContent, progress: WaveProgress, assets: Iterable[AssetId], *, on: date, today: date
) -> None:
    """That these old machines were kept long enough. Raises WaveStillOpen, NotKept, StillKept, ErasedLater."""
    if progress.state is not WaveState.CLOSED:
        raise WaveStillOpen(wave=content.key, state=progress.state.value)
    if on > today:
        raise ErasedLater(on=on)
    for asset in assets:
        move, name = progress.moves[asset], content.move(asset).name
        kept = _is_left_over(content, move) and move.state is not MoveState.ERASED
        if not kept or move.since is None:
            raise NotKept(asset=name, state=move.state.value, wave=content.key)
        day = may_be_erased_from(content, move.since)
        if on < day:
            raise StillKept(asset=name, day=day, on=on)


def refuse_erased(content: WaveContent, progress: WaveProgress, assets: Iterable[AssetId]) -> None:
    """That none of these assets (all of the wave when none is named) was erased. Raises ErasedForGood."""
    wanted = tuple(assets) or tuple(progress.moves)
    gone = [content.move(one).name for one in wanted if progress.moves[one].state is MoveState.ERASED]
    if gone:
        raise ErasedForGood(assets=", ".join(gone[:5]) + (", ..." if len(gone) > 5 else ""))

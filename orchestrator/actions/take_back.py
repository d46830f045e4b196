"""Taking a wave, or some assets of it, back as people ask for it: named, shown first, signed."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.errors import ExpectedError
from inventory.model import AssetId, name_key
from orchestrator.actions.desk import Desk
from orchestrator.actions.record import change_wave, keep_act, progress_in
from orchestrator.actions.sign import Intent, Keyboard, sign_act
from orchestrator.core.lifecycle import MOVE_TABLE, MoveEvent, MoveState, WaveEvent
from orchestrator.core.progress import WaveProgress
from orchestrator.core.retention import refuse_erased
from orchestrator.core.undo import left_to_undo, past_return
from orchestrator.core.wave import WaveContent
from orchestrator.ports import WaveRow


class UnknownAsset(ExpectedError):
    """A wave was asked about an asset it does not have."""

    code, says = "RUN-004", "{asset} is not in wave {wave}."
    remedy = "Look at `kahn wave show {wave}` for the names of its assets."
    exit_code = 5


class NothingToTakeBack(ExpectedError):
    """A rollback that would touch nothing."""

    code, says = "RUN-005", "Nothing of wave {wave} is there to be taken back."
    remedy = "Look at `kahn wave show {wave}`."
    exit_code = 5


class ReasonMissing(ExpectedError):
    """A human override without a reason."""

    code, says = "RUN-006", "This is a person's decision and needs a reason."
    remedy = "Give --reason TEXT; it is kept in the journal."


@dataclass(frozen=True, slots=True, kw_only=True)
class BackLine:
    """What a rollback would do to one asset: steps to undo, last first; ``no_return`` when one lies behind it."""

    asset: AssetId
    name: str
    users: int
    state: MoveState
    undo: tuple[str, ...]
    no_return: bool


def assets_named(content: WaveContent, names: tuple[str, ...]) -> tuple[AssetId, ...]:
    """Ids of the assets named, with everything that moves together with them. Raises UnknownAsset."""
    by_name = {name_key(move.name): move.asset for move in content.moves}
    found: dict[AssetId, None] = {}
    for name in names:
        asset = by_name.get(name_key(name))
        if asset is None:
            raise UnknownAsset(asset=name, wave=content.key)
        found.update(dict.fromkeys(content.group_of(asset)))
    return tuple(found)


def asset_named(content: WaveContent, name: str) -> AssetId:
    """Id of the one asset of that name. Raises UnknownAsset."""
    wanted = name_key(name)
    found = next((move.asset for move in content.moves if name_key(move.name) == wanted), None)
    if found is None:
        raise UnknownAsset(asset=name, wave=content.key)
    return found


_SOON = (MoveState.UNKNOWN, MoveState.WAITING_TOOL)
"""States that a rollback waits out: it begins as soon as the state is left."""


def rollback_preview(content: WaveContent, progress: WaveProgress, assets: tuple[AssetId, ...]) -> tuple[BackLine, ...]:
    """What would go back: the assets asked for (all when none), as far as they were begun."""
    wanted = assets or tuple(progress.moves)
    lines = []
    for asset in wanted:
        move, frozen = progress.moves[asset], content.move(asset)
        allowed = MoveEvent.ROLL_BACK in MOVE_TABLE[move.state] or move.state in _SOON
        if not allowed or not (move.baseline or move.begun):
            continue
        lines.append(
            BackLine(
                asset=asset,
                name=frozen.name,
                users=frozen.users,
                state=move.state,
                undo=tuple(step.name for step in left_to_undo(move, content.runbook)),
                no_return=past_return(move, content.runbook),
            )
        )
    return tuple(lines)


def ask_rollback(desk: Desk, wave: WaveRow, *, keyboard: Keyboard, intent: Intent) -> WaveRow:
    """Sign and write the wish for a rollback; the driver does the rest.

    Raises ReasonMissing, ErasedForGood, NothingToTakeBack, IllegalTransition.
    """
    if not intent.reason.strip():
        raise ReasonMissing()
    refuse_erased(wave.content, progress_in(desk.books, wave), intent.assets)
    if not rollback_preview(wave.content, progress_in(desk.books, wave), intent.assets):
        raise NothingToTakeBack(wave=wave.key)
    signed = sign_act(desk, wave, keyboard=keyboard, intent=intent)
    keep_act(desk, wave, signed)
    return change_wave(desk, wave, WaveEvent.ROLL_BACK, cause="asked", by=signed.act.by)

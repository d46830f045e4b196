"""Starting a wave: every gate is read inside the claiming transaction, by hand or at the agreed hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from inventory.errors import ExpectedError
from inventory.model import AssetId
from orchestrator.actions.confirm_gate import confirmations_in
from orchestrator.actions.desk import Desk, no_trouble
from orchestrator.actions.look_around import earlier_times, surroundings
from orchestrator.actions.record import change_move, change_wave
from orchestrator.actions.sign import standing_of
from orchestrator.core.access import AccessProfile
from orchestrator.core.command import ChangeMove
from orchestrator.core.estimates import Estimates
from orchestrator.core.lifecycle import WAVE_GROUPS, MoveEvent, WaveEvent, WaveState
from orchestrator.core.ready import Circumstances, NotReady, blocking, ready_lines
from orchestrator.core.ready_line import ReadyLine, joined_in_one
from orchestrator.core.ready_needs import IN_DOUBT
from orchestrator.core.runbook import Runbook
from orchestrator.core.surroundings import Surroundings
from orchestrator.core.wave import ActKind
from orchestrator.ports import WaveRow

A_LITTLE_LATE = timedelta(minutes=5)
"""A start so soon after the window opened is on time: a first batch that never fitted is held, which says why."""
TreeCheck = Callable[[Runbook], bool]
KeyCheck = Callable[[AccessProfile], str]


def _proposed_at(desk: Desk, wave: WaveRow) -> datetime | None:
    acts = desk.books.waves.acts(wave.tenant, wave.key)
    return next((one.act.at for one in acts if one.act.kind is ActKind.PROPOSE), None)


def check_wave(
    desk: Desk, wave: WaveRow, *, tree_there: TreeCheck, key_trouble: KeyCheck = no_trouble
) -> tuple[ReadyLine, ...]:
    """Every start gate as it stands at the desk's time; touches nothing."""
    books = desk.books
    busy = {
        attempt.asset: run.wave
        for run in books.runs.live()
        if run.tenant == wave.tenant and run.wave != wave.key
        for attempt in run.attempts
    }
    seen = Circumstances(
        state=wave.state,
        standing=standing_of(desk, wave),
        policy=books.tenants.policy(wave.tenant),
        snapshot=books.assets.snapshot(wave.tenant),
        profiles={one.name: one for one in books.tenants.access(wave.tenant)},
        tree_there=tree_there(wave.content.runbook),
        busy=busy,
        now=desk.now,
        key_troubles={one.name: why for one in wave.content.access if (why := key_trouble(one))},
        history=books.assets.history(wave.tenant, {one.name for move in wave.content.moves for one in move.machines}),
        proposed_at=_proposed_at(desk, wave),
        confirmations=confirmations_in(books, wave.tenant),
        took=earlier_times(desk, wave),
        doubtful=_doubtful(desk, wave),
    )
    return ready_lines(wave.content, seen)


def _doubtful(desk: Desk, wave: WaveRow) -> dict[AssetId, str]:
    """Assets in doubt in the tenant's other waves, as each one's latest wave leaves it."""
    rows = desk.books.waves.all(wave.tenant)
    going = WAVE_GROUPS["in motion"] | WAVE_GROUPS["stuck"]
    others = (one for one in rows if one.key != wave.key and one.state in going)
    moves = (move for one in others for move in desk.books.waves.moves(wave.tenant, one.key))
    return {move.asset: move.wave for move in moves if move.state in IN_DOUBT}


class AllStopped(ExpectedError):
    """A start while a person keeps all dispatch stopped."""

    code, says = "RUN-015", "{by} stopped all dispatch ({reason}); wave {wave} does not start."
    remedy = "When the reason is gone, lift it with `kahn stop --lift --reason REASON`."
    exit_code = 3


class KeyUsed(ExpectedError):
    """An idempotency key that launched another wave."""

    code, says = "RUN-016", "The launch key {key} was used for wave {wave}."
    remedy = "Take a fresh key for each launch that you mean."
    exit_code = 6


def launched_before(desk: Desk, wave: WaveRow, *, key: str) -> bool:
    """Whether this key launched the wave already; if not, it does so from now on. Raises KeyUsed, Overtaken."""
    before = desk.books.launches.claim(wave.tenant, key, wave=wave.key, at=desk.now)
    if before and before != wave.key:
        raise KeyUsed(key=key, wave=before)
    return bool(before)


def claim_wave(desk: Desk, wave: WaveRow, *, tree_there: TreeCheck, key_trouble: KeyCheck = no_trouble) -> WaveRow:
    """Claim and start the wave in the open transaction.

    Raises AllStopped, NotReady, Overtaken (somebody else was first).
    """
    stop = desk.books.launches.stopped()
    if stop is not None:
        raise AllStopped(by=stop.by, reason=stop.reason, wave=wave.key)
    lines = check_wave(desk, wave, tree_there=tree_there, key_trouble=key_trouble)
    stops = blocking(lines)
    if stops:
        raise NotReady(wave=wave.key, why=joined_in_one(tuple(line.says for line in stops)))
    claimed = change_wave(desk, wave, WaveEvent.CLAIM)
    held = {asset: line for line in lines if line.verdict == "held" for asset in line.assets}
    for move in desk.books.waves.moves(wave.tenant, wave.key):
        if move.asset in held:
            hold = ChangeMove(asset=move.asset, event=MoveEvent.HOLD, cause=held[move.asset].gate)
            change_move(desk, claimed, move, hold)
    return change_wave(desk, claimed, WaveEvent.START)


def keep_appointments(
    desk: Desk,
    wave: WaveRow,
    *,
    tree_there: TreeCheck,
    key_trouble: KeyCheck = no_trouble,
    around: Surroundings | None = None,
) -> WaveRow:
    """What the hour demands of an approved wave: schedule it, start it when its window opens, or say it was missed.

    Firing twice or late does no harm: everything is compare-and-set on the wave's row and on that of its start.
    ``around``: what is known around it; looked at anew when not given. Raises NotReady when its hour
    has come and a gate blocks it: nothing was changed, and it is tried again as long as its first batch fits.
    """
    now = desk.now
    if wave.state is WaveState.APPROVED:
        if now >= wave.content.window.closes:
            wave = change_wave(desk, wave, WaveEvent.SCHEDULE)
            return change_wave(desk, wave, WaveEvent.MISS, cause="window_passed")
        return change_wave(desk, wave, WaveEvent.SCHEDULE)
    if wave.state is not WaveState.SCHEDULED or now < wave.content.window.opens:
        return wave
    if now >= wave.content.window.closes:
        return change_wave(desk, wave, WaveEvent.MISS, cause="window_passed")
    if not standing_of(desk, wave).holds:
        return change_wave(desk, wave, WaveEvent.EXPIRE, cause="approval_expired")
    if now > start_by(desk, wave, around=around):
        return change_wave(desk, wave, WaveEvent.MISS, cause="started_too_late")
    return claim_wave(desk, wave, tree_there=tree_there, key_trouble=key_trouble)


def start_by(desk: Desk, wave: WaveRow, *, around: Surroundings | None = None) -> datetime:
    """The last moment at which its first batch can begin and still go back inside the window, should it fail."""
    known = around or surroundings(desk, wave)
    last = Estimates(content=wave.content, around=known).batch_fits_until(wave.content.batches[0].name)
    return max(last, wave.content.window.opens + A_LITTLE_LATE)

"""Runs that people do: nothing is started for them; a signed word ends each asset's part, or the deadline does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from inventory.model import AssetId
from orchestrator.actions.control_wave import reason_given, touch
from orchestrator.actions.desk import Desk, Outside
from orchestrator.actions.record import keep_act, progress_in, write_down
from orchestrator.actions.sign import Intent, Keyboard, sign_act
from orchestrator.core.by_hand import NOT_CONFIRMED, DeskWork, NotTheSame, desk_work_for, ending_of
from orchestrator.core.wave import ActKind
from orchestrator.ports import WaveRow
from orchestrator.run_ports import RunRow


def is_by_hand(desk: Desk, run: RunRow) -> bool:
    """Whether people do it."""
    return bool(desk.books.waves.get(run.tenant, run.wave).content.runbook.by_hand(run.direction, run.step))


def say_how_it_went(desk: Desk, wave: WaveRow, *, keyboard: Keyboard, intent: Intent) -> DeskWork:
    """A person signs for assets at the desk (DID, each point looked at, or DID_NOT with a reason); ``about`` says what.

    Takes effect at once: the assets' parts of their runs have ended. Raises NotAtTheDesk, NotTheSame, ReasonMissing,
    and as ``sign_act`` does.
    """
    touch(desk, wave)
    done = intent.kind is ActKind.DID
    if not done:
        reason_given(intent)
    progress = progress_in(desk.books, wave)
    work = desk_work_for(wave.content, progress, intent.assets)
    if work.about != intent.about:  # it went on while the person looked at the points
        raise NotTheSame(first=intent.about, other=work.about)
    signed = sign_act(desk, wave, keyboard=keyboard, intent=intent)
    keep_act(desk, wave, signed)
    runs = {run.id: run for run in desk.books.runs.live()}
    by = signed.act.by
    for run_id in dict.fromkeys(progress.moves[asset].run for asset in intent.assets):
        run = runs[run_id] if run_id is not None else None
        if run is not None:
            mine = frozenset(intent.assets) & {attempt.asset for attempt in run.attempts}
            _end(desk, wave, run, mine, ending_of(work, by=by, done=done))
    return work


def follow_by_hand(outside: Outside, run: RunRow, *, now: datetime, broken_off: bool) -> bool:
    """Once its time is over, or its wave broken off, what nobody spoke of is unknown. True when anything changed."""
    if run.state == "intended":
        with outside.desk() as desk:
            desk.books.runs.set_run_state(run.id, to="running", at=desk.now)
        return True
    if now <= run.deadline and not broken_off:
        return False
    with outside.desk() as desk:
        wave = touch(desk, desk.books.waves.get(run.tenant, run.wave))
        everyone = frozenset(attempt.asset for attempt in run.attempts)
        _end(desk, wave, run, everyone, {"outcome": "unknown", "cause": NOT_CONFIRMED, "evidence": {}})
    return True


def _end(desk: Desk, wave: WaveRow, run: RunRow, assets: Collection[AssetId], ending: Mapping[str, Any]) -> None:
    """End the parts of these assets, as far as they have not ended, and with the last part the run."""
    moves = progress_in(desk.books, wave).moves
    still = [attempt.asset for attempt in run.attempts if moves[attempt.asset].run == run.id]
    for asset in still:
        if asset not in assets:
            continue
        desk.books.runs.end_attempt(run.id, asset, outcome=ending["outcome"], cause=ending["cause"], at=desk.now)
        body = {"run": run.id, "asset": asset, "step": run.step, "direction": run.direction, **ending}
        write_down(desk, wave, "attempt.ended", body)
    if all(asset in assets for asset in still):
        body = {"run": run.id, "how": "by_hand", "rc": None, "last_seq": None, "damaged": ""}
        write_down(desk, wave, "run.ended", body)
        desk.books.runs.set_run_state(run.id, to="ended", at=desk.now)

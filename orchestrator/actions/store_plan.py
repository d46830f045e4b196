"""Storing a plan: it becomes current, and each of its new or changed waves is proposed with a signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inventory.errors import ExpectedError
from orchestrator.actions.desk import Desk
from orchestrator.actions.keep_occurrence import keep_occurrence
from orchestrator.actions.record import change_wave, keep_act, write_down
from orchestrator.actions.sign import Intent, Keyboard, sign_act
from orchestrator.core.approval import differences
from orchestrator.core.freeze import Frozen, freeze_wave
from orchestrator.core.lifecycle import WAVE_TABLE, WaveEvent
from orchestrator.core.plan import Plan
from orchestrator.core.wave import ActKind, WaveContent
from orchestrator.ports import WaveRow


class WaveUnderWay(ExpectedError):
    """A plan would change a wave that already runs or ran."""

    code, says = "PLAN-022", "Wave {wave} is {state}; a new plan cannot change it any more."
    remedy = "Plan its remaining assets into a new wave."
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWave:
    """What became of one wave of the plan: new, changed (with the differences; its approvals are void), or same."""

    key: str
    verdict: str
    changes: tuple[str, ...] = ()


def store_plan(desk: Desk, plan: Plan, *, frozen: Frozen, keyboard: Keyboard) -> tuple[StoredWave, ...]:
    """Store the plan and propose its waves. Raises PlanOvertaken, WaveUnderWay, MachineMissing, AccessUnknown."""
    books = desk.books
    books.plans.put(plan.tenant, plan, at=desk.now)
    known = {wave.key: wave for wave in books.waves.all(plan.tenant)}
    stored = [_store_wave(desk, freeze_wave(wave, frozen), known=known.get(wave.key), plan=plan) for wave in plan.waves]
    for one in stored:
        if one.verdict != "same":
            _propose(desk, books.waves.get(plan.tenant, one.key), keyboard)
    return tuple(stored) + _withdraw_left_out(desk, plan, known)


def _store_wave(desk: Desk, content: WaveContent, *, known: WaveRow | None, plan: Plan) -> StoredWave:
    if known is not None and known.fingerprint == content.fingerprint and known.state != "draft":
        return StoredWave(key=content.key, verdict="same")
    if known is not None and WaveEvent.REPLACE not in WAVE_TABLE[known.state]:
        raise WaveUnderWay(wave=known.key, state=known.state.value)
    wave = desk.books.waves.put(content, plan=plan.fingerprint, at=desk.now)
    if known is not None:
        keep_occurrence(desk, known, WaveEvent.REPLACE)
    body = {"revision": wave.revision, "fingerprint": wave.fingerprint, "plan": plan.fingerprint}
    write_down(desk, wave, "wave.content", body)
    changes = differences(known.content, content) if known is not None else ()
    return StoredWave(key=content.key, verdict="changed" if known else "new", changes=changes)


def _propose(desk: Desk, wave: WaveRow, keyboard: Keyboard) -> None:
    signed = sign_act(desk, wave, keyboard=keyboard, intent=Intent(kind=ActKind.PROPOSE))
    keep_act(desk, wave, signed)
    change_wave(desk, wave, WaveEvent.PROPOSE, by=signed.act.by)


def _withdraw_left_out(desk: Desk, plan: Plan, known: Mapping[str, WaveRow]) -> tuple[StoredWave, ...]:
    """Waves of the former plan that the new one no longer has go back to draft; those under way stay."""
    planned = {wave.key for wave in plan.waves}
    gone = []
    for wave in known.values():
        if wave.key not in planned and wave.state in ("proposed", "approved", "scheduled", "missed"):
            change_wave(desk, wave, WaveEvent.REPLACE, cause="not in the current plan")
            gone.append(StoredWave(key=wave.key, verdict="left_out"))
    return tuple(gone)

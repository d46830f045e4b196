"""Approving, refusing and withdrawing a wave: signed by a person, counted by core/approval."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.actions.desk import Desk
from orchestrator.actions.record import change_wave, keep_act
from orchestrator.actions.sign import Intent, Keyboard, checked_acts, sign_act, signer_of, standing_of
from orchestrator.core.approval import Standing, proposal_of, refuse_bad_approval
from orchestrator.core.lifecycle import WAVE_TABLE, IllegalTransition, WaveEvent, WaveState
from orchestrator.core.runbook import Runbook
from orchestrator.core.wave import ActKind
from orchestrator.ports import WaveRow


def approve_wave(
    desk: Desk, wave: WaveRow, *, keyboard: Keyboard, intent: Intent, freeze: Callable[[Runbook], None]
) -> Standing:
    """Sign an approval. ``freeze`` copies the runbook's tree to where the wave will run from.

    An approval that has expired may be given again.

    Raises IllegalTransition, NotYourOwn, OneKeyTwoPersons, NotADeputy, WrongKey, UnknownPerson.
    """
    if WaveEvent.EXPIRE in WAVE_TABLE[wave.state] and not standing_of(desk, wave).holds:
        wave = change_wave(desk, wave, WaveEvent.EXPIRE, cause="approval_expired")
    if wave.state is not WaveState.PROPOSED:
        raise IllegalTransition(subject=f"wave {wave.key}", state=wave.state.value, event="approve")
    signed = sign_act(desk, wave, keyboard=keyboard, intent=intent)
    person = desk.books.people.find(wave.tenant, signed.act.by)
    proposal = proposal_of(wave.content, checked_acts(desk, wave))
    refuse_bad_approval(signed.act, signer=signer_of(person), proposal=proposal)
    freeze(wave.content.runbook)
    keep_act(desk, wave, signed)
    result = standing_of(desk, wave)
    if result.holds:
        change_wave(desk, wave, WaveEvent.APPROVE, by=person.id)
    return result


def turn_back_wave(desk: Desk, wave: WaveRow, *, keyboard: Keyboard, intent: Intent) -> WaveRow:
    """Refuse or withdraw a wave: it becomes a draft again, with the reason. Raises IllegalTransition, WrongKey."""
    event = WaveEvent.REFUSE if intent.kind is ActKind.REFUSE else WaveEvent.WITHDRAW
    signed = sign_act(desk, wave, keyboard=keyboard, intent=intent)
    changed = change_wave(desk, wave, event, cause=event.value, by=signed.act.by)
    keep_act(desk, wave, signed)
    return changed

"""Rehearsing a wave: staged in a store of its own, and what came of it kept where waves are planned and gated."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.actions.approve_plan import approve_wave
from orchestrator.actions.confirm_gate import Say, confirm_gate
from orchestrator.actions.desk import Desk
from orchestrator.actions.read_times import REHEARSALS, REHEARSED
from orchestrator.actions.record import change_wave, keep_act, subject_of, write_down
from orchestrator.actions.sign import Intent, Keyboard, sign_act
from orchestrator.core.canonical import plain
from orchestrator.core.demands import REHEARSAL, Reach
from orchestrator.core.lifecycle import WaveEvent, WaveState
from orchestrator.core.plan import Plan
from orchestrator.core.policy import Policy
from orchestrator.core.progress import Fact
from orchestrator.core.rehearsal import LAB, NotPlayed, Rehearsal, rehearsal_of
from orchestrator.core.wave import ActKind, PersonId, WaveContent
from orchestrator.ports import Entry, WaveRow

KAHN = PersonId("kahn")
"""Who opens a gate after a rehearsal that went well: nobody had to believe anybody."""
OVER = (WaveState.CLOSED, WaveState.ROLLED_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """Somebody made up who signs in a rehearsal's own store."""

    keyboard: Keyboard
    public_key: str


def stage_rehearsal(desk: Desk, content: WaveContent, *, proposer: Player, approver: Player) -> WaveRow:
    """An approved and started wave with this content in an empty store. Nobody outside it knows these people."""
    tenant, books = content.tenant, desk.books
    books.tenants.add(tenant, policy=Policy())
    for player in (proposer, approver):
        books.people.add(tenant, name=player.keyboard.person, public_key=player.public_key)
    plan = Plan(tenant=tenant, parent="", made_from="", not_before=desk.now, seed=0, waves=(), why_not=())
    books.plans.put(tenant, plan, at=desk.now)
    wave = books.waves.put(content, plan=plan.fingerprint, at=desk.now)
    body = {"revision": wave.revision, "fingerprint": wave.fingerprint, "plan": plan.fingerprint}
    write_down(desk, wave, "wave.content", body)
    signed = sign_act(desk, wave, keyboard=proposer.keyboard, intent=Intent(kind=ActKind.PROPOSE))
    keep_act(desk, wave, signed)
    wave = change_wave(desk, wave, WaveEvent.PROPOSE, by=signed.act.by)
    intent = Intent(kind=ActKind.APPROVE)
    approve_wave(desk, wave, keyboard=approver.keyboard, intent=intent, freeze=lambda _runbook: None)
    claimed = change_wave(desk, books.waves.get(tenant, wave.key), WaveEvent.CLAIM)
    return change_wave(desk, claimed, WaveEvent.START)


def read_rehearsal(desk: Desk, content: WaveContent, played: WaveRow, *, where: str, with_way_back: bool) -> Rehearsal:
    """What the journal of the wave that was played says."""
    entries = desk.books.journal.read(played.tenant, subject=subject_of(played))
    facts = [Fact(at=one.at, kind=one.entry.kind, body=one.entry.body) for one in entries]
    found = rehearsal_of(content, played.content, facts, where=where, with_way_back=with_way_back)
    return replace(found, record=entries[-1].hash)


def played_as(desk: Desk, wave: WaveRow, played: WaveRow) -> Rehearsal:
    """An earlier wave taken as the rehearsal of this one. Raises NotPlayed. Its times count by themselves already."""
    why = _no_rehearsal(wave, played)
    if why:
        raise NotPlayed(played=played.key, wave=wave.key, why=why)
    back = played.state is WaveState.ROLLED_BACK
    found = read_rehearsal(desk, wave.content, played, where=played.key, with_way_back=back)
    return replace(found, times=())


def _no_rehearsal(wave: WaveRow, played: WaveRow) -> str:
    if played.key == wave.key:
        return "it is that very wave"
    if played.content.runbook.tree != wave.content.runbook.tree:
        return "it ran with another runbook, or another version of it"
    return "" if played.state in OVER else f"it is {played.state.value}"


def keep_rehearsal(desk: Desk, wave: WaveRow, rehearsal: Rehearsal) -> bool:
    """Write it down with its times; open the gate where the policy has one and the rehearsal proves something.

    Whether the gate was opened: only by lab hosts, of which nobody has to be believed that they do not matter, and only
    for the wave as it was when the rehearsal began.
    """
    entry = Entry(kind=REHEARSED, subject=REHEARSALS, body=plain(rehearsal), by=KAHN)
    desk.books.journal.append(wave.tenant, [entry], at=desk.now)
    demands = desk.books.tenants.policy(wave.tenant).gates
    demand = next((one for one in demands if one.name == REHEARSAL), None)
    if demand is None or not rehearsal.proves or rehearsal.where != LAB:
        return False
    if desk.books.waves.get(wave.tenant, wave.key).fingerprint != wave.fingerprint:
        return False
    about = None if demand.reach is Reach.TENANT else wave
    note = f"{rehearsal.where}: {rehearsal.moved} of {rehearsal.assets} moved, {rehearsal.back} back as before"
    confirm_gate(desk, wave.tenant, Say(gate=REHEARSAL, note=note, people=_people(wave)), wave=about, person=KAHN)
    return True


def _people(wave: WaveRow) -> int:
    """A policy that asks even a rehearsal for a number of people is content with one for each asset."""
    return len(wave.content.moves)

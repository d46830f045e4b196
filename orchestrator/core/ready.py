"""The start gates of a wave: each line ok, held (an asset stays behind) or blocks, with owner and remedy.

The same function answers `kahn wave check` ahead of time and decides at the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from inventory.errors import ExpectedError
from inventory.model import AssetId, Snapshot
from orchestrator.core.access import AccessProfile
from orchestrator.core.approval import Standing
from orchestrator.core.calendar import frozen_span
from orchestrator.core.confirmed import Confirmation, confirmed_lines
from orchestrator.core.explain import Sentence
from orchestrator.core.freeze import MachineMissing, Machines
from orchestrator.core.freezes import frozen_days
from orchestrator.core.lifecycle import WAVE_TABLE, WaveEvent, WaveState
from orchestrator.core.policy import Freeze, Policy
from orchestrator.core.ready_facts import boot_lines, facts_line, keys_line, vault_lines
from orchestrator.core.ready_freezes import narrow_freeze_line
from orchestrator.core.ready_line import (
    ADMINISTRATOR,
    APPROVER,
    AUDITOR,
    BLOCKS,
    ENGINEER,
    HELD,
    OK,
    ReadyLine,
    good,
    joined_in_one,
)
from orchestrator.core.ready_needs import needs_line
from orchestrator.core.step_times import time_line
from orchestrator.core.wave import WaveContent


class NotReady(ExpectedError):
    """A start gate blocks the wave."""

    code, says = "RUN-002", "Wave {wave} cannot start: {why}."
    remedy = "Look at every gate with `kahn wave check {wave}`."
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the gates look at, read in the same transaction as the claim."""

    state: WaveState
    standing: Standing
    policy: Policy
    snapshot: Snapshot
    profiles: Mapping[str, AccessProfile]
    tree_there: bool
    busy: Mapping[AssetId, str]
    """Assets with a live attempt elsewhere, and the wave that has it."""
    now: datetime
    key_troubles: Mapping[str, str] = field(default_factory=dict)
    """Access profile -> why its private key cannot be used."""
    history: tuple[Mapping[str, object], ...] = ()
    """What became of the wave's machines in the inventory, as the asset store tells it."""
    proposed_at: datetime | None = None
    confirmations: tuple[Confirmation, ...] = ()
    took: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """How long runs of the same runbook took, as in ``Surroundings``."""
    doubtful: Mapping[AssetId, str] = field(default_factory=dict)
    """Assets of other waves that nobody should rely on now, and the wave that has each."""


def ready_lines(content: WaveContent, seen: Circumstances) -> tuple[ReadyLine, ...]:
    """Every start gate in order. The wave may start when none blocks."""
    return (
        _state_line(content, seen),
        _signatures_line(seen),
        _approval_line(content, seen),
        _window_line(content, seen),
        _freeze_line(content, seen),
        narrow_freeze_line(content, seen.snapshot, seen.policy, now=seen.now),
        _size_line(content),
        _tree_line(content, seen),
        _access_line(content, seen),
        _drift_line(content, seen),
        _busy_line(content, seen),
        needs_line(content, seen.snapshot, seen.doubtful),
        keys_line(content, seen.key_troubles),
        facts_line(content, seen.history, since=seen.proposed_at),
        time_line(content, seen.took, now=seen.now),
        *boot_lines(content, seen.snapshot),
        *vault_lines(content, seen.snapshot),
        *confirmed_lines(content, seen.policy.gates, seen.confirmations, now=seen.now),
    )


def blocking(lines: tuple[ReadyLine, ...]) -> tuple[ReadyLine, ...]:
    """Those lines that forbid the start."""
    return tuple(line for line in lines if line.verdict == BLOCKS)


SIGNATURES = "signatures"
_WATCH = Sentence(says="watch it with kahn wave watch")
_DECIDE = Sentence(says="decide with kahn wave resume or kahn wave rollback")
_STATE_REMEDIES: Mapping[WaveState, Sentence] = {
    WaveState.DRAFT: Sentence(says="propose the plan again"),
    WaveState.PROPOSED: Sentence(says="approve it first"),
    WaveState.RUNNING: _WATCH,
    WaveState.ROLLING_BACK: _WATCH,
    WaveState.HELD: _DECIDE,
    WaveState.NEEDS_PERSON: _DECIDE,
}


def _state_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    says = Sentence(says="the wave is {state}", facts={"state": Sentence(says=seen.state.value)})
    if WaveEvent.CLAIM in WAVE_TABLE[seen.state]:
        return good("state", says)
    remedy = _STATE_REMEDIES.get(seen.state, Sentence(says="plan its assets into a new wave"))
    return ReadyLine(gate="state", verdict=BLOCKS, says=says, owner=ENGINEER, remedy=remedy)


def _signatures_line(seen: Circumstances) -> ReadyLine:
    if not seen.standing.forged:
        return good(SIGNATURES, Sentence(says="every act carries a genuine signature"))
    return ReadyLine(
        gate=SIGNATURES,
        verdict=BLOCKS,
        says=Sentence(
            says="{count} act(s) in the store carry no genuine signature", facts={"count": seen.standing.forged}
        ),
        owner=AUDITOR,
        remedy=Sentence(says="find out who wrote to the database; then propose and approve the wave again"),
    )


def _approval_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    if seen.standing.holds:
        names = ", ".join(seen.standing.approvers)
        until = _wall(content, seen.standing.expires) if seen.standing.expires else "-"
        return ReadyLine(
            gate="approval",
            verdict=OK,
            says=Sentence(says="approved by {names}, valid until {until}", facts={"names": names, "until": until}),
        )
    return ReadyLine(
        gate="approval",
        verdict=BLOCKS,
        says=joined_in_one(seen.standing.missing),
        owner=APPROVER,
        remedy=Sentence(says="kahn wave approve {wave}", facts={"wave": content.key}),
    )


def _wall(content: WaveContent, moment: datetime) -> str:
    """The moment as the clock on the town's wall shows it."""
    return f"{moment.astimezone(ZoneInfo(content.window.zone)):%Y-%m-%d %H:%M} {content.window.zone}"


def _window_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    window = content.window
    if window.opens <= seen.now < window.closes:
        return ReadyLine(
            gate="window",
            verdict=OK,
            says=Sentence(says="open until {until}", facts={"until": _wall(content, window.closes)}),
        )
    early = seen.now < window.opens
    facts = {"local": window.local, "at": _wall(content, window.opens if early else window.closes)}
    says = (
        Sentence(says="{local}: opens {at}", facts=facts)
        if early
        else Sentence(says="{local}: closed {at}", facts=facts)
    )
    remedy = Sentence(says="wait until it opens") if early else Sentence(says="plan the wave again")
    return ReadyLine(gate="window", verdict=BLOCKS, says=says, owner=ENGINEER, remedy=remedy)


def _freeze_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    zone, begin = ZoneInfo(content.window.zone), max(seen.now, content.window.opens)
    first, last = (at.astimezone(zone).date() for at in (content.window.opens, content.window.closes))
    found = frozen_days(seen.policy, first=first, last=last)
    freezes = [Freeze(name=one.name, first=one.first, last=one.last) for one in found if one.scope.is_all]
    spans = ((one, frozen_span(one, zone)) for one in freezes)
    frozen = next((one for one, (first, after) in spans if max(first, begin) < min(after, content.window.closes)), None)
    if frozen is None:
        return good("freeze", Sentence(says="no freeze in its window"))
    return ReadyLine(
        gate="freeze",
        verdict=BLOCKS,
        says=Sentence(
            says="{name}: nothing moves from {first} to {last}",
            facts={"name": frozen.name, "first": str(frozen.first), "last": str(frozen.last)},
        ),
        owner=ADMINISTRATOR,
        remedy=Sentence(says="plan the wave again, or change the tenant's policy"),
    )


def _size_line(content: WaveContent) -> ReadyLine:
    if content.moves:
        return ReadyLine(
            gate="assets", verdict=OK, says=Sentence(says="{count} assets", facts={"count": len(content.moves)})
        )
    return ReadyLine(
        gate="assets",
        verdict=BLOCKS,
        says=Sentence(says="the wave is empty"),
        owner=ENGINEER,
        remedy=Sentence(says="plan again"),
    )


def _tree_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    name = f"{content.runbook.name}, tree {content.runbook.tree[:12]}"
    if seen.tree_there:
        return ReadyLine(
            gate="runbook", verdict=OK, says=Sentence(says="{name} is kept as approved", facts={"name": name})
        )
    if seen.state in (WaveState.DRAFT, WaveState.PROPOSED):
        return ReadyLine(
            gate="runbook",
            verdict=OK,
            says=Sentence(says="{name} will be kept when it is approved", facts={"name": name}),
        )
    return ReadyLine(
        gate="runbook",
        verdict=BLOCKS,
        says=Sentence(says="{name} is missing or was changed on disk", facts={"name": name}),
        owner=ADMINISTRATOR,
        remedy=Sentence(says="restore the state directory, or propose and approve again"),
    )


def _access_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    changed = [one.name for one in content.access if seen.profiles.get(one.name) != one]
    if not changed:
        return good("access", Sentence(says="the access profiles are as approved"))
    return ReadyLine(
        gate="access",
        verdict=BLOCKS,
        says=Sentence(says="changed since the proposal: {names}", facts={"names": ", ".join(changed)}),
        owner=ADMINISTRATOR,
        remedy=Sentence(says="propose and approve the wave again"),
    )


def drift(content: WaveContent, snapshot: Snapshot) -> dict[AssetId, Sentence]:
    """Assets whose inventory record no longer agrees with what was approved, and where."""
    found: dict[AssetId, Sentence] = {}
    machines = Machines(snapshot, content.runbook)
    for move in content.moves:
        try:
            now = machines.of(move.asset, procedure=move.procedure)
        except MachineMissing as error:
            found[move.asset] = Sentence(says=type(error).says, facts=error.facts)
            continue
        except KeyError:
            found[move.asset] = Sentence(says="{name} is gone from the inventory", facts={"name": move.name})
            continue
        changed = [before.name for before in move.machines if before not in now]
        if changed or len(now) != len(move.machines):
            names = ", ".join(changed) or move.name
            found[move.asset] = Sentence(
                says="{names}: address, host key, access or role changed", facts={"names": names}
            )
    return found


def _drift_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    drifted = drift(content, seen.snapshot)
    if not drifted:
        return ReadyLine(
            gate="drift", verdict=OK, says=Sentence(says="the inventory still agrees with what was approved")
        )
    first = next(iter(drifted.values()))
    return ReadyLine(
        gate="drift",
        verdict=HELD,
        says=Sentence(
            says="{count} assets changed since the proposal: {first}", facts={"count": len(drifted), "first": first}
        ),
        owner=ENGINEER,
        remedy=Sentence(says="propose the plan again"),
        assets=tuple(drifted),
    )


def _busy_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    busy = tuple(move.asset for move in content.moves if move.asset in seen.busy)
    if not busy:
        return good("busy", Sentence(says="no asset is in another wave's hands"))
    return ReadyLine(
        gate="busy",
        verdict=HELD,
        says=Sentence(says="{count} assets are in another wave's hands", facts={"count": len(busy)}),
        owner=ENGINEER,
        remedy=Sentence(says="wait for the other wave"),
        assets=busy,
    )

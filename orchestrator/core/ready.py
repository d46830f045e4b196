"""The start gates of a wave: each line ok, held (an asset stays behind) or blocks, with owner and remedy.

The same function answers `kahn wave check` ahead of time and decides at the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from inventory.errors import ExpectedError
from inventory.model import AssetId, Snapshot
from orchestrator.core.access import AccessProfile
from orchestrator.core.approval import Standing
from orchestrator.core.calendar import frozen_span
from orchestrator.core.freeze import MachineMissing, Machines
from orchestrator.core.freezes import frozen_days
from orchestrator.core.lifecycle import WAVE_TABLE, WaveEvent, WaveState
from orchestrator.core.policy import Freeze, Policy
from orchestrator.core.wave import WaveContent


class NotReady(ExpectedError):
    """A start gate blocks the wave."""

    code, says = "RUN-002", "Wave {wave} cannot start: {why}."
    remedy = "Look at every gate with `kahn wave check {wave}`."
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyLine:
    """One start gate. ``verdict`` is ok, held or blocks; ``assets`` are those that stay behind."""

    gate: str
    verdict: str
    says: str
    owner: str = ""
    remedy: str = ""
    assets: tuple[AssetId, ...] = ()


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


def ready_lines(content: WaveContent, seen: Circumstances) -> tuple[ReadyLine, ...]:
    """Every start gate in order. The wave may start when none blocks."""
    return (
        _state_line(content, seen),
        _signatures_line(seen),
        _approval_line(content, seen),
        _window_line(content, seen),
        _freeze_line(content, seen),
        _size_line(content),
        _tree_line(content, seen),
        _access_line(content, seen),
        _drift_line(content, seen),
        _busy_line(content, seen),
    )


def blocking(lines: tuple[ReadyLine, ...]) -> tuple[ReadyLine, ...]:
    """Those lines that forbid the start."""
    return tuple(line for line in lines if line.verdict == "blocks")


SIGNATURES = "signatures"
_STATE_REMEDIES: Mapping[WaveState, str] = {
    WaveState.DRAFT: "propose the plan again",
    WaveState.PROPOSED: "approve it first",
    WaveState.RUNNING: "watch it with kahn wave watch {wave}",
    WaveState.ROLLING_BACK: "watch it with kahn wave watch {wave}",
    WaveState.HELD: "decide with kahn wave resume {wave} or kahn wave rollback {wave}",
    WaveState.NEEDS_PERSON: "decide with kahn wave resume {wave} or kahn wave rollback {wave}",
}


def _state_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    if WaveEvent.CLAIM in WAVE_TABLE[seen.state]:
        return ReadyLine(gate="state", verdict="ok", says=f"the wave is {seen.state}")
    remedy = _STATE_REMEDIES.get(seen.state, "plan its assets into a new wave").format(wave=content.key)
    return ReadyLine(
        gate="state", verdict="blocks", says=f"the wave is {seen.state}", owner="migration engineer", remedy=remedy
    )


def _signatures_line(seen: Circumstances) -> ReadyLine:
    if not seen.standing.forged:
        return ReadyLine(gate=SIGNATURES, verdict="ok", says="every act carries a genuine signature")
    return ReadyLine(
        gate=SIGNATURES,
        verdict="blocks",
        says=f"{seen.standing.forged} act(s) in the store carry no genuine signature",
        owner="auditor",
        remedy="find out who wrote to the database; then propose and approve the wave again",
    )


def _approval_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    if seen.standing.holds:
        names = ", ".join(seen.standing.approvers)
        until = _wall(content, seen.standing.expires) if seen.standing.expires else "-"
        return ReadyLine(gate="approval", verdict="ok", says=f"approved by {names}, valid until {until}")
    return ReadyLine(
        gate="approval",
        verdict="blocks",
        says="; ".join(seen.standing.missing),
        owner="approver",
        remedy=f"kahn wave approve {content.key}",
    )


def _wall(content: WaveContent, moment: datetime) -> str:
    """The moment as the clock on the town's wall shows it."""
    return f"{moment.astimezone(ZoneInfo(content.window.zone)):%Y-%m-%d %H:%M} {content.window.zone}"


def _window_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    window = content.window
    if window.opens <= seen.now < window.closes:
        return ReadyLine(gate="window", verdict="ok", says=f"open until {_wall(content, window.closes)}")
    when = "opens" if seen.now < window.opens else "closed"
    moment = window.opens if seen.now < window.opens else window.closes
    return ReadyLine(
        gate="window",
        verdict="blocks",
        says=f"{window.local}: {when} {_wall(content, moment)}",
        owner="migration engineer",
        remedy="wait until it opens" if seen.now < window.opens else "plan the wave again",
    )


def _freeze_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    zone, begin = ZoneInfo(content.window.zone), max(seen.now, content.window.opens)
    first, last = (at.astimezone(zone).date() for at in (content.window.opens, content.window.closes))
    found = frozen_days(seen.policy, first=first, last=last)
    freezes = [Freeze(name=one.name, first=one.first, last=one.last) for one in found if one.scope.is_all]
    spans = ((one, frozen_span(one, zone)) for one in freezes)
    frozen = next((one for one, (first, after) in spans if max(first, begin) < min(after, content.window.closes)), None)
    if frozen is None:
        return ReadyLine(gate="freeze", verdict="ok", says="no freeze in its window")
    return ReadyLine(
        gate="freeze",
        verdict="blocks",
        says=f"{frozen.name}: nothing moves from {frozen.first} to {frozen.last}",
        owner="administrator",
        remedy="plan the wave again, or change the tenant's policy",
    )


def _size_line(content: WaveContent) -> ReadyLine:
    if content.moves:
        return ReadyLine(gate="assets", verdict="ok", says=f"{len(content.moves)} assets")
    return ReadyLine(
        gate="assets", verdict="blocks", says="the wave is empty", owner="migration engineer", remedy="plan again"
    )


def _tree_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    name = f"{content.runbook.name}, tree {content.runbook.tree[:12]}"
    if seen.tree_there:
        return ReadyLine(gate="runbook", verdict="ok", says=f"{name} is kept as approved")
    if seen.state in (WaveState.DRAFT, WaveState.PROPOSED):
        return ReadyLine(gate="runbook", verdict="ok", says=f"{name} will be kept when it is approved")
    return ReadyLine(
        gate="runbook",
        verdict="blocks",
        says=f"{name} is missing or was changed on disk",
        owner="administrator",
        remedy="restore the state directory, or propose and approve again",
    )


def _access_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    changed = [one.name for one in content.access if seen.profiles.get(one.name) != one]
    if not changed:
        return ReadyLine(gate="access", verdict="ok", says="the access profiles are as approved")
    return ReadyLine(
        gate="access",
        verdict="blocks",
        says=f"changed since the proposal: {', '.join(changed)}",
        owner="administrator",
        remedy="propose and approve the wave again",
    )


def drift(content: WaveContent, snapshot: Snapshot) -> dict[AssetId, str]:
    """Assets whose inventory record no longer agrees with what was approved, and where."""
    found: dict[AssetId, str] = {}
    machines = Machines(snapshot, content.runbook)
    for move in content.moves:
        try:
            now = machines.of(move.asset)
        except (MachineMissing, KeyError) as error:
            found[move.asset] = str(error)
            continue
        changed = [before.name for before in move.machines if before not in now]
        if changed or len(now) != len(move.machines):
            found[move.asset] = f"{', '.join(changed) or move.name}: address, host key, access or role changed"
    return found


def _drift_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    drifted = drift(content, seen.snapshot)
    if not drifted:
        return ReadyLine(gate="drift", verdict="ok", says="the inventory still agrees with what was approved")
    first = next(iter(drifted.values()))
    return ReadyLine(
        gate="drift",
        verdict="held",
        says=f"{len(drifted)} assets changed since the proposal: {first}",
        owner="migration engineer",
        remedy="propose the plan again",
        assets=tuple(drifted),
    )


def _busy_line(content: WaveContent, seen: Circumstances) -> ReadyLine:
    busy = tuple(move.asset for move in content.moves if move.asset in seen.busy)
    if not busy:
        return ReadyLine(gate="busy", verdict="ok", says="no asset is in another wave's hands")
    return ReadyLine(
        gate="busy",
        verdict="held",
        says=f"{len(busy)} assets are in another wave's hands",
        owner="migration engineer",
        remedy="wait for the other wave",
        assets=busy,
    )

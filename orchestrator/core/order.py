"""From a command to a run: which playbooks, on which role's machines, until when, and who uses which machine alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from inventory.model import AssetId
from orchestrator.core.command import StartRun
from orchestrator.core.runbook import Direction, Effect, RoleSource
from orchestrator.core.wave import WaveContent

EXCLUSIVE = frozenset({RoleSource.ASSET, RoleSource.SUCCESSOR})
"""Machines of one asset alone, whatever a runbook calls their roles; vault, gateway, jump host, database and tool are
the tenant's, and many moves use them at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What a run plays: playbooks in order, the role they connect to, and how long the whole may take."""

    playbooks: tuple[str, ...]
    on: str
    limit: timedelta
    once: bool
    """Whether claim and receipts are written on the target."""


def play_for(content: WaveContent, command: StartRun) -> Play:
    """What the command plays; no playbooks where people do it. A step's verification belongs to the step."""
    baseline, service = content.runbook.baseline, content.runbook.service
    if command.direction is Direction.SERVICE and service is not None:
        limit = timedelta(seconds=service.deadline_s)
        playbook = service.at_end if command.last and service.at_end else service.playbook
        return Play(playbooks=(playbook,), on=service.on, limit=limit, once=False)
    after = content.runbook.after
    if command.direction is Direction.AFTER and after is not None:
        limit = timedelta(seconds=after.deadline_s)
        return Play(playbooks=(after.playbook,), on=after.on, limit=limit, once=False)
    if command.direction in (Direction.BASELINE, Direction.COMPARE):
        playbook = baseline.take if command.direction is Direction.BASELINE else baseline.compare
        limit = timedelta(seconds=baseline.deadline_s)
        return Play(playbooks=(playbook,) if playbook else (), on=baseline.on, limit=limit, once=False)
    step = content.runbook.step(command.step)
    playbooks = {
        Direction.DO: (step.playbook or (step.probe if step.external else ""), step.verify),
        Direction.UNDO: (step.undo,),
        Direction.PROBE: (step.probe,),
    }[command.direction]
    return Play(
        playbooks=tuple(name for name in playbooks if name),
        on=step.on,
        limit=timedelta(seconds=step.deadline_s),
        once=command.direction is Direction.DO and step.effect is Effect.ONCE and not step.checklist,
    )


def own_machines(content: WaveContent, asset: AssetId) -> tuple[str, ...]:
    """Machines that nobody else may use while this asset's attempt lives."""
    alone = {role.name for role in content.runbook.roles if role.machine in EXCLUSIVE}
    return tuple(dict.fromkeys(one.name for one in content.move(asset).machines if one.role in alone))

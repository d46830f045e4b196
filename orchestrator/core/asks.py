"""What a runbook asks of the inventory before it may move an asset: machines in roles, facts, a described procedure."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.core.canonical import LATER
from orchestrator.core.runbook import Need, RoleSource, Runbook


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """The part of a runbook that planning looks at. Planner and plan check read it and share nothing else."""

    runbook: str
    machines: tuple[RoleSource, ...] = (RoleSource.ASSET, RoleSource.VAULT)
    """Where the machines of its roles are found, each once, sorted by name."""
    reached: bool = True
    """Whether Kahn must reach them: false for work by hand alone."""
    procedure: bool = False
    """Whether exactly one procedure that the policy describes must run on the asset."""
    needs: tuple[Need, ...] = ()
    boots: bool = field(default=False, metadata=LATER)
    """Whether the successor is installed by its hardware address: it must have one, and nobody else the same."""
    fault: str = ""
    """Why it cannot be used at all; empty when it can."""


def asks_of(runbook: Runbook) -> Asks:
    """What that runbook asks."""
    return Asks(
        runbook=runbook.name,
        machines=tuple(sorted({role.machine for role in runbook.roles})),
        reached=runbook.touches_machines,
        procedure=runbook.procedure,
        needs=runbook.needs,
        boots=runbook.boots,
    )

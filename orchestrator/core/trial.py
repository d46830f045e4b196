"""The trial of a runbook on lab hosts: what was tried at each step, what came of it, and what could not be tried."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.runbook import Effect, RoleSource, Runbook, Step

LAB_ROLES = frozenset({RoleSource.ASSET, RoleSource.SUCCESSOR, RoleSource.VAULT, RoleSource.JUMP})
"""Machines that the lab has for a seat."""


class Tried(StrEnum):
    """What came of one trial."""

    WELL = "well"
    DIFFERS = "differs"
    BROKEN = "broken"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One trial at one step. ``told`` says what happened, or why it could not be tried."""

    verdict: Tried
    told: str = ""
    differences: tuple[str, ...] = ()
    """``host: path`` of what is not as it was."""


NOT_TRIED = Finding(verdict=Tried.NOT_TRIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTrial:
    """One step: played to its end; failed after its work and taken back; killed in its midst and taken back."""

    step: str
    forward: Finding = NOT_TRIED
    failed: Finding = NOT_TRIED
    killed: Finding = NOT_TRIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The whole trial. ``back`` is the way back from the end, compared with before by Kahn and from outside."""

    runbook: str
    steps: tuple[StepTrial, ...]
    back: Finding

    @property
    def passed(self) -> bool:
        """Whether nothing went otherwise than it must; what could not be tried is no failure, and is listed."""
        return all(one.verdict in (Tried.WELL, Tried.NOT_TRIED) for one in self.findings)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding."""
        return (*(one for step in self.steps for one in (step.forward, step.failed, step.killed)), self.back)


def cannot_try(runbook: Runbook) -> str:
    """Why no step of the runbook can be tried on lab hosts; empty when it can."""
    if not runbook.touches_machines:
        return "all of it is done by people"
    if runbook.procedure:
        return "it moves a procedure, and the lab's seats run none"
    foreign = sorted({role.machine.value for role in runbook.roles if role.machine not in LAB_ROLES})
    return f"the lab has no machine in the role {', '.join(foreign)}" if foreign else ""


def left_untried(step: Step) -> str:
    """Why the step is not played at all; empty when it is."""
    if step.checklist:
        return "a person does it"
    return "another tool does it" if step.external else ""


def no_way_back(step: Step) -> str:
    """Why failing and being killed here cannot be taken back; empty when it can, or when nothing was changed."""
    return "it has no undo" if step.effect is not Effect.NONE and not step.undo else ""

"""The trial of a runbook on lab hosts: what was tried at each step, what came of it, and what could not be tried."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.runbook import Effect, RoleSource, Runbook, Step

SEAT_ROLES = frozenset({RoleSource.ASSET, RoleSource.SUCCESSOR, RoleSource.VAULT, RoleSource.JUMP})
"""Machines that the lab has for a seat."""
LAB_ROLES = SEAT_ROLES | {RoleSource.GATEWAY}
"""Machines that the lab has for a trial."""


class Tried(StrEnum):
    """What came of one trial."""

    WELL = "well"
    DIFFERS = "differs"
    BROKEN = "broken"
    NOT_TRIED = "not_tried"


class Unseen(StrEnum):
    """What a trial does not look at or disturb."""

    OTHER_FILES = "other_files"
    TIMES = "times"
    DEATHS = "deaths"
    RULES = "rules"
    OTHER_DATABASES = "other_databases"
    WRITERS = "writers"
    SERVICES = "services"
    EMPTY_GATEWAY = "empty_gateway"
    BASELINE_BY_HAND = "baseline_by_hand"


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
    after: Finding = NOT_TRIED
    """The successor after the last step, compared with the old machine before the first (``compare_after``)."""
    service: Finding = NOT_TRIED
    """Whether it serves after the last step, as the soak asks."""
    unseen: tuple[Unseen, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing went otherwise than it must; what could not be tried is no failure, and is listed."""
        return all(one.verdict in (Tried.WELL, Tried.NOT_TRIED) for one in self.findings)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding."""
        steps = (one for step in self.steps for one in (step.forward, step.failed, step.killed))
        return (*steps, self.after, self.service, self.back)


def cannot_try(runbook: Runbook) -> str:
    """Why no step of the runbook can be tried on lab hosts; empty when it can."""
    if not runbook.touches_machines:
        return "all of it is done by people"
    if any(
        one.fact == "os_name" and all("windows" in value.casefold() for value in one.values) for one in runbook.needs
    ):
        return "it is for machines that run Windows, and the lab has none"
    return lacking(runbook, there=LAB_ROLES)


def lacking(runbook: Runbook, *, there: Collection[RoleSource]) -> str:
    """Which of the runbook's machines the lab does not have; empty when it has all."""
    foreign = sorted({role.machine.value for role in runbook.roles if role.machine not in there})
    return f"the lab has no machine in the role {', '.join(foreign)}" if foreign else ""


def left_untried(step: Step) -> str:
    """Why the step is not played at all; empty when it is."""
    if step.checklist:
        return "a person does it"
    return "another tool does it" if step.external else ""


def no_way_back(step: Step) -> str:
    """Why failing and being killed here cannot be taken back; empty when it can, or when nothing was changed."""
    return "it has no undo" if step.effect is not Effect.NONE and not step.undo else ""


def not_looked_at(runbook: Runbook) -> tuple[Unseen, ...]:
    """What a trial of that runbook leaves out, whatever came of it."""
    found = [Unseen.OTHER_FILES, Unseen.TIMES, Unseen.DEATHS, Unseen.RULES]
    gateway = any(role.machine is RoleSource.GATEWAY for role in runbook.roles)
    if runbook.procedure:
        found += [Unseen.OTHER_DATABASES, Unseen.WRITERS]
    else:
        found += [Unseen.SERVICES, *([Unseen.EMPTY_GATEWAY] if gateway else [])]
    return (*found, *([Unseen.BASELINE_BY_HAND] if runbook.baseline.checklist else []))

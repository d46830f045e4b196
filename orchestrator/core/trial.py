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


class Ground(StrEnum):
    """What a runbook is tried on."""

    HOSTS = "hosts"
    """Throw-away hosts of the lab."""
    BARE = "bare"
    """The same, with a boot server and a bare machine in an emulator that starts from it."""
    DOUBLE = "double"
    """A protocol double: something that speaks as a Windows machine does and is none."""


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
    REAL_MACHINES = "real_machines"
    WINDOWS = "windows"


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
    cut: Finding = NOT_TRIED
    """Of another tool's step: the machine it works on loses power in the midst, and it is taken back."""


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
    tree: Finding = NOT_TRIED
    """Whether the frozen copy of the runbook was left as it was, looked at after every run as before every start."""
    unseen: tuple[Unseen, ...] = ()
    ground: Ground = Ground.HOSTS

    @property
    def passed(self) -> bool:
        """Whether nothing went otherwise than it must; what could not be tried is no failure, and is listed."""
        return all(one.verdict in (Tried.WELL, Tried.NOT_TRIED) for one in self.findings)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding."""
        steps = (one for step in self.steps for one in (step.forward, step.failed, step.killed, step.cut))
        return (*steps, self.after, self.service, self.back, self.tree)


DOUBLED = frozenset({"kahn_windows_seat", "kahn_windows_server"})
"""The modules for Windows that the protocol double has a model of."""


def ground_of(runbook: Runbook) -> Ground:
    """What it is tried on."""
    if _for_windows(runbook):
        return Ground.DOUBLE
    has_tool = any(role.machine is RoleSource.TOOL for role in runbook.roles)
    return Ground.BARE if has_tool and runbook.boots else Ground.HOSTS


def cannot_try(runbook: Runbook, modules: Collection[str] = ()) -> str:
    """Why no step of the runbook can be tried; empty when it can. ``modules`` are those that its playbooks use."""
    if not runbook.touches_machines:
        return "all of it is done by people"
    ground = ground_of(runbook)
    if ground is Ground.DOUBLE:
        unknown = sorted(set(modules) - DOUBLED)
        if unknown:
            return f"it is for machines that run Windows, and the protocol double has no model of {', '.join(unknown)}"
        return lacking(runbook, there={RoleSource.ASSET, RoleSource.SUCCESSOR})
    if ground is Ground.BARE:
        return _too_much_for_bare(runbook) or lacking(runbook, there=LAB_ROLES | {RoleSource.TOOL})
    return lacking(runbook, there=LAB_ROLES)


def _for_windows(runbook: Runbook) -> bool:
    return any(
        one.fact == "os_name" and all("windows" in value.casefold() for value in one.values) for one in runbook.needs
    )


def _too_much_for_bare(runbook: Runbook) -> str:
    """Why what follows an installation cannot be looked at: nobody sees the files of a machine in an emulator."""
    new = {role.name for role in runbook.roles if role.machine is RoleSource.SUCCESSOR}
    later = [step.name for step in runbook.steps if step.on in new and step.effect is not Effect.NONE]
    after = f"step {later[0]} changes" if later else "its service or compare_after looks at" if _looks(runbook) else ""
    if not after:
        return ""
    return f"{after} the installed machine, which runs in an emulator here: try the two runbooks it was joined of"


def _looks(runbook: Runbook) -> bool:
    return runbook.after is not None or runbook.service is not None


def lacking(runbook: Runbook, *, there: Collection[RoleSource]) -> str:
    """Which of the runbook's machines the lab does not have; empty when it has all."""
    foreign = sorted({role.machine.value for role in runbook.roles if role.machine not in there})
    return f"the lab has no machine in the role {', '.join(foreign)}" if foreign else ""


def left_untried(step: Step, *, with_tool: bool = False) -> str:
    """Why the step is not played at all; empty when it is. ``with_tool``: there is something that does the work."""
    if step.checklist:
        return "a person does it"
    if step.only_with:
        return "it is about a domain, and the lab has none"
    return "another tool does it" if step.external and not with_tool else ""


def no_way_back(step: Step) -> str:
    """Why failing and being killed here cannot be taken back; empty when it can, or when nothing was changed."""
    return "it has no undo" if step.effect is not Effect.NONE and not step.undo else ""


def not_looked_at(runbook: Runbook, ground: Ground = Ground.HOSTS) -> tuple[Unseen, ...]:
    """What a trial of that runbook leaves out, whatever came of it."""
    if ground is Ground.DOUBLE:
        return (Unseen.WINDOWS, Unseen.DEATHS, Unseen.RULES)
    found = [Unseen.OTHER_FILES, Unseen.TIMES, Unseen.DEATHS, Unseen.RULES]
    if ground is Ground.BARE:
        return (*found, Unseen.REAL_MACHINES)
    gateway = any(role.machine is RoleSource.GATEWAY for role in runbook.roles)
    if runbook.procedure:
        found += [Unseen.OTHER_DATABASES, Unseen.WRITERS]
    else:
        found += [Unseen.SERVICES, *([Unseen.EMPTY_GATEWAY] if gateway else [])]
    return (*found, *([Unseen.BASELINE_BY_HAND] if runbook.baseline.checklist else []))

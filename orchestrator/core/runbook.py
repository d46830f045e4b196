"""A runbook: named steps with effect, undo, verify and probe, and the machine roles they work on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from inventory.errors import ExpectedError
from orchestrator.core.canonical import LATER

DOMAIN = "domain"
"""The one thing that a step can be bound to."""


class RunbookInvalid(ExpectedError):
    """A runbook.yml that breaks a rule."""

    code, says = "RBK-001", "{file}, line {line}: {what}."
    remedy = "Correct the line and run `kahn runbook check` again."


class Effect(StrEnum):
    """What a step may do: nothing, something that can be repeated, or something that must happen once."""

    NONE = "none"
    IDEMPOTENT = "idempotent"
    ONCE = "once"


class Direction(StrEnum):
    """What a run is for."""

    DO = "do"
    UNDO = "undo"
    PROBE = "probe"
    BASELINE = "baseline"
    COMPARE = "compare"
    AFTER = "after"
    SERVICE = "service"


class RoleSource(StrEnum):
    """Where the machine of a role is found: the asset itself, its successor, or the tenant's machine of that role."""

    ASSET = "asset"
    SUCCESSOR = "successor"
    VAULT = "vault"
    GATEWAY = "gateway"
    JUMP = "jump"
    DATABASE = "database"
    TOOL = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One machine role of a runbook, such as ``source`` or ``vault``."""

    name: str
    machine: RoleSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One named act. Playbooks are paths inside the runbook's folder; deadlines in seconds for the whole run.

    A step with a ``checklist`` has no playbooks: a person does it at the desk and signs for each asset.
    """

    name: str
    title: str
    on: str
    """Role whose machine the step's playbook connects to."""
    effect: Effect
    playbook: str = ""
    verify: str = ""
    undo: str = ""
    probe: str = ""
    deadline_s: int = 600
    no_return: bool = False
    """Once this step has begun, nothing before it is undone by itself."""
    takes_s: int = field(default=0, metadata=LATER)
    """How long one round of it takes, as far as its author knows (P80); 0 when they do not say."""
    undo_takes_s: int = field(default=0, metadata=LATER)
    quiet_s: int = field(default=0, metadata=LATER)
    """How long a machine that was lost sight of may go on with it by itself: no probe before that is over."""
    checklist: tuple[str, ...] = field(default=(), metadata=LATER)
    """What a person does and looks at, point by point; empty when playbooks do it."""
    undo_checklist: tuple[str, ...] = field(default=(), metadata=LATER)
    present: str = field(default="", metadata=LATER)
    """Who must be there, in words."""
    external: bool = field(default=False, metadata=LATER)
    """Whether another tool does it: ``playbook`` only starts that (empty when something else does); a probe tells."""
    every_s: int = field(default=0, metadata=LATER)
    """Seconds between two probes of an external step, or between two looks of one that waits."""
    waits_for: tuple[str, ...] = field(default=(), metadata=LATER)
    """Causes that are waited out, such as somebody at work: the step looks again, and nothing counts as failed."""
    waits_s: int = field(default=0, metadata=LATER)
    """How long that lasts at most; then the cause counts."""
    reversible_until: str = field(default="", metadata=LATER)
    """Name of a later step: once that one has begun, this one is not undone by itself any more."""
    only_with: str = field(default="", metadata=LATER)
    """What the tenant must have for it: ``domain``; without that the step is no part of a wave. Empty: nothing."""

    @property
    def has_undo(self) -> bool:
        """Whether it can be taken back, by a playbook or by hand."""
        return bool(self.undo or self.undo_checklist)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """How an asset's fingerprint from before is taken and compared after a rollback.

    With a ``checklist`` a person notes these points before, and compares them after.
    """

    on: str
    take: str = ""
    compare: str = ""
    deadline_s: int = 300
    checklist: tuple[str, ...] = field(default=(), metadata=LATER)
    takes_s: int = field(default=0, metadata=LATER)
    """How long one round of either takes, as far as its author knows (P80); 0 when they do not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """Where a playbook that somebody else wrote comes from, and what of Ansible's own ways it is given.

    ``groups`` are the inventory groups its plays name; ``vault_password_file`` is a path on the controller, never the
    password itself.
    """

    origin: str
    groups: tuple[str, ...] = ()
    vault_password_file: str = ""
    fast: bool = field(default=False, metadata=LATER)
    """Whether Ansible keeps one Python on each machine for the whole run (Mitogen) instead of starting one a task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What must be so of an asset before the runbook may move it: a fact of the inventory has one of these values."""

    fact: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCheck:
    """How a moved machine is asked whether it really serves; read-only, played while a batch soaks."""

    on: str
    playbook: str
    deadline_s: int = 300
    at_end: str = field(default="", metadata=LATER)
    """Played instead when the last soak is over: asks too, and ends what was only for the move (undone with it)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCheck:
    """How a successor's portrait is taken after the last step; the baseline takes that of the old machine before."""

    on: str
    playbook: str
    deadline_s: int = 300
    takes_s: int = 0
    """How long it takes, as far as its author knows (P80); 0 when they do not say."""
    ignore: tuple[str, ...] = ()
    """Patterns of entries that may differ, such as ``services: apt-*``."""
    leave_out: tuple[str, ...] = ()
    """Sections that are not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """A whole runbook as loaded and checked. ``tree`` is the SHA-256 of every file it may use."""

    name: str
    title: str
    ansible: str
    """Line of ansible it needs: ``modern``."""
    roles: tuple[Role, ...]
    baseline: Baseline
    steps: tuple[Step, ...]
    service: ServiceCheck | None = field(default=None, metadata=LATER)
    tree: str = ""
    adopted: Adopted | None = field(default=None, metadata=LATER)
    """Set when it plays somebody's own playbook unchanged: once, and with no undo but one they wrote."""
    procedure: bool = field(default=False, metadata=LATER)
    """Whether it moves the procedure that runs on the asset, and needs the policy's settings of it."""
    needs: tuple[Need, ...] = field(default=(), metadata=LATER)
    groups: tuple[str, ...] = field(default=(), metadata=LATER)
    """Inventory groups that every asset of a run is put into, so that ``group_vars`` beside the playbooks count."""
    after: AfterCheck | None = field(default=None, metadata=LATER)
    """The comparison of before and after, where one is made before an asset counts as moved."""
    retires: bool = field(default=False, metadata=LATER)
    """Whether the machine goes for good: at the end it is *retired*, not moved."""
    boots: bool = field(default=False, metadata=LATER)
    """Whether its successor is installed by network boot: there nothing but its hardware address tells who it is."""

    def for_tenant(self, *, has_domain: bool) -> Runbook:
        """The runbook as a wave of that tenant plays it: without steps about what the tenant does not have."""
        if has_domain or not any(one.only_with == DOMAIN for one in self.steps):
            return self
        return replace(self, steps=tuple(one for one in self.steps if one.only_with != DOMAIN))

    def step(self, name: str) -> Step:
        """The step of that name. Raises KeyError."""
        for one in self.steps:
            if one.name == name:
                return one
        raise KeyError(name)

    def by_hand(self, direction: Direction, step: str) -> tuple[str, ...]:
        """Points of what a person does in such a run; empty when playbooks do it."""
        if direction in (Direction.BASELINE, Direction.COMPARE):
            return self.baseline.checklist
        if step not in self.step_names:
            return ()
        found = {Direction.DO: self.step(step).checklist, Direction.UNDO: self.step(step).undo_checklist}
        return found.get(direction, ())

    @property
    def leaves_old_machine(self) -> bool:
        """Whether a machine is left over in the end that may be erased one day.

        One that nothing is ever done on, such as while its successor is only installed, is in use as before.
        """
        old = {role.name for role in self.roles if role.machine is RoleSource.ASSET}
        works_on_old = not old.isdisjoint((self.baseline.on, *(step.on for step in self.steps)))
        return self.retires or (works_on_old and any(role.machine is RoleSource.SUCCESSOR for role in self.roles))

    @property
    def touches_machines(self) -> bool:
        """Whether any of it is done by playbooks, so that Kahn must reach machines."""
        steps = any(one.playbook or one.external for one in self.steps)
        return steps or bool(self.baseline.take) or self.service is not None

    def changes(self, name: str) -> bool:
        """Whether the step of that name exists and may change anything."""
        return any(one.name == name and one.effect is not Effect.NONE for one in self.steps)

    @property
    def step_names(self) -> tuple[str, ...]:
        """Names of the steps in order."""
        return tuple(step.name for step in self.steps)

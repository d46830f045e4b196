"""One simulated run: its directory and processes as values, what may go wrong in it, and the words of its spool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.adapters.simulated_hosts import LedgerEntry, LedgerKind, SimulatedHost
from orchestrator.core import host_keys
from orchestrator.core.explain import Sentence
from orchestrator.core.fleet import FIRST_LINE, HostAnswer
from orchestrator.core.receipts import BEGUN_ELSEWHERE_RC, EPOCH_REFUSED_RC, NO_RECEIPT_RC
from orchestrator.core.runbook import Direction, Effect
from orchestrator.run_ports import AttemptSpec, RunOrder, SpoolLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """How one task on one host goes otherwise than well. ``what``: refuse, fail, fail_half, fail_done, unreachable,
    unreachable_half, unreachable_done, hang, fork_dies, fork_dies_done, blind; '' with ``slow`` only takes longer."""

    what: str = ""
    slow: float = 1.0
    cause: str = "made_up"


class Trouble:
    """Who decides what goes wrong. This one lets everything go well."""

    def at_task(self, run: SimulatedRun, task: str, host: SimulatedHost) -> Mishap:
        """How a task goes on a host."""
        return Mishap()

    def at_look(self, host: SimulatedHost) -> str:
        """What the look before a batch finds wrong with a host: the code of a trouble, or nothing."""
        return ""

    def when_killed(self, run: SimulatedRun, host: SimulatedHost, until_us: int) -> str:
        """What a program on a host does whose ansible is killed: dies, half, or late (goes on until it is done)."""
        return "dies"

    def at_start(self, run: SimulatedRun) -> None:
        """A run has started: may plan deaths of its processes with ``SimulatedRuns.later``."""

    def on_entry(self, entry: LedgerEntry) -> None:
        """Something happened on a host."""


def look_answer(trouble: str, *, at: datetime) -> HostAnswer:
    """What a simulated host answers to the look before its batch: it is well, or it has that trouble."""
    if trouble:
        return HostAnswer(trouble=host_keys.Trouble(code=trouble, told=Sentence(says="it says nothing")))
    return HostAnswer(text=WELL.format(now=int(at.timestamp())), at=at)


WELL = "\n".join((FIRST_LINE, "become 1", "time {now}", "free_kib 1048576", "root rw", "load_percent 10", "cores 1"))


@dataclass(slots=True, kw_only=True)
class SimulatedRun:
    """A run directory and its processes."""

    order: RunOrder | None = None
    started: bool = False
    closed: bool = False
    exited: bool = False
    rc: int | None = None
    last_seq: int | None = None
    supervisor: bool = False
    main: bool = False
    forks: dict[str, int] = field(default_factory=dict)
    """Host -> when its fork ends."""
    active: list[str] = field(default_factory=list)
    tasks: tuple[str, ...] = ()
    at_task: int = -1
    deadline_us: int = 0
    lines: list[SpoolLine] = field(default_factory=list)
    synced: int = 0
    bad_line: int = 0
    """Number of a line that fails its checksum; 0 when none does."""
    torn: Callable[[], None] | None = None
    """Called in place of the next line, which is not written to its end."""
    generation: int = 0

    @property
    def alive(self) -> bool:
        """Whether any process of the run lives."""
        return self.main or bool(self.forks) or self.supervisor

    @property
    def direction(self) -> str:
        """What the run is for."""
        return self.order.run.direction.value if self.order else ""

    @property
    def changes_nothing(self) -> bool:
        """Whether it plays a step without an effect."""
        if self.order is None or not self.order.run.step:
            return False
        return self.order.content.runbook.step(self.order.run.step).effect is Effect.NONE

    @property
    def attempts(self) -> dict[str, AttemptSpec]:
        """Attempt by host."""
        return {str(one.asset): one for one in self.order.run.attempts} if self.order else {}


KIND_OF: dict[Direction, LedgerKind] = {
    Direction.UNDO: "undo",
    Direction.PROBE: "probe",
    Direction.BASELINE: "baseline",
    Direction.COMPARE: "compare",
    Direction.AFTER: "after",
}
PORTRAIT = {"sections": {"ports": [{"tcp 22": "sshd, any address"}]}, "unread": {}, "left_out": {}}
"""What every simulated machine tells of itself, before and after."""


def tasks_of(order: RunOrder) -> tuple[str, ...]:
    """The tasks of a run: first contact or claim, the step, its verification, the end receipt, the proof."""
    verified = order.run.direction is Direction.DO and len(order.playbooks) > 1
    return (
        "claim" if order.once else "reach",
        "act",
        *(("verify",) if verified else ()),
        *(("end",) if order.once else ()),
        "done",
    )


def part_of(task: str) -> str:
    """The part of the run that a task belongs to, as the spool names it."""
    return {"claim": "claim", "reach": "claim", "end": "end", "done": "done"}.get(task, "step")


def receipt_refusal(made: SimulatedRun, task: str, host: SimulatedHost) -> int:
    """The exit code with which the host refuses a claim or an end receipt; 0 when it does not."""
    assert made.order is not None
    own = made.attempts[host.name]
    if task == "end":
        return 0 if host.begun == own.id else NO_RECEIPT_RC
    if made.order.run.epoch < host.epoch:
        return EPOCH_REFUSED_RC
    open_one = host.begun and host.ended != host.begun and host.begun not in own.settled
    return BEGUN_ELSEWHERE_RC if open_one or host.begun == own.id or host.at_work else 0


@dataclass(kw_only=True)
class SimulatedLook:
    """A look at hosts that takes its virtual time; each tells how it is when the look ends."""

    is_over: Callable[[], bool]
    ask: Callable[[], tuple[HostAnswer, ...]]
    found: tuple[HostAnswer, ...] | None = None

    def answers(self) -> tuple[HostAnswer, ...] | None:
        """None until its time is over."""
        return self.wait() if self.found is not None or self.is_over() else None

    def wait(self) -> tuple[HostAnswer, ...]:
        """At once: virtual time does not pass while somebody waits."""
        self.found = self.ask() if self.found is None else self.found
        return self.found

    def drop(self) -> None:
        """Nothing is under way in a world without threads."""

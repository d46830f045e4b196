"""Trouble of hosts, of networks and of the processes of a run, thrown by the dice."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.adapters.simulated_hosts import LedgerEntry, SimulatedHost
from orchestrator.adapters.simulated_run import Mishap, SimulatedRun, Trouble
from orchestrator.adapters.simulated_runs import SimulatedRuns
from orchestrator.core.runbook import Direction
from orchestrator.run_ports import SpoolLine
from tests.simulation.faults import RUN, Dice

SECOND = 1_000_000
CONTACT = {
    "F37-key": Mishap(what="unreachable"),
    "F38-name": Mishap(what="unreachable"),
    "F40-banner": Mishap(what="unreachable", slow=4),
    "F39-half-open": Mishap(what="unreachable", slow=6),
}
WORK = {
    "F3-fork": Mishap(what="fork_dies"),
    "F3-fork-after": Mishap(what="fork_dies_done"),
    "F28-slow": Mishap(slow=40),
    "F28-hang": Mishap(what="hang"),
    "F31-lost-reply": Mishap(what="unreachable_done"),
    "F35-reboot": Mishap(what="unreachable_half"),
    "T-disk": Mishap(what="fail_half", cause="disk_full"),
    "T-refuses": Mishap(what="fail", cause="not_permitted"),
    "T-late-failure": Mishap(what="fail_done", cause="task_failed"),
}
UNDO = {"F43-undo": Mishap(what="fail", cause="undo_failed")}
PROBE = {"T-blind": Mishap(what="blind")}
VERIFY = {"F36-verify": Mishap(what="unreachable", slow=5)}
ALL_TASKS = {**CONTACT, **WORK, **UNDO, **PROBE, **VERIFY}


class Misfortune(Trouble):
    """Asks the dice at every task and at every start."""

    world: SimulatedRuns
    heard: Callable[[LedgerEntry], None]

    def __init__(self, dice: Dice, say: Callable[[str], None]) -> None:
        self._dice, self._say = dice, say

    def _hit(self, point: str, fault: str, where: str) -> None:
        self._say(f"fault {self._dice.hit(point, fault)} {fault} {where}")

    def at_task(self, run: SimulatedRun, task: str, host: SimulatedHost) -> Mishap:
        """How a task goes on a host."""
        for point in _points(run, task):
            fault = self._dice.throw(point)
            if fault:
                self._hit(point, fault, f"{host.name} {task}")
                return ALL_TASKS[fault]
        return Mishap()

    def at_look(self, host: SimulatedHost) -> str:
        """How a host answers to the look before its batch."""
        fault = self._dice.throw("look")
        if fault:
            self._hit("look", fault, host.name)
        return {"L-off": "unreachable", "L-key": "key_mismatch", "L-way": "jump_unreachable"}.get(fault, "")

    def when_killed(self, run: SimulatedRun, host: SimulatedHost, until_us: int) -> str:
        """What becomes of a program on a host."""
        fault = self._dice.throw("killed")
        if fault:
            self._hit("killed", fault, host.name)
        return {"F29-late": "late", "F29-half": "half"}.get(fault, "dies")

    def at_start(self, run: SimulatedRun) -> None:
        """Plan what will happen to the run's processes."""
        assert run.order is not None
        fault = self._dice.throw("run", possible=tuple(RUN))
        if not fault:
            return
        ident = run.order.run.id
        delay = self._dice.between(0.2, 30, "delay", ident)
        place = "run"
        number = self._dice._passed[place]

        def happen() -> None:
            if not run.alive and not run.main:
                return
            if self._befall(run, fault):
                ident_of = f"{place}{number}"
                self._dice.played.append((ident_of, fault))
                self._say(f"fault {ident_of} {fault} {ident}")

        self.world.later(int(delay * SECOND), "call", ident, happen)

    def _befall(self, run: SimulatedRun, fault: str) -> bool:
        assert run.order is not None
        world, ident = self.world, run.order.run.id
        if fault == "F2-ansible":
            return world.kill_main(ident)
        if fault == "S-supervisor":
            return world.kill_supervisor(ident)
        if fault == "F6-power":
            return world.power_cut() > 0
        if fault == "F9-spool-full":
            return world.stop_recording(ident)
        if fault == "F7-torn-line":
            return self._torn(run)
        if fault == "F34-flood":
            return self._flood(run)
        return self._damage(run, gap=fault == "F32-order")

    def _torn(self, run: SimulatedRun) -> bool:
        """The next line is not written to its end: nobody ever sees it."""
        assert run.order is not None
        if not run.main or run.torn is not None:
            return False
        ident = run.order.run.id

        def tear() -> None:
            self.world.kill_supervisor(ident)
            self.world._end_all(ident, rc=None)

        run.torn = tear
        return True

    def _flood(self, run: SimulatedRun) -> bool:
        if not run.main or not run.active:
            return False
        for _ in range(300):
            line = SpoolLine(
                seq=len(run.lines) + 1, wall_us=0, kind="ok", host=run.active[0], fields={"part": _part(run)}
            )
            run.lines.append(line)
        return True

    def _damage(self, run: SimulatedRun, *, gap: bool) -> bool:
        if run.bad_line or len(run.lines) < 2:
            return False
        run.bad_line = 1 + len(run.lines) // 2 if gap else len(run.lines) - 1
        return True

    def on_entry(self, entry: LedgerEntry) -> None:
        """Told to whoever listens."""
        self.heard(entry)


def _part(run: SimulatedRun) -> str:
    return "step" if run.at_task > 0 else "claim"


def _points(run: SimulatedRun, task: str) -> tuple[str, ...]:
    """Where in the list of faults to look for a task."""
    assert run.order is not None
    if task in ("reach", "claim", "end"):
        return ("contact",)
    if task != "act":
        return ("verify",) if task == "verify" else ()
    return {Direction.DO: ("work",), Direction.UNDO: ("work", "undo"), Direction.PROBE: ("probe",)}.get(
        run.order.run.direction, ()
    )

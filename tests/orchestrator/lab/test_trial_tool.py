"""The work of another tool in a trial: to its end, and cut short by the loss of power."""

from __future__ import annotations

from orchestrator.core.trial import Tried
from tests.orchestrator.lab.trial_world import INSTALL, Memory, Power, Runs, tried


def a_tool(*answers: str, forgets: frozenset[str] = frozenset()) -> tuple[Runs, Power]:
    """A tool whose probe answers so, one after the other; its machine's disk stays written by nature."""
    runs = Runs(ground=Memory(stays={"old: disk": "the disk stays written"}), answers=list(answers), forgets=forgets)
    power = Power(runs)
    runs.ground.worker = power
    return runs, power


def test_the_machine_loses_its_power_in_the_midst_once_and_does_its_work_once() -> None:
    runs, power = a_tool("failed", "done")
    trial = tried(runs, steps=(INSTALL,))
    (step,) = trial.steps
    assert power.acts == ["on", "off", "on", "off", "on", "off"]
    assert (step.failed.verdict, step.killed.verdict, step.cut.verdict) == (Tried.WELL,) * 3
    assert step.forward.verdict is Tried.WELL and trial.passed


def test_what_stays_by_nature_is_told_and_is_no_difference() -> None:
    runs, _power = a_tool("failed", "done")
    trial = tried(runs, steps=(INSTALL,))
    assert trial.steps[0].cut.told == "failed; the disk stays written" and trial.back.told == "the disk stays written"
    assert trial.back.verdict is Tried.WELL


def test_work_that_was_cut_short_and_is_taken_for_done_is_broken() -> None:
    runs, _power = a_tool("done", "done")
    cut = tried(runs, steps=(INSTALL,)).steps[0].cut
    assert (cut.verdict, cut.told) == (Tried.BROKEN, "the probe takes work that was cut short for done")


def test_a_tool_that_ends_otherwise_than_done_is_broken_with_its_answer() -> None:
    runs, _power = a_tool("failed", "partial")
    forward = tried(runs, steps=(INSTALL,)).steps[0].forward
    assert (forward.verdict, forward.told) == (Tried.BROKEN, "partial")


def test_an_undo_that_leaves_the_order_is_found_after_every_disturbance() -> None:
    runs, _power = a_tool("failed", "done", forgets=frozenset({"install"}))
    (step,) = tried(runs, steps=(INSTALL,)).steps
    assert step.failed.differences == ("old: install",)


def test_without_a_tool_the_step_is_not_tried() -> None:
    step = tried(Runs(), steps=(INSTALL,)).steps[0]
    assert (step.forward.told, step.cut.verdict) == ("another tool does it", Tried.NOT_TRIED)

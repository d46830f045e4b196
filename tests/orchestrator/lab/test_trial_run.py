"""One run of a trial after the other."""

from __future__ import annotations

from orchestrator.core.trial import Tried
from tests.orchestrator.lab.trial_world import Memory, Runs, tried


def test_every_step_is_failed_killed_and_done_and_the_way_back_is_the_last() -> None:
    runs = Runs()
    trial = tried(runs)
    assert trial.passed and runs.ground.is_clear
    looks, changes = ["do look"] * 3, ["do copy", "undo copy"] * 2 + ["do copy"]
    assert runs.played[: 1 + len(looks) + len(changes)] == ["baseline", *looks, *changes]
    assert runs.played[-3:] == ["undo switch", "undo copy", "compare"] and len(runs.killed) == 3


def test_what_an_undo_forgets_is_found_at_its_step_and_in_the_end() -> None:
    trial = tried(Runs(forgets=frozenset({"copy"})))
    assert trial.steps[1].failed.differences == trial.back.differences == ("old: copy",)
    assert not trial.passed


def test_what_a_run_leaves_in_the_frozen_runbook_is_a_finding_with_its_run() -> None:
    told = iter([(), ("library/__pycache__/a.pyc (added)",)])
    trial = tried(Runs(), look=lambda: next(told, ()))
    assert trial.tree.verdict is Tried.DIFFERS and not trial.passed
    assert trial.tree.differences == ("frozen runbook, do look: library/__pycache__/a.pyc (added)",)


def test_a_ground_that_cannot_be_laid_is_cleared() -> None:
    class Broken(Memory):
        def lay(self) -> None:
            raise OSError("no room")

    runs = Runs(ground=Broken())
    try:
        tried(runs)
    except OSError:
        assert runs.ground.is_clear and not runs.played
    else:
        raise AssertionError("it was laid")

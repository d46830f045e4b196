"""The stopwatch, and whether a wave fits its window with the way back."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.core.progress import Fact
from orchestrator.core.ready_line import ReadyLine
from orchestrator.core.runbook import Direction
from orchestrator.core.step_times import RunTime, estimates, run_times, time_line, way_back, way_there
from orchestrator.core.wave import WaveContent
from tests.orchestrator.core.builders import OPENS, a_wave

WAVE = a_wave(batches={"canary": 1, "b1": 2, "b2": 2})
MINUTES = (WAVE.window.closes - OPENS).total_seconds() / 60


def facts(*, seconds: float, outcome: str = "done", how: str = "exit") -> list[Fact]:
    begun = {"run": "r1", "step": "save", "direction": "do", "attempts": {"a01": "t1", "a02": "t2"}}
    return [
        Fact(at=OPENS, kind="run.intended", body=begun),
        Fact(at=OPENS, kind="attempt.ended", body={"run": "r1", "outcome": outcome}),
        Fact(at=OPENS + timedelta(seconds=seconds), kind="run.ended", body={"run": "r1", "how": how}),
    ]


def test_a_run_is_timed_from_its_intent_to_its_end() -> None:
    assert run_times(facts(seconds=90)) == (RunTime(direction=Direction.DO, step="save", assets=2, seconds=90),)


def test_what_hung_failed_or_was_lost_measures_nothing() -> None:
    """Otherwise one host that hangs until its deadline would keep every later wave out of its window."""
    assert run_times(facts(seconds=600, outcome="unknown")) == ()
    assert run_times(facts(seconds=600, how="lost")) == ()


def timed(*seconds: float, assets: int = 2) -> list[RunTime]:
    return [RunTime(direction=Direction.DO, step="save", assets=assets, seconds=one) for one in seconds]


def test_estimates_are_ranks_of_what_was_measured() -> None:
    (one,) = estimates(timed(10, 50, 20, 40, 30)).values()
    assert (one.runs, one.middle, one.p80, one.slowest) == (5, 30, 40, 50)


def everything(*, minutes: float, assets: int = 2, undo: bool = True) -> list[RunTime]:
    works = [*way_there(WAVE.runbook), *(way_back(WAVE.runbook) if undo else ())]
    return [RunTime(direction=way, step=step, assets=assets, seconds=60 * minutes) for way, step in works]


def line(times: list[RunTime], content: WaveContent = WAVE, *, late_min: float = 0) -> ReadyLine:
    return time_line(content, times, now=OPENS + timedelta(minutes=late_min))


def test_without_measures_nobody_claims_that_it_fits() -> None:
    found = line([])
    assert (found.verdict, found.remedy is not None) == ("unknown", True)


def test_a_wave_that_fits_with_its_way_back_is_ok() -> None:
    assert line(everything(minutes=1)).verdict == "ok"


def test_what_does_not_fit_stays_behind_batch_by_batch_and_all_of_it_blocks() -> None:
    there, back = len(way_there(WAVE.runbook)), len(way_back(WAVE.runbook))
    two_batches = MINUTES / (2 * there + back)
    found = line(everything(minutes=two_batches))
    assert (found.verdict, found.assets) == ("held", ("a04", "a05"))
    assert line(everything(minutes=MINUTES)).verdict == "blocks"


def test_time_that_has_passed_is_gone() -> None:
    times = everything(minutes=1)
    assert line(times).verdict == "ok"
    assert line(times, late_min=MINUTES - 5).verdict == "blocks"


def test_a_batch_larger_than_any_measured_is_scaled_and_an_unmeasured_undo_lasts_as_its_step() -> None:
    there, back = len(way_there(WAVE.runbook)), len(way_back(WAVE.runbook))
    full = MINUTES / (3 * there + back)
    assert line(everything(minutes=full, undo=False)).verdict == "ok"
    assert line(everything(minutes=full, assets=1, undo=False)).verdict == "held"

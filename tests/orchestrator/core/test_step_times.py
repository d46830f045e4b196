"""The stopwatch, and whether a wave fits its window with the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.core.decide import next_commands
from orchestrator.core.estimates import Estimates
from orchestrator.core.progress import Fact
from orchestrator.core.ready_line import ReadyLine
from orchestrator.core.runbook import Direction
from orchestrator.core.step_times import RunTime, estimates, run_times, time_line
from orchestrator.core.surroundings import Surroundings
from orchestrator.core.wave import WaveContent
from tests.orchestrator.core.builders import OPENS, Game, a_wave

WAVE = a_wave(batches={"canary": 1, "b1": 2, "b2": 2})


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


def all_take(seconds: float) -> dict[str, list[float]]:
    """Every step and the fingerprint from before, measured often enough; nothing of the way back."""
    return {key: [seconds] * 5 for key in ("baseline:", *(f"do:{one.name}" for one in WAVE.runbook.steps))}


def line(took: Mapping[str, Sequence[float]], content: WaveContent = WAVE, *, now: datetime = OPENS) -> ReadyLine:
    return time_line(content, took, now=now)


def begin_by(took: Mapping[str, Sequence[float]], batch: str) -> datetime:
    return Estimates(content=WAVE, around=Surroundings(took=took)).batch_fits_until(batch)


def test_without_measures_nobody_claims_that_it_fits_and_nothing_is_kept_back_for_a_guess() -> None:
    for now in (OPENS, WAVE.window.closes - timedelta(minutes=1)):
        found = line({}, now=now)
        assert (found.verdict, found.assets, found.remedy is not None) == ("unknown", (), True)
        assert found.says.facts["count"] == (0 if now == OPENS else 5)


def test_what_nobody_measured_is_rehearsed_by_kahn_alone_only_where_no_step_needs_people() -> None:
    alone = line({}).remedy
    first, *rest = WAVE.runbook.steps
    by_people = replace(first, playbook="", verify="", undo="", checklist=("It is there",))
    with_people = line({}, replace(WAVE, runbook=replace(WAVE.runbook, steps=(by_people, *rest)))).remedy
    assert alone is not None and alone.text == "kahn wave rehearse W01"
    assert with_people is not None and "`kahn wave rehearse W01 --played-as THAT`" in with_people.text
    joins = replace(rest[0], name="join", only_with="domain")  # a rehearsal leaves it out
    in_a_domain = replace(WAVE, runbook=replace(WAVE.runbook, steps=(first, *rest, joins)))
    assert line({}, in_a_domain).remedy == alone


def test_a_wave_that_fits_with_its_way_back_is_ok() -> None:
    assert line(all_take(60)).verdict == "ok"


def test_what_does_not_fit_stays_behind_batch_by_batch_and_all_of_it_blocks() -> None:
    took = all_take(60)
    one_batch = timedelta(seconds=len(took) * 60)
    last = begin_by(took, "b2") - 2 * one_batch
    second = timedelta(seconds=1)
    assert line(took, now=last).verdict == "ok"
    found = line(took, now=last + second)
    assert (found.verdict, found.assets) == ("held", ("a04", "a05"))
    assert line(took, now=begin_by(took, "canary") + second).verdict == "blocks"


def test_the_wait_between_batches_counts() -> None:
    took = all_take(60)
    soaking = replace(WAVE, thresholds=replace(WAVE.thresholds, soak_s=3600))
    last = begin_by(took, "b2") - timedelta(seconds=2 * len(took) * 60)
    assert line(took, soaking, now=last - timedelta(hours=2)).verdict == "ok"
    assert line(took, soaking, now=last - timedelta(hours=2, seconds=-1)).assets == ("a04", "a05")


def test_what_the_check_calls_too_late_the_running_wave_does_not_begin_and_the_other_way_round() -> None:
    """One estimator: both name the very same second."""
    for took in (all_take(60), all_take(400), {**all_take(60), "undo:copy": [900.0]}):
        around = Surroundings(took=took)
        for late_s in (0, 1):
            game = Game(WAVE)
            game.now = begin_by(took, "canary") + timedelta(seconds=late_s)
            commands = next_commands(game.content, game.progress, game.now, around=around)
            held = any(getattr(one, "cause", "") == "no_time_left" for one in commands)
            assert held == (line(took, now=game.now).verdict == "blocks") == bool(late_s)

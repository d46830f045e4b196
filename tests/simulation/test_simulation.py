"""The simulation itself: no property is violated, the same seed tells the same, and it finds mistakes that are planted.

``make test`` plays 800 seeds (``python -m tests.simulation --seeds 800``), ``make test-long`` 2,000; here only a few.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.actions import drive_wave, follow_run
from orchestrator.actions.record import progress_in
from orchestrator.core import decide, move_rules, undo
from orchestrator.core.command import ChangeMove
from orchestrator.core.lifecycle import MoveEvent, MoveState
from orchestrator.core.outcome import Outcome, outcomes
from tests.simulation.__main__ import Result, effective, floors, told
from tests.simulation.faults import ALL
from tests.simulation.oracle import Violated
from tests.simulation.play import play


def test_nothing_is_violated_in_a_few_waves_in_which_everything_goes_wrong() -> None:
    played = [play(seed) for seed in range(16)]
    assert sum(len(one.faults) for one in played) > 16 * 25
    assert {state.partition("/")[0] for one in played for state in one.states.values()} >= {"moved", "rolled_back"}


def test_without_faults_every_asset_is_moved() -> None:
    for seed in range(4):
        played = play(seed, off=True)
        assert (played.faults, set(played.states.values())) == ((), {"moved/"})


def test_a_seed_is_replayed_byte_for_byte_by_another_process() -> None:
    command = (sys.executable, "-m", "tests.simulation", "--seed", "5")
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    told_there = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert told_there.splitlines()[:-1] == list(play(5).trace)


def test_leaving_out_a_fault_changes_what_was_done_or_written() -> None:
    changed, thrown = effective(3)
    assert changed >= thrown * 0.9


def test_a_violated_seed_names_the_command_that_replays_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert told([Result(seed=41, broken="Violated: property 4")], sample=(), demanding=False) == 1
    assert "python -m tests.simulation --seed 41" in capsys.readouterr().out


def test_a_fault_that_is_hardly_played_fails_the_run_also_with_fewer_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    faults = tuple(ALL)
    played = [Result(seed=number, faults=faults if number < 12 else faults[1:]) for number in range(800)]
    assert told(played, sample=(), demanding=True) == 0
    assert told(played[1:], sample=(), demanding=True) == 1
    assert f"PLAYED LESS THAN 12 TIMES: {faults[0]}" in capsys.readouterr().out
    assert floors(2000) == (50, 30)


def test_every_fault_has_words_of_its_own() -> None:
    assert len(set(ALL.values())) == len(ALL) > 45


def answered(kind: str, instead: str) -> Callable[..., dict[str, Outcome]]:
    """The outcomes, of which one kind is called another."""

    def lie(*lines: Any, **words: Any) -> dict[str, Outcome]:
        found = outcomes(*lines, **words)
        return {host: replace(one, kind=instead) if one.kind == kind else one for host, one in found.items()}  # type: ignore[arg-type]

    return lie


def repeats(_view: object, move: Any) -> tuple[ChangeMove, ...]:
    """Lost sight of: just do it again."""
    return (ChangeMove(asset=move.asset, event=MoveEvent.REPEAT, step=move.step),)


def starts_before_the_commit(driver: Any, wave: Any) -> Any:
    """Start what is meant to be started before its intent is on the disk."""
    with driver._outside.desk() as desk:
        fresh = desk.books.waves.get(wave.tenant, wave.key)
        commands = decide.next_commands(fresh.content, progress_in(desk.books, fresh), desk.now)
        moves = {move.asset: move for move in desk.books.waves.moves(wave.tenant, wave.key)}
        this = drive_wave._Round(desk=desk, wave=fresh, moves=moves)
        orders = [order for command in commands if (order := driver._carry_out(this, command))]
        for order in orders:
            driver._outside.runs.start(order)
            driver._outside.runs._runs.now_us = lambda: 10**12
            driver._outside.runs._runs.advance()
    return () if commands else None


MISTAKES = {
    "lost sight is called failed": ("property 5", follow_run, "outcomes", answered("unknown", "failed")),
    "lost sight is called not started": ("property 5", follow_run, "outcomes", answered("unknown", "not_started")),
    "lost sight is called done": ("property 5", follow_run, "outcomes", answered("unknown", "done")),
    "a failure is called done": ("property 5", follow_run, "outcomes", answered("failed", "done")),
    "an unknown step is repeated without a probe": ("property 4", move_rules, "_unknown", repeats),
    "a rollback that undid nothing is believed": ("property 7", undo, "left_to_undo", lambda _move, _runbook: ()),
    "a stop of all dispatch is not obeyed": ("property 8", decide, "_begins", lambda _command: False),
    "a run starts before its intent is committed": (
        "property 2", drive_wave.Driver, "_round", starts_before_the_commit,
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_found(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    named, where, name, instead = MISTAKES[mistake]
    monkeypatch.setattr(where, name, instead)
    if where is undo:
        monkeypatch.setattr(undo, "proven", lambda _move: True)
    if where is move_rules:
        monkeypatch.setitem(move_rules._MOVE_RULES, MoveState.UNKNOWN, instead)
    with pytest.raises(Violated, match=named):
        for seed in range(60):
            play(seed)

"""Driving from a terminal: the seat, exit codes, and what is said meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli.drive import Reader, drive_until_rest, exit_code, follow_until_rest, sit_down
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.progress import WaveProgress
from tests.copied_towns import a_town
from tests.orchestrator.cli.test_service import Leaving
from tests.town_terminals import a_terminal
from tests.towns import STADT


def test_whoever_drives_raises_the_epoch_so_that_no_earlier_driver_starts_anything(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    for expected in (1, 2):
        sit_down(context.world, tell=lambda _error: None)
        with town.store.reading() as books:
            assert books.epoch() == expected


def test_a_wave_is_driven_to_its_end_and_its_journal_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    context, town = a_terminal(tmp_path, "started")
    assert drive_until_rest(context, "W01") == 0
    assert town.wave()[0].state is WaveState.CLOSED
    assert "apc-001" in capsys.readouterr().out


def test_where_the_seat_is_taken_nothing_is_driven(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    with town.store.seat() as mine:
        assert mine
        assert drive_until_rest(context, "W01") is None
    assert "running" not in town.states().values()


def test_a_wave_that_rests_is_followed_no_longer(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    town.drive()
    assert follow_until_rest(context, "W01") == 0


def test_a_reader_gives_each_entry_once(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    new, all_of_it = Reader(context.world, STADT, "W01"), Reader(context.world, STADT, "W01", from_start=True)
    assert (new.new(), len(all_of_it.new()) > 3) == ((), True)
    town.drive()
    assert new.new() == all_of_it.new() != ()
    assert new.new() == ()


def ended(tmp_path: Path, state: WaveState, *moves: MoveState) -> int:
    wave, progress = a_town(tmp_path).wave()
    states = dict(zip(progress.moves, moves, strict=True))
    changed = {asset: replace(move, state=states[asset]) for asset, move in progress.moves.items()}
    known: WaveProgress = replace(progress, moves=changed, state=state)
    return exit_code(replace(wave, state=state), known)


@pytest.mark.parametrize(
    ("state", "moves", "code"),
    [
        (WaveState.CLOSED, (MoveState.MOVED, MoveState.MOVED), 0),
        (WaveState.CLOSED, (MoveState.MOVED, MoveState.HELD), 1),
        (WaveState.ROLLED_BACK, (MoveState.ROLLED_BACK, MoveState.ROLLED_BACK), 1),
        (WaveState.HELD, (MoveState.MOVED, MoveState.PLANNED), 4),
        (WaveState.NEEDS_PERSON, (MoveState.MOVED, MoveState.NEEDS_PERSON), 4),
        (WaveState.MISSED, (MoveState.PLANNED, MoveState.PLANNED), 4),
        (WaveState.APPROVED, (MoveState.PLANNED, MoveState.PLANNED), 3),
    ],
)
def test_the_exit_code_says_how_a_wave_ended(
    tmp_path: Path, state: WaveState, moves: tuple[MoveState, MoveState], code: int
) -> None:
    assert ended(tmp_path, state, *moves) == code


def test_a_terminal_that_drives_waits_for_a_database_that_is_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was changed by a look that failed: it looks again until the database answers, and drives on."""
    context, town = a_terminal(tmp_path, "started")
    context.__dict__["world"] = replace(context.world, store=Leaving(store=town.store, fails=range(12, 15)))
    assert drive_until_rest(context, "W01") == 0
    assert set(town.states().values()) == {"moved"}
    said = capsys.readouterr().err
    assert said.count("The database is away") == 1 and said.count("is back after") == 1

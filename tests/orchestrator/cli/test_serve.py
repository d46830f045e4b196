"""``kahn serve``: one driver for each store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.serve import SeatTaken, serve
from tests.known_town import call
from tests.orchestrator.cli.lone import command_app
from tests.town_terminals import a_terminal
from tests.waiting import PATIENCE_S


def test_a_second_service_of_the_same_store_is_refused_with_6(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path)
    with town.store.seat() as mine:
        assert mine
        with pytest.raises(SeatTaken) as refused:
            call(command_app(serve), context)
    assert refused.value.exit_code == 6


def test_the_service_holds_the_seat_until_it_is_told_to_stop(tmp_path: Path) -> None:
    _context, town = a_terminal(tmp_path)
    program = (sys.executable, "-m", "orchestrator.cli.main", "serve")
    serving = subprocess.Popen(program, env={**os.environ, "KAHN_HOME": str(tmp_path)}, stdout=subprocess.PIPE)
    try:
        assert serving.stdout is not None
        assert b"Kahn drives" in serving.stdout.readline()
        with town.store.seat() as mine:
            assert not mine
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(timeout=PATIENCE_S) == 0
    finally:
        serving.kill()
        serving.wait()
    with town.store.seat() as mine:
        assert mine


def test_a_service_that_lost_its_seat_goes_so_that_its_keeper_starts_it_anew(tmp_path: Path) -> None:
    """Otherwise it would stand there for ever, and no wave would start at its hour."""
    _context, town = a_terminal(tmp_path)
    program = (sys.executable, "-m", "orchestrator.cli.main", "serve")
    serving = subprocess.Popen(program, env={**os.environ, "KAHN_HOME": str(tmp_path)}, stdout=subprocess.PIPE)
    try:
        assert serving.stdout is not None
        assert b"Kahn drives" in serving.stdout.readline()
        with town.store.transaction() as books:
            books.raise_epoch()
        assert serving.wait(timeout=PATIENCE_S) == 6
    finally:
        serving.kill()
        serving.wait()

"""``kahn wave watch``: lines without a terminal, a screen with one; closing it stops nothing."""

from __future__ import annotations

import io
import os
import pty
import select
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from inventory.model import AssetId
from orchestrator.cli.context import Context
from orchestrator.cli.watch import Fitted, look_at, watch, watch_wave
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.refusals import UnknownWave
from orchestrator.core.runbook import Direction
from orchestrator.core.wave_view import view_of_case
from tests.known_town import SMALL, a_driven_town, a_known_town, fails_at
from tests.orchestrator.core.builders import Answer, Game, a_wave, all_good
from tests.orchestrator.core.played import a_case
from tests.towns import STADT
from tests.waiting import PATIENCE_S


def test_a_wave_that_rests_is_told_in_lines_and_ends_with_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context = a_driven_town(tmp_path, fault=fails_at("apc-002-id", "switch"))
    assert watch(Context(home=context.home, tenant_name=STADT, plain=True), "W01", plain=True) == 1
    output = capsys.readouterr().out
    assert "apc-002 -> rolled back, proven" in output
    assert "GATE canary OK" in output and "NOT WELL (1)" in output


def test_a_wave_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    context, _town = a_known_town(tmp_path)
    with pytest.raises(UnknownWave):
        watch_wave(context, "W99")


def test_a_wave_that_waits_for_its_start_or_is_under_way_does_not_rest(tmp_path: Path) -> None:
    context, town = a_known_town(tmp_path)
    assert look_at(context, "W01").code == 3
    town.approve()
    assert look_at(context, "W01").code is None
    town.start()
    assert look_at(context, "W01").code is None


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "ctrl-c"])
def test_closing_the_screen_ends_with_130_and_the_wave_goes_on(tmp_path: Path, key: bytes) -> None:
    context, town = a_known_town(tmp_path)
    town.approve()
    town.start()
    watching, terminal = _on_a_terminal("--home", str(context.home), "--tenant", STADT, "wave", "watch", "W01")
    _read(terminal, until=b"THE WAVE GOES ON")
    os.write(terminal, key)
    seen = _read(terminal)
    _pid, ended = os.waitpid(watching, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(ended) == 130
    assert b"The view is closed; wave W01 goes on." in seen
    town.drive()
    assert set(town.states().values()) == {"moved"}


def test_a_wave_that_stands_and_waits_for_people_stays_on_the_screen(tmp_path: Path) -> None:
    context = a_driven_town(
        tmp_path, fault=fails_at("apc-002-id", "switch"), policy=replace(SMALL, auto_rollback_max=0)
    )
    assert look_at(context, "W01").view.state is WaveState.HELD
    watching, terminal = _on_a_terminal("--home", str(context.home), "--tenant", STADT, "wave", "watch", "W01")
    seen = _read(terminal, until=b"THE WAVE GOES ON")
    assert b"HELD since" in seen
    os.write(terminal, b"q")
    _read(terminal)
    _pid, ended = os.waitpid(watching, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(ended) == 130


@pytest.mark.parametrize("height", [12, 24, 60])
def test_the_screen_is_never_longer_than_the_terminal_and_says_what_it_left_out(height: int) -> None:
    game = Game(a_wave(batches={"b1": 30}, auto_rollback_max=0), choose=every_copy_fails).play()
    view = view_of_case(a_case(game), now=game.now)
    console = Console(file=io.StringIO(), width=80, height=height, no_color=True)
    console.print(Fitted(view, ["what was last"] * 6))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) <= height - 1
    assert lines[0].startswith(" W01")
    left_out = "more lines: `kahn wave show W01`" in lines[-1]
    assert left_out == (height < 60)


def every_copy_fails(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
    return ("failed", {}) if step == "copy" else all_good(asset, step, direction, nth)


def _on_a_terminal(*words: str) -> tuple[int, int]:
    """The process of a ``kahn`` command with a terminal of its own, and our end of that terminal."""
    process_id, terminal = pty.fork()
    if process_id == 0:
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
        os.execve(sys.executable, [sys.executable, "-m", "orchestrator.cli.main", *words], environment)
    return process_id, terminal


def _read(terminal: int, *, until: bytes = b"") -> bytes:
    """What the terminal shows until the word appears, or until its other side is closed."""
    seen, late = b"", time.monotonic() + PATIENCE_S
    while not (until and until in seen):
        ready, _w, _x = select.select([terminal], [], [], late - time.monotonic())
        assert ready, f"nothing more came: {seen[-400:]!r}"
        try:
            seen += os.read(terminal, 65_536)
        except OSError:
            return seen
    return seen

"""The display text stays small; a run is ended at its deadline."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from orchestrator.supervisor.files import DISPLAY, opened_directory
from orchestrator.supervisor.watch import Watch, shorten
from tests.waiting import PATIENCE_S


def test_display_text_over_the_limit_is_cut_back_and_its_writer_goes_on_behind_the_cut(tmp_path: Path) -> None:
    path = tmp_path / DISPLAY
    with path.open("ab", buffering=0) as writer, opened_directory(tmp_path) as directory:
        writer.write(b"beginning " + b"x" * 2000)
        shorten(directory, DISPLAY, limit=1000, kept=10)
        writer.write(b"newest")
    assert path.read_bytes() == b"beginning \n[display text was cut here]\nnewest"


def test_display_text_below_the_limit_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / DISPLAY).write_bytes(b"x" * 1000)
    with opened_directory(tmp_path) as directory:
        shorten(directory, DISPLAY, limit=1000, kept=10)
    assert (tmp_path / DISPLAY).stat().st_size == 1000


def test_at_the_deadline_the_runs_processes_are_ended(tmp_path: Path) -> None:
    (tmp_path / DISPLAY).touch()
    with (
        opened_directory(tmp_path) as directory,
        subprocess.Popen(("sleep", "600"), env={**os.environ, "KAHN_RUN": "r-late"}) as late,
    ):
        watch = Watch(run="r-late", sockets="", directory=directory, seconds_left=0.2)
        watch.start()
        assert late.wait(timeout=PATIENCE_S) == -15
        watch.finished.set()
        watch.join(timeout=PATIENCE_S)
    assert watch.over_time and not watch.is_alive()

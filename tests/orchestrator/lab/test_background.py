"""Programs that stay hold nothing of their caller, and only the lab's own are ever ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from orchestrator.lab.background import background_runs, stop_background
from tests.waiting import PATIENCE_S, is_gone, until

STAY = "import sys, time; from pathlib import Path; from orchestrator.lab.background import detach; "
STAY += "detach(Path(sys.argv[1])); time.sleep(600)"


def test_a_detached_program_keeps_no_pipe_and_is_ended_by_its_file(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    words = (sys.executable, "-c", STAY, str(pid_file), "orchestrator.lab.stay")
    subprocess.run(words, check=True, capture_output=True, timeout=PATIENCE_S)
    pid = int(pid_file.read_text())
    assert os.getsid(pid) == pid
    assert background_runs(pid_file, module="stay")
    stop_background(pid_file, module="stay")
    assert not pid_file.exists()
    until(lambda: is_gone(pid))


def test_a_file_that_names_somebody_elses_process_ends_nobody(tmp_path: Path) -> None:
    with subprocess.Popen((sys.executable, "-c", "import time; time.sleep(600)")) as other:
        (tmp_path / "pid").write_text(str(other.pid))
        assert not background_runs(tmp_path / "pid", module="watcher")
        stop_background(tmp_path / "pid", module="watcher")
        assert other.poll() is None
        other.kill()


def test_a_missing_or_broken_file_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text("none")
    for name in ("pid", "missing"):
        assert not background_runs(tmp_path / name, module="watcher")
        stop_background(tmp_path / name, module="watcher")

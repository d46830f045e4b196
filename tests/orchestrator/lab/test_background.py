"""Programs that stay hold nothing of their caller, and only the lab's own are ever ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from orchestrator.lab.background import background_runs, stop_background

STAY = "import sys, time; from pathlib import Path; from orchestrator.lab.background import detach; "
STAY += "detach(Path(sys.argv[1])); time.sleep(60)"


def test_a_detached_program_keeps_no_pipe_and_is_ended_by_its_file(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    words = (sys.executable, "-c", STAY, str(pid_file), "orchestrator.lab.stay")
    subprocess.run(words, check=True, capture_output=True, timeout=20)
    pid = int(pid_file.read_text())
    assert os.getsid(pid) == pid
    assert background_runs(pid_file, module="stay")
    stop_background(pid_file, module="stay")
    assert not pid_file.exists()
    assert _ends(pid)


def _ends(pid: int) -> bool:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        place = Path(f"/proc/{pid}/stat")
        if not place.exists() or place.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_file_that_names_somebody_elses_process_ends_nobody(tmp_path: Path) -> None:
    with subprocess.Popen((sys.executable, "-c", "import time; time.sleep(60)")) as other:
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

"""Where no lab is possible the reason is said, and nothing is made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UP = (sys.executable, "-m", "orchestrator.cli.lab", "up", "--count", "1", "--dir")


def _up_as(directory: Path, *prefix: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run((*prefix, *UP, str(directory)), capture_output=True, text=True, check=False, timeout=300)


def test_without_root_the_lab_says_so_and_makes_nothing(tmp_path: Path) -> None:
    if os.geteuid() == 0 and subprocess.run(("unshare", "--user", "true"), check=False).returncode:
        pytest.skip("this root cannot put root down")
    prefix = ("unshare", "--user") if os.geteuid() == 0 else ()
    done = _up_as(tmp_path / "lab", *prefix)
    assert done.returncode == 7
    assert "LAB-001" in done.stderr
    assert "you are not root" in done.stderr
    assert not (tmp_path / "lab").exists()


@pytest.mark.lab
def test_a_root_without_the_right_to_make_namespaces_is_told_so(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv to take the right away")
    done = _up_as(tmp_path / "lab", "setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
    assert done.returncode == 7
    assert "may not make namespaces" in done.stderr
    assert not (tmp_path / "lab").exists()

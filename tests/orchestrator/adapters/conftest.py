"""Every test of an adapter may ask for a database, or for an ssh-agent."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import database_url, empty_url, store

__all__ = ["database_url", "empty_url", "store"]


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A real ssh-agent of this test that takes calls already: it forks only then. Its socket."""
    started = subprocess.run(("ssh-agent", "-s", "-a", tmp_path / "agent"), capture_output=True, text=True, check=True)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    yield tmp_path / "agent"
    found = re.search(r"SSH_AGENT_PID=(\d+)", started.stdout)
    assert found
    os.kill(int(found[1]), signal.SIGTERM)

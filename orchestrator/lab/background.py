"""Small programs of the lab that stay: detached, silent, and gone when their lab is gone."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


def detach(pid_file: Path) -> None:
    """Lets the starting program return while this one goes on, holding none of its terminals or pipes.

    Call it when everything is ready: the return of the starting program says so.
    """
    child = os.fork()
    if child:
        pid_file.write_text(str(child))
        os._exit(0)
    os.setsid()
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)


def stop_background(pid_file: Path, *, module: str) -> None:
    """Ends a detached program of the lab if its file still names one."""
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text())
        if f"orchestrator.lab.{module}".encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            os.kill(pid, signal.SIGKILL)
    pid_file.unlink(missing_ok=True)


def background_runs(pid_file: Path, *, module: str) -> bool:
    """Whether the detached program named by the file is alive."""
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text())
        return f"orchestrator.lab.{module}".encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return False

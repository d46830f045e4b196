"""Which processes belong to a run, and how they are ended: by KAHN_RUN in their environment, never by name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_HOP_MARK = b"KAHN_HOP=yes"


def processes_of(run: str) -> tuple[int, ...]:
    """Pids of the run's processes, without this one and without its idle connections."""
    return tuple(pid for pid in _others() if _is_working(pid, run))


def connections_of(run: str, sockets: str) -> tuple[int, ...]:
    """Pids of what stays open between tasks: ssh connection masters and the commands that lead through a jump host.

    A master writes its title over its environment, so it is known by the path of its control socket.
    """
    return tuple(pid for pid in _others() if _is_connection(pid, run, sockets))


def end_all(run: str, *, sockets: str, grace_s: float) -> bool:
    """Ask the run's processes to end, then make them, its connections last. True when none is left.

    Takes ``grace_s`` at most for asking and two seconds for making.
    """
    ended = _end(lambda: processes_of(run), still=lambda pid: _is_working(pid, run), grace_s=grace_s)
    return end_connections(run, sockets=sockets) and ended


def end_connections(run: str, *, sockets: str) -> bool:
    """End the run's idle connections. True when none is left."""
    return _end(lambda: connections_of(run, sockets), still=lambda pid: _is_connection(pid, run, sockets), grace_s=1.0)


def _end(find: Callable[[], tuple[int, ...]], *, still: Callable[[int], bool], grace_s: float) -> bool:
    ask_until = time.monotonic() + grace_s
    asked: set[int] = set()
    while (pids := find()) and time.monotonic() < ask_until:
        for pid in set(pids) - asked:
            _signal(pid, signal.SIGTERM, still=still)
        asked.update(pids)
        time.sleep(0.05)
    make_until = time.monotonic() + 2.0
    while (pids := find()) and time.monotonic() < make_until:
        for pid in pids:
            _signal(pid, signal.SIGKILL, still=still)
        time.sleep(0.02)
    return not find()


def _signal(pid: int, number: signal.Signals, *, still: Callable[[int], bool]) -> None:
    """Signal the process if it still is the run's: its pid may have been given to another one meanwhile."""
    with suppress(ProcessLookupError, PermissionError):
        descriptor = os.pidfd_open(pid)
        try:
            if still(pid):
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def _others() -> tuple[int, ...]:
    found = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return tuple(pid for pid in found if pid != os.getpid())


def _environment_of(pid: int) -> list[bytes]:
    with suppress(OSError):
        return (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    return []


def _is_working(pid: int, run: str) -> bool:
    found = _environment_of(pid)
    return f"KAHN_RUN={run}".encode() in found and _HOP_MARK not in found


def _is_connection(pid: int, run: str, sockets: str) -> bool:
    found = _environment_of(pid)
    if f"KAHN_RUN={run}".encode() in found:
        return _HOP_MARK in found
    with suppress(OSError):
        title = (_PROC / str(pid) / "cmdline").read_bytes()
        return bool(sockets) and title.startswith(f"ssh: {sockets}/".encode()) and b"[mux]" in title
    return False


def start_time(pid: int) -> int:
    """When the process started, in clock ticks since boot: with the boot id it tells a process from a later one."""
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return int(fields[19])


def boot_id() -> str:
    """The kernel's random name of this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()

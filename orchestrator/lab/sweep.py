"""Takes a lab away completely, however far its making got, and touches nothing of any other lab."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from orchestrator.lab import kernel
from orchestrator.lab.names import LabNames

PROGRAM = b"orchestrator.lab."
OWN_ENTRIES = ("lab.json", "lab.json.part", "keys", "tenants")


def sweep(names: LabNames) -> None:
    """Ends processes, removes namespaces, mounts, groups and state files. Repeats without effect. Raises OSError."""
    _end_processes(names)
    for path in namespaces(names):
        with suppress(OSError):
            kernel.unmount(path)
        path.unlink(missing_ok=True)
    for point in kernel.mount_points_below(names.directory):
        with suppress(OSError):
            kernel.unmount(point)
    _remove_groups(names)
    _remove_files(names)


def namespaces(names: LabNames) -> tuple[Path, ...]:
    """The lab's named network namespaces."""
    return tuple(sorted(kernel.NETNS_DIRECTORY.glob(f"{names.id}-*")))


def living(names: LabNames) -> tuple[int, ...]:
    """Processes of the lab: in its namespaces or groups, or its own small programs; never the caller's own line."""
    spaces = {_identity(path) for path in namespaces(names)}
    line = set(_ancestors())
    return tuple(pid for pid in _all_pids() if pid not in line and _belongs(pid, names, spaces))


def _belongs(pid: int, names: LabNames, spaces: set[tuple[int, int]]) -> bool:
    place = Path(f"/proc/{pid}")
    with suppress(OSError):
        if _identity(place / "ns/net") in spaces:
            return True
        words = (place / "cmdline").read_bytes().split(b"\0")
        if str(names.directory).encode() in words and any(word.startswith(PROGRAM) for word in words):
            return True
        return f"/{names.id}/" in (place / "cgroup").read_text() and not _is_dead(place)
    return False


def _is_dead(place: Path) -> bool:
    """Dead, waiting only for its parent to take note."""
    return (place / "stat").read_text().rpartition(")")[2].split()[0] == "Z"


def _identity(path: Path) -> tuple[int, int]:
    with suppress(OSError):
        found = os.stat(path)
        return found.st_dev, found.st_ino
    return (-1, -id(path))


def _all_pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _ancestors() -> Iterator[int]:
    pid = os.getpid()
    while pid > 0:
        yield pid
        status = Path(f"/proc/{pid}/stat").read_text()
        pid = int(status.rpartition(")")[2].split()[1])


def _end_processes(names: LabNames) -> None:
    until = time.monotonic() + kernel.MOST_S
    while (pids := living(names)) and time.monotonic() < until:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _remove_groups(names: LabNames) -> None:
    tree = kernel.unified_cgroup()
    if tree is None:
        return
    until = time.monotonic() + kernel.MOST_S
    while (tree / names.id).exists() and time.monotonic() < until:
        for group, _, _ in os.walk(tree / names.id, topdown=False):
            with suppress(OSError):
                os.rmdir(group)
        time.sleep(0.02)


def _remove_files(names: LabNames) -> None:
    for entry in OWN_ENTRIES:
        path = names.directory / entry
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

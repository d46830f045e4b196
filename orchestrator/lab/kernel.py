"""System calls and operating-system tools the lab is made of (Linux, root)."""

from __future__ import annotations

import ctypes
import fcntl
import os
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrator.lab.errors import LabToolFailed

NETNS_DIRECTORY = Path("/run/netns")
MOST_S = 60
"""How long the kernel may take for what it does in a moment: a machine with several labs on it is slow."""
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
MNT_DETACH = 2
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x20000, 0x2000000, 0x4000000
CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x8000000, 0x20000000, 0x40000000
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(fstype: str, target: Path | str, *, source: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2). Raises OSError."""
    done = _libc.mount(
        (source or fstype).encode(), str(target).encode(), fstype.encode(), ctypes.c_ulong(flags), options.encode()
    )
    _check(done, f"mount {fstype} on {target}")


def make_mounts_private() -> None:
    """Keeps mounts of this mount namespace from reaching any other. Raises OSError."""
    _check(_libc.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None), "make mounts private")


def unmount(target: Path | str) -> None:
    """Lazy umount2(2). Raises OSError."""
    _check(_libc.umount2(str(target).encode(), MNT_DETACH), f"umount {target}")


def unshare(flags: int) -> None:
    """unshare(2) for the calling thread. Raises OSError."""
    _check(_libc.unshare(flags), "unshare")


def enter_network(path: Path | str) -> None:
    """Moves the calling thread into the network namespace behind a path. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_libc.setns(fd, CLONE_NEWNET), f"setns {path}")
    finally:
        os.close(fd)


def pivot_to_here() -> None:
    """Makes the working directory the root and drops the old root. Raises OSError."""
    number = _SYS_PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(f"pivot_root is not known for {os.uname().machine}")
    _check(_libc.syscall(number, b".", b"."), "pivot_root")
    unmount(".")
    os.chdir("/")


def run(*argv: str | Path, stdin: str = "", network: str = "", allow_failure: bool = False) -> str:
    """Standard output of a tool, run inside a named network namespace if given. Raises LabToolFailed."""
    prefix = ("nsenter", f"--net={NETNS_DIRECTORY / network}", "--") if network else ()
    words = [*prefix, *(str(word) for word in argv)]
    try:
        done = subprocess.run(
            words, input=stdin, capture_output=True, env=tool_environment(), check=False, text=True, errors="replace"
        )
    except FileNotFoundError as cause:
        raise LabToolFailed(tool=words[0], reason="it is not installed") from cause
    if done.returncode and not allow_failure:
        raise LabToolFailed(tool=str(argv[0]), reason=(done.stderr or done.stdout).strip()[-600:])
    return done.stdout


def tool_environment() -> dict[str, str]:
    """The environment of the lab's tools: system directories on the path, plain messages."""
    path = os.environ.get("PATH", "/usr/bin:/bin")
    return {**os.environ, "PATH": f"{path}:/usr/local/sbin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"}


def ip_batch(lines: Sequence[str], *, network: str = "", allow_failure: bool = False) -> None:
    """Several `ip` commands in one call; with ``allow_failure`` each failing line is skipped. Raises LabToolFailed."""
    if lines:
        where = ("-n", network) if network else ()
        force = ("-force",) if allow_failure else ()
        run("ip", *where, *force, "-batch", "-", stdin="\n".join(lines) + "\n", allow_failure=allow_failure)


@contextmanager
def locked_directory(path: Path, *, create: bool = True) -> Iterator[None]:
    """Exclusive hold on a directory, which the holder may remove; no lock file stays behind.

    Raises FileNotFoundError without ``create`` where the directory is gone.
    """
    while True:
        fd = _open_directory(path, create=create)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            if _is_still(path, fd):
                yield
                return
        finally:
            os.close(fd)


def _open_directory(path: Path, *, create: bool) -> int:
    """A descriptor of the directory; another holder may remove it again at any moment."""
    while True:
        try:
            if create:
                path.mkdir(parents=True, exist_ok=True)
            return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, FileExistsError):
            if not create or _is_something_else(path):
                raise


def _is_something_else(path: Path) -> bool:
    """Whether a thing stands there that is no directory: one look, as two could see two holders' directories."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return not stat.S_ISDIR(os.stat(path).st_mode)
    return False


def _is_still(path: Path, fd: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.stat(path), os.fstat(fd))
    return False


def unified_cgroup() -> Path | None:
    """Where the cgroup2 tree is mounted, or None."""
    for path in (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")):
        if (path / "cgroup.controllers").exists() and os.access(path, os.W_OK):
            return path
    return None


def mount_points_below(directory: Path) -> tuple[Path, ...]:
    """Mount points at or below a directory, deepest first."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = Path(line.split()[4].encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "replace"))
        if point == directory or directory in point.parents:
            found.append(point)
    return tuple(sorted(found, key=lambda point: len(point.parts), reverse=True))

"""A host's files as somebody sees them who knows nothing of Kahn: walked from outside, before and after."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One file, directory, link or device. Times in nanoseconds since 1970 (UTC)."""

    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    links: int
    sha256: str
    target: bytes
    xattrs: tuple[tuple[str, bytes], ...]


Walked = Mapping[str, Seen]


def walked(root: Path) -> Walked:
    """Path below the root -> what is there. Other file systems (proc, dev, run, ...) are left out."""
    top = os.stat(root)
    found = {"/": _seen(f"{root}/.", os.lstat(f"{root}/."))}
    waiting = [""]
    while waiting:
        directory = waiting.pop()
        with os.scandir(f"{root}{directory}/") as entries:
            for entry in entries:
                path, status = f"{directory}/{entry.name}", entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    if os.stat(entry.path).st_dev != top.st_dev:
                        continue
                    waiting.append(path)
                found[path] = _seen(entry.path, status)
    return found


def _seen(path: str, status: os.stat_result) -> Seen:
    kind = status.st_mode
    folder = stat.S_ISDIR(kind)
    return Seen(
        mode=kind,
        uid=status.st_uid,
        gid=status.st_gid,
        size=0 if folder else status.st_size,
        mtime_ns=status.st_mtime_ns,
        links=1 if folder else status.st_nlink,
        sha256=_sha256(path) if stat.S_ISREG(kind) else "",
        target=os.readlink(os.fsencode(path)) if stat.S_ISLNK(kind) else b"",
        xattrs=tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in _attributes(path)),
    )


def _sha256(path: str) -> str:
    with open(path, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _attributes(path: str) -> list[str]:
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return []
    return sorted(name for name in names if not name.startswith("trusted.overlay."))


def differences(before: Walked, after: Walked, *, allowed: Iterable[str]) -> list[str]:
    """What is not as it was, one line each, but for the allowed lines (patterns of a shell)."""
    lines = [line for path in sorted({*before, *after}) for line in _line(path, before.get(path), after.get(path))]
    return [line for line in lines if not any(fnmatch.fnmatchcase(line, pattern) for pattern in allowed)]


def _line(path: str, old: Seen | None, new: Seen | None) -> list[str]:
    shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if old is None or new is None:
        return [f"{'gone' if new is None else 'new'} {shown}"]
    return [f"{name} {shown}" for name in Seen.__slots__ if getattr(old, name) != getattr(new, name)]

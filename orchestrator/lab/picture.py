"""Pictures of a host's files from outside: kind, mode, owner, size, content, attributes; how two of them differ."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

LOOKED_AT = ("etc", "home", "root", "opt", "srv", "boot", "usr/local", "var")
LEFT_BEHIND = ("var/lib/kahn", "var/log", "var/tmp", "var/cache", "etc/.pwd.lock", "home/.kahn-kept")
"""What may differ afterwards: Kahn's own notes, logs, and a lock file of the system. Nothing else."""

Picture = dict[str, tuple[object, ...]]


def picture(root: Path) -> Picture:
    """Kind, mode, owner, size, content, link target and attributes of every file that counts; times below /home."""
    found: Picture = {}
    base = os.fsencode(root)
    waiting = [os.path.join(base, os.fsencode(top)) for top in LOOKED_AT]
    while waiting:
        path = waiting.pop()
        name = os.path.relpath(path, base).decode("utf-8", "backslashreplace")
        if name.startswith(LEFT_BEHIND) or name == "srv/kahn-vault" or not os.path.lexists(path):
            waiting += _inside(path) if name == "srv/kahn-vault" else []
            continue
        entry = os.lstat(path)
        found[name] = _look(path, entry, times=name.startswith("home/"))
        if stat.S_ISDIR(entry.st_mode):
            waiting += _inside(path)
    return found


def _inside(path: bytes) -> list[bytes]:
    return [os.path.join(path, one) for one in os.listdir(path)] if os.path.isdir(path) else []


def _look(path: bytes, entry: os.stat_result, *, times: bool) -> tuple[object, ...]:
    content = os.readlink(path).hex() if stat.S_ISLNK(entry.st_mode) else ""
    if stat.S_ISREG(entry.st_mode):
        with open(path, "rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
    size = 0 if stat.S_ISDIR(entry.st_mode) else entry.st_size
    stamp = entry.st_mtime_ns if times else 0
    return (entry.st_mode, entry.st_uid, entry.st_gid, size, stamp, content, _attributes(path))


def _attributes(path: bytes) -> tuple[tuple[str, bytes], ...]:
    """ACLs and other attributes, without those of the lab's own layers."""
    found: list[tuple[str, bytes]] = []
    for name in sorted(os.listxattr(path, follow_symlinks=False)):
        if not name.startswith("trusted.overlay"):
            with suppress(OSError):
                found.append((name, os.getxattr(path, name, follow_symlinks=False)))
    return tuple(found)


def unlike(one: Picture, other: Picture) -> list[str]:
    """Paths that differ between two pictures."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))

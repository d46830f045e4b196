"""Durable boundaries: the places between which a death can leave something half done. Standard library only.

Every commit, fsync, rename, start of a program and connection of the product stands in ``with boundary("name"):``; a
house rule checks it and docs/boundaries.md lists them. In production the block costs one call that does nothing.

Tests set the variable KAHN_BOUNDARY before the program starts: ``LOG`` notes each passage in that file, and
``LOG|before|name|3`` also kills the process by SIGKILL right before (or ``after``) the third passage, once.
"""

from __future__ import annotations

import os
import signal
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType

VARIABLE = "KAHN_BOUNDARY"
KILLED = "killed"
_ORDER = os.environ.get(VARIABLE, "")
_NOTHING: AbstractContextManager[None] = nullcontext()


def boundary(name: str) -> AbstractContextManager[None]:
    """A block that is one durable step of that name."""
    return _Watched(name) if _ORDER else _NOTHING


def passed_on() -> dict[str, str]:
    """The variable for a child whose environment is written out; empty in production."""
    return {VARIABLE: _ORDER} if _ORDER else {}


class _Watched(AbstractContextManager[None]):
    """Notes both sides of the block, and dies where it is told to."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        strike("before", self._name)

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, _at: TracebackType | None
    ) -> None:
        if problem is None:
            strike("after", self._name)


def strike(side: str, name: str) -> None:
    """Note one passage; die if this is the place."""
    log, *wanted = _ORDER.split("|")
    line = f"{side} {name}\n".encode()
    file = os.open(log, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, line)
        if wanted[:2] == [side, name]:
            lines = os.pread(file, os.fstat(file).st_size, 0).splitlines(keepends=True)
            if lines.count(line) == int(wanted[2]) and f"{KILLED}\n".encode() not in lines:
                os.write(file, f"{KILLED}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)
    finally:
        os.close(file)

"""Waiting in tests: for the thing itself, never for its shadow, and with a bound that only something broken reaches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE_S = 120.0
"""How long a test waits for what comes in a moment on an idle machine. On a loaded one nothing is promised in less."""


def until(holds: Callable[[], object], *, within_s: float = PATIENCE_S, every_s: float = 0.02) -> Any:
    """The first true answer. Raises AssertionError when none came in time."""
    end = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < end, f"it did not come true within {within_s:.0f} s: {holds}"
        time.sleep(every_s)
    return found


def is_gone(pid: int) -> bool:
    """Whether the process has ended, be it that nobody has asked for its exit code yet."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True

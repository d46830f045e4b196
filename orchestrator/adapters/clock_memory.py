"""The last moment at which somebody drove, by the wall and by the clock of the boot: a jump while nobody drove is seen.

A plain small file, written now and then and never synced: a lost one costs the notice of one jump.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from orchestrator.supervisor.processes import boot_id

NAME = "last-driven.json"
EVERY_S = 5.0
LARGEST = 10_000


class ClockMemory:
    """Of one state directory on this machine. What another boot, or another machine, remembers counts for nothing."""

    def __init__(self, home: Path) -> None:
        self._path = home / NAME
        self._kept_at = -EVERY_S

    def keep(self, wall: datetime) -> None:
        """Remember this moment, if the last one is a while ago."""
        since_boot = _since_boot_s()
        if since_boot - self._kept_at < EVERY_S:
            return
        self._kept_at = since_boot
        with suppress(OSError):
            told = {"boot": boot_id(), "wall": wall.isoformat(), "since_boot_s": since_boot}
            self._path.write_text(json.dumps(told), encoding="utf-8")

    def recall(self, *, steady: float) -> tuple[datetime, float] | None:
        """What the wall showed then, and what a clock that nobody sets and that shows ``steady`` now would have shown.

        None when nothing is remembered of this boot. Time in which the machine slept has passed for both.
        """
        try:
            with self._path.open(encoding="utf-8") as opened:
                told = json.loads(opened.read(LARGEST))
            if told["boot"] != boot_id():
                return None
            wall, ago_s = datetime.fromisoformat(told["wall"]), _since_boot_s() - float(told["since_boot_s"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (wall, steady - ago_s) if ago_s >= 0 and wall.tzinfo is not None else None


def _since_boot_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)

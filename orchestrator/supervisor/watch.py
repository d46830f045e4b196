"""Beside a running play: ends it at its deadline or on request, and keeps its display text small."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress

from orchestrator.supervisor.files import DISPLAY, NotOurs, open_plain
from orchestrator.supervisor.processes import end_all

DISPLAY_LIMIT_BYTES = 16 * 1024 * 1024
DISPLAY_KEPT_BYTES = 1024 * 1024
_LOOK_EVERY_S = 0.5
_GRACE_S = 5.0


class Watch(threading.Thread):
    """A thread that ends the run's processes at the deadline (monotonic seconds from now) or once ``stop`` is set."""

    def __init__(self, *, run: str, sockets: str, directory: int, seconds_left: float) -> None:
        super().__init__(daemon=True, name="watch")
        self._run_id, self._sockets, self._directory = run, sockets, directory
        self._deadline = time.monotonic() + seconds_left
        self.stop = threading.Event()
        self.finished = threading.Event()
        self.over_time = False

    def run(self) -> None:
        """Look twice a second until the play is over."""
        while not self.finished.is_set():
            self.over_time = self.over_time or time.monotonic() >= self._deadline
            if self.over_time or self.stop.is_set():
                end_all(self._run_id, sockets=self._sockets, grace_s=_GRACE_S)
            with suppress(OSError, NotOurs):
                shorten(self._directory, DISPLAY)
            self.finished.wait(_LOOK_EVERY_S)


def shorten(directory: int, name: str, *, limit: int = DISPLAY_LIMIT_BYTES, kept: int = DISPLAY_KEPT_BYTES) -> None:
    """Cut the display text back to its beginning once it is over the limit.

    Its writers append, so they go on behind the cut: the beginning and the newest part stay readable, what lay between
    is lost. The spool knows nothing of this file.
    """
    descriptor = open_plain(directory, name, os.O_WRONLY | os.O_APPEND)
    try:
        if os.fstat(descriptor).st_size > limit:
            os.ftruncate(descriptor, kept)
            os.write(descriptor, b"\n[display text was cut here]\n")
    finally:
        os.close(descriptor)

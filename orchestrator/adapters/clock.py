"""The clock and the chance of this machine."""

from __future__ import annotations

import secrets
import time
import uuid
from datetime import UTC, datetime

_NS_PER_MS = 1_000_000


class SystemClock:
    """The machine's own clock, and fresh ids from its random source."""

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(UTC)

    def new_id(self) -> str:
        """A fresh UUIDv7 (RFC 9562): 48 bits of milliseconds, 12 bits of their fraction, 62 random bits."""
        ms, rest_ns = divmod(time.time_ns(), _NS_PER_MS)
        fraction = (rest_ns << 12) // _NS_PER_MS
        number = ms << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
        return str(uuid.UUID(int=number))

"""A connection to somebody not yet trusted: its greeting, and limits on how much and how long it may speak."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from orchestrator.core.explain import Sentence
from orchestrator.supervisor.boundary import boundary

MOST_GREETING = 8 * 1024
"""Bytes before the end of the version line; servers may send lines of text first (RFC 4253, 4.2)."""
MOST_EXCHANGE = 256 * 1024
"""Bytes of a whole key exchange; a usual one needs less than 10 KiB."""
KEPT = 16 * 1024
_KEXINIT = 20
_LISTS = ("key exchange", "host key", "cipher to the server", "cipher", "checksum to the server", "checksum")
"""Meaning of the name lists of a KEXINIT message in their order (RFC 4253, 7.1)."""


class Raw(Protocol):
    """What carries the bytes: a socket, or a channel through a jump host."""

    def recv(self, size: int, /) -> bytes: ...
    def send(self, chunk: bytes, /) -> int: ...
    def settimeout(self, seconds: float | None, /) -> None: ...
    def close(self) -> None: ...


class NoGreeting(Exception):
    """Whoever answers does not speak SSH; says how it looks."""

    def __init__(self, told: Sentence) -> None:
        self.told = told
        super().__init__(told.text)


class Line:
    """The carrier with limits: ends with EOFError after ``MOST_EXCHANGE`` bytes or at ``until`` (monotonic seconds).

    A library that reads without limits of its own is safe behind it. ``trust`` takes the limits off.
    """

    def __init__(self, raw: Raw, *, until: float) -> None:
        self._raw = raw
        self._until = until
        self._left = MOST_EXCHANGE
        self._limited = True
        self._waiting = b""
        self._seen = b""
        self._closed = False  # paramiko looks at it by this name

    @property
    def overrun(self) -> bool:
        """Whether the other side sent more than it may."""
        return self._limited and self._left <= 0

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return self._limited and time.monotonic() >= self._until

    def trust(self) -> None:
        """Take the limits off: the other side has shown the right key."""
        self._limited = False
        self._seen = b""

    def greet(self, *, until: float) -> None:
        """Read as far as the version line and keep all of it for whoever reads next. Raises NoGreeting, OSError."""
        seen = b""
        while not _has_version(seen):
            rest = min(until, self._until) - time.monotonic()
            if rest <= 0:
                raise NoGreeting(_not_ssh(seen, SILENT))
            if len(seen) >= MOST_GREETING:
                raise NoGreeting(_not_ssh(seen, ENDLESS))
            self._raw.settimeout(rest)
            try:
                chunk = self._raw.recv(1024)
            except TimeoutError:
                continue
            if not chunk:
                raise NoGreeting(_not_ssh(seen, CLOSES))
            seen += chunk
        self._waiting = seen[_version_at(seen) :]
        self._left -= len(seen)

    def recv(self, size: int) -> bytes:
        """Bytes for the library. Raises EOFError when a limit is reached, TimeoutError as the carrier does."""
        if self._waiting:
            chunk, self._waiting = self._waiting[:size], self._waiting[size:]
        else:
            if self.overrun or self.late:
                raise EOFError
            chunk = self._raw.recv(size)
            self._left -= len(chunk)
        if self._limited and len(self._seen) < KEPT:
            self._seen += chunk
        return chunk

    def send(self, chunk: bytes) -> int:
        """As the carrier does."""
        return self._raw.send(chunk)

    def settimeout(self, seconds: float | None) -> None:
        """As the carrier does."""
        self._raw.settimeout(seconds)

    def close(self) -> None:
        """As the carrier does."""
        self._closed = True
        self._raw.close()

    def offers(self) -> Mapping[str, tuple[str, ...]]:
        """What the other side offered for the key exchange, by meaning; empty when it did not come that far."""
        after = self._seen.partition(b"\n")[2]
        return _offers(after)


SILENT = Sentence(says="it says nothing")
CLOSES = Sentence(says="it closes the connection without a greeting")
ENDLESS = Sentence(says="its greeting does not end")


def _not_ssh(seen: bytes, otherwise: Sentence) -> Sentence:
    """What to say of bytes without a version line."""
    if not seen or otherwise is ENDLESS:
        return otherwise
    start = seen[:40].decode("ascii", errors="replace")
    return Sentence(says="it begins with {start!r}, which is not SSH", facts={"start": start})


def _version_at(seen: bytes) -> int:
    """Where the version line begins; -1 when there is none yet."""
    return 0 if seen.startswith(b"SSH-") else seen.find(b"\nSSH-") + 1 or -1


def _has_version(seen: bytes) -> bool:
    """Whether a whole version line was read. Raises NoGreeting for versions before 2."""
    start = _version_at(seen)
    if start < 0 or b"\n" not in seen[start : start + MOST_GREETING]:
        return False
    line = seen[start:].partition(b"\n")[0]
    if not line.startswith((b"SSH-2.0-", b"SSH-1.99-")):
        version = line[:20].decode("ascii", errors="replace").strip()
        raise NoGreeting(Sentence(says="it speaks {version!r}, too old a version of SSH", facts={"version": version}))
    return True


def _offers(packet: bytes) -> Mapping[str, tuple[str, ...]]:
    """The name lists of an unencrypted KEXINIT packet; empty when it is none."""
    if len(packet) < 22 or packet[5] != _KEXINIT:
        return MappingProxyType({})
    found: dict[str, tuple[str, ...]] = {}
    place = 6 + 16
    for meaning in _LISTS:
        length = int.from_bytes(packet[place : place + 4], "big")
        if place + 4 + length > len(packet):
            return MappingProxyType({})
        names = packet[place + 4 : place + 4 + length].decode("ascii", errors="replace")
        found[meaning] = tuple(name for name in names.split(",") if name)
        place += 4 + length
    return MappingProxyType(found)


def connected(address: str, port: int, *, within_s: float) -> socket.socket:
    """A TCP connection. Raises OSError."""
    with boundary("scan.connect"):
        return socket.create_connection((address, port), timeout=within_s)

"""The files of a run directory: their names, and opening them without following links."""

from __future__ import annotations

import binascii
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from orchestrator.supervisor.boundary import boundary

MANIFEST = "manifest.json"
BOOK = "run.yml"
INVENTORY = "inventory.yml"
KNOWN_HOSTS = "known_hosts"
CONFIG = "ansible.cfg"
RECORDS = "supervisor.jsonl"
SPOOL = "spool.jsonl"
ALIVE = "alive.lock"
CLOSED = "closed"
DISPLAY = "display.txt"
COMPLAINTS = "supervisor.err"
RUNNER = "runner"

MAX_FILE_BYTES = 256 * 1024 * 1024
_CRC_KEY = b',"crc32":'


class NotOurs(Exception):
    """A path in a run directory is a link, belongs to somebody else, or is no plain file."""


@contextmanager
def opened_directory(path: Path) -> Iterator[int]:
    """Descriptor of a directory that is no link and belongs to this user. Raises OSError, NotOurs."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise NotOurs(f"{path} belongs to another user")
        yield descriptor
    finally:
        os.close(descriptor)


def open_plain(directory: int, name: str, flags: int, *, mode: int = 0o600) -> int:
    """Descriptor of a plain file in the directory, never by way of a link. Raises OSError, NotOurs."""
    descriptor = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, mode, dir_fd=directory)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        os.close(descriptor)
        raise NotOurs(f"{name} is no plain file of this user")
    os.set_blocking(descriptor, True)  # opened without waiting only because a named pipe would wait for ever
    return descriptor


def read_plain(directory: int, name: str) -> bytes:
    """All bytes of a plain file; empty when it is missing. Raises OSError, NotOurs."""
    try:
        descriptor = open_plain(directory, name, os.O_RDONLY)
    except FileNotFoundError:
        return b""
    with os.fdopen(descriptor, "rb") as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise NotOurs(f"{name} is larger than any file of a run")
    return content


def write_new(directory: int, name: str, content: bytes) -> None:
    """Write a file that must not exist yet, and sync it. Raises OSError."""
    with os.fdopen(open_plain(directory, name, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as stream:
        stream.write(content)
        stream.flush()
        with boundary("run.file.sync"):
            os.fsync(stream.fileno())


def exists(directory: int, name: str) -> bool:
    """Whether anything of that name is there, links included."""
    with suppress(FileNotFoundError):
        os.stat(name, dir_fd=directory, follow_symlinks=False)
        return True
    return False


def checked_line(content: Mapping[str, Any]) -> bytes:
    """One line of JSON that ends with the CRC-32 of the object without it; the spool's lines have the same form."""
    body = json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")
    return body[:-1] + _CRC_KEY + str(binascii.crc32(body)).encode("ascii") + b"}\n"


def parse_checked(line: bytes) -> dict[str, Any]:
    """The content of a checked line without its newline. Raises ValueError when it is not whole."""
    at = line.rfind(_CRC_KEY)
    if at < 0 or not line.endswith(b"}"):
        raise ValueError("no checksum")
    body = line[:at] + b"}"
    if str(binascii.crc32(body)).encode("ascii") != line[at + len(_CRC_KEY) : -1]:
        raise ValueError("wrong checksum")
    content = json.loads(body)
    if not isinstance(content, dict):
        raise ValueError("no object")
    return content


def whole_records(content: bytes) -> tuple[dict[str, Any], ...]:
    """The records of supervisor.jsonl up to the first that is not whole."""
    records: list[dict[str, Any]] = []
    for line in content.split(b"\n")[:-1]:
        try:
            records.append(parse_checked(line))
        except ValueError:
            break
    return tuple(records)


def try_lock(descriptor: int, *, within_s: float = 0.0) -> bool:
    """Take the exclusive lock if nobody holds the file. A short patience passes over readers, who only try it."""
    until = time.monotonic() + within_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)
        else:
            return True

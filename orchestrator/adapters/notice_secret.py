"""Secrets of channels: read from a file of their own when they are needed, and only when nobody else can read it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from inventory.errors import ExpectedError

LONGEST = 10_000
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class NotDelivered(ExpectedError):
    """A channel could not deliver a message; it is tried again."""

    code, says = "NOTE-002", "The channel {channel} did not deliver: {why}."
    remedy = "Mend what it names; `kahn notice test CONTACT` tries it at once."
    exit_code = 7


class SecretOpen(ExpectedError):
    """The secret of a channel cannot be used."""

    code, says = "NOTE-003", "The secret of channel {channel} in {file} cannot be used: {why}."
    remedy = "Keep it in a file of its own with mode 0600 that belongs to Kahn's user."


def secret_in(file: Path, *, channel: str) -> str:
    """The secret, without the line end behind it. Raises SecretOpen."""
    try:
        with open(file, "rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            found = opened.read(LONGEST + 1).decode("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as cause:
        why = getattr(cause, "strerror", None) or "it is no text"
        raise SecretOpen(channel=channel, file=file, why=why) from cause
    if mode & _OTHERS:
        raise SecretOpen(channel=channel, file=file, why="others may read it")
    if not found or len(found) > LONGEST:
        raise SecretOpen(channel=channel, file=file, why="it is empty or far too long")
    return found

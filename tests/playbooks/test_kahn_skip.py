"""The rest of a member whose beginning is on the other side: sent only behind the very same beginning."""

from __future__ import annotations

import hashlib
import io
import subprocess
from pathlib import Path

import pytest

from tests.playbooks.modules import shared

skip = shared("kahn_skip")
HEAD = b"./GNUSparseFile.%d/bild".ljust(148, b"\0")


def a_head(number: int, checksum: bytes = b"0012345\0") -> bytes:
    return bytes((HEAD % number).ljust(148, b"\0")[:148] + checksum).ljust(512, b"\0")


def sent(text: bytes, have: bytes, head: int) -> tuple[int, bytes]:
    digest = hashlib.sha256(skip.plain(have[:head]) + have[head:]).hexdigest()
    out = io.BytesIO()
    return skip.send(out, head, len(have) - head, digest, ["printf", text.decode()]), out.getvalue()


def test_only_what_follows_the_same_beginning_is_sent() -> None:
    assert sent(b"beginning and end", b"beginning", 3) == (0, b" and end")
    assert sent(b"beginning", b"beginning", 3) == (0, b"")


@pytest.mark.parametrize("text", [b"Beginning and end", b"beginninG and end", b"begin", b""])
def test_another_beginning_or_less_sends_nothing(text: bytes) -> None:
    assert sent(text, b"beginning", 3) == (skip.OTHER, b"")


def test_the_number_of_the_program_that_wrote_a_header_and_its_checksum_do_not_count() -> None:
    assert skip.plain(a_head(77)) == skip.plain(a_head(12345, b"0012399\0"))
    assert skip.plain(a_head(77)) != skip.plain(a_head(77).replace(b"bild", b"bilt"))


def test_a_command_that_fails_is_told_by_its_own_code(tmp_path: Path) -> None:
    have = {"head": 0, "behind": 2, "sha256": hashlib.sha256(b"ab").hexdigest()}
    command = skip.command_of(Path(str(skip.__file__)).read_text(), have, ["sh", "-c", "printf abcd; exit 2"])
    ended = subprocess.run(command, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, b"cd", b"")

"""A line bounds what a stranger may say before it has shown its key."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from orchestrator.adapters.ssh_line import CLOSES, ENDLESS, MOST_EXCHANGE, SILENT, Line, NoGreeting, connected
from orchestrator.core.explain import Sentence
from tests.speakers import VERSION, Speech, for_ever, kexinit, saying, speaker
from tests.waiting import PATIENCE_S


@contextmanager
def a_line(speech: Speech, *, within_s: float = PATIENCE_S) -> Iterator[Line]:
    with speaker(speech) as port, connected("127.0.0.1", port, within_s=PATIENCE_S) as raw:
        yield Line(raw, until=time.monotonic() + within_s)


def complaint(speech: Speech, *, within_s: float = PATIENCE_S) -> Sentence:
    with a_line(speech) as line, pytest.raises(NoGreeting) as refusal:
        line.greet(until=time.monotonic() + within_s)
    return refusal.value.told


@pytest.mark.parametrize("before", [b"", b"Keep out!\r\n\r\n"])
def test_the_version_line_is_found_after_any_text_and_nothing_behind_it_is_lost(before: bytes) -> None:
    with a_line(saying(before, VERSION, b"more")) as line:
        line.greet(until=time.monotonic() + PATIENCE_S)
        heard = b""
        while len(heard) < len(VERSION) + 4:
            heard += line.recv(5)
    assert heard == VERSION + b"more"


def test_whoever_says_nothing_closes_or_never_ends_is_told_apart() -> None:
    assert complaint(saying(), within_s=0.3) is SILENT
    assert complaint(saying(then_wait=False)) is CLOSES
    assert complaint(for_ever(b"x" * 1000)) is ENDLESS
    assert complaint(for_ever(b"hello\r\n")) is ENDLESS
    assert complaint(for_ever(b"x" * 1000, after=b"SSH-2.0-")) is ENDLESS


def test_other_protocols_and_old_versions_are_named() -> None:
    assert (
        complaint(saying(b"220 mail ready\r\n", then_wait=False)).text
        == "it begins with '220 mail ready\\r\\n', which is not SSH"
    )
    assert complaint(saying(b"\xff\x1b[2J", then_wait=False)).text.startswith("it begins with")
    assert complaint(saying(b"SSH-1.5-old\n")).text == "it speaks 'SSH-1.5-old', too old a version of SSH"


def test_a_line_ends_after_so_many_bytes_until_it_is_trusted() -> None:
    with a_line(for_ever(b"x" * 65536, after=VERSION)) as line:
        line.greet(until=time.monotonic() + PATIENCE_S)
        with pytest.raises(EOFError):
            while line.recv(65536):
                pass
        assert line.overrun
        line.trust()
        assert line.recv(10) == b"x" * 10 and not line.overrun


def test_a_line_ends_at_its_time() -> None:
    with a_line(for_ever(b"x", after=VERSION), within_s=0.1) as line:
        with pytest.raises(EOFError):
            while line.recv(1):
                pass
        assert line.late


def test_what_was_offered_is_read_from_the_bytes_that_passed() -> None:
    with a_line(saying(VERSION, kexinit("a,b", "ssh-dss", "c1", "c2", "m1", "m2"), then_wait=False)) as line:
        line.greet(until=time.monotonic() + PATIENCE_S)
        while line.recv(100):
            pass
        offers = line.offers()
    assert (offers["key exchange"], offers["host key"], offers["cipher"], offers["checksum"]) == (
        ("a", "b"), ("ssh-dss",), ("c2",), ("m2",)
    )  # fmt: skip


@pytest.mark.parametrize("packet", [b"", b"\0" * 40, kexinit("a")[:60], b"\0\0\0\x20\x05\x14" + b"\xff" * 40])
def test_a_damaged_offer_is_no_offer(packet: bytes) -> None:
    with a_line(saying(VERSION, packet, then_wait=False)) as line:
        line.greet(until=time.monotonic() + PATIENCE_S)
        while line.recv(100):
            pass
        assert line.offers() == {}
    assert MOST_EXCHANGE < 2**20

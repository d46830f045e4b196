"""A key exchange with strangers: every failure has its cause, and nothing weak is ever agreed on."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import paramiko
import pytest

from orchestrator.adapters.ssh_line import connected
from orchestrator.adapters.ssh_session import NoKey, Patience, key_of, session_with, who_at
from orchestrator.core.host_keys import Trouble
from orchestrator.spoken import spoken
from tests.speakers import VERSION, Speech, for_ever, kexinit, saying, speaker
from tests.waiting import PATIENCE_S, until

LONG = Patience(connect_s=PATIENCE_S, greet_s=PATIENCE_S, exchange_s=PATIENCE_S)
BRIEF_GREETING, BRIEF_EXCHANGE = replace(LONG, greet_s=0.3), replace(LONG, greet_s=2, exchange_s=0)
BRIEFLY = {"it says nothing": BRIEF_GREETING, "does not finish in time": BRIEF_EXCHANGE}
"""Who waits for a time limit waits briefly; everybody else ends by himself, however long it takes him."""
IGNORED = b"\0\0\0\x0c\x0a\x02" + b"\0" * 10
"""A correct packet that means nothing."""
GOOD = ("curve25519-sha256@libssh.org", "ssh-ed25519", "aes128-ctr", "aes128-ctr", "hmac-sha2-256", "hmac-sha2-256")


def trouble_with(speech: Speech, *, patience: Patience = LONG) -> Trouble:
    with speaker(speech) as port, connected("127.0.0.1", port, within_s=PATIENCE_S) as raw:
        who = who_at("m", 22)
        with pytest.raises(NoKey) as failure, session_with(raw, who=who, known="", patience=patience):
            pass
    return failure.value.trouble


def shown(keys: list[paramiko.PKey], *, known: str = "") -> str:
    """The key that a real server with several keys shows."""

    def speech(caller: object) -> None:
        transport = paramiko.Transport(caller)  # type: ignore[arg-type]
        for key in keys:
            transport.add_server_key(key)
        transport.start_server(server=paramiko.ServerInterface())
        transport.join(PATIENCE_S)

    with (
        speaker(speech) as port,
        connected("127.0.0.1", port, within_s=PATIENCE_S) as raw,
        session_with(raw, who=who_at("m", 22), known=known, patience=LONG) as session,
    ):
        return key_of(session)


def public(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


@pytest.mark.parametrize(
    ("speech", "code", "words"),
    [
        (saying(), "no_banner", "it says nothing"),
        (saying(b"HTTP/1.1 400\r\n", then_wait=False), "no_banner", "which is not SSH"),
        (for_ever(b"x" * 4096), "no_banner", "does not end"),
        (saying(VERSION), "broke_off", "does not finish in time"),
        (saying(VERSION, then_wait=False), "broke_off", "closes the connection"),
        (saying(VERSION, b"\0" * 4096), "broke_off", ""),
        (saying(VERSION, b"\xff" * 64, then_wait=False), "broke_off", ""),
        (for_ever(IGNORED, after=VERSION), "broke_off", "sends more than"),
        (saying(VERSION, kexinit(*GOOD), b"\0\0\0\x0c\x0a\x1f" + b"\xff" * 10), "broke_off", ""),
    ],
)
def test_whoever_shows_no_key_is_a_trouble_with_a_cause_in_little_time(speech: Speech, code: str, words: str) -> None:
    began = time.monotonic()
    brief = BRIEFLY.get(words, LONG)
    trouble = trouble_with(speech, patience=brief)
    assert (trouble.code, words in spoken(trouble.told)) == (code, True), spoken(trouble.told)
    assert time.monotonic() - began < PATIENCE_S / 2


@pytest.mark.parametrize(
    ("place", "offered", "kind"),
    [
        (0, "diffie-hellman-group1-sha1,diffie-hellman-group14-sha1", "key exchange"),
        (1, "ssh-dss,ssh-rsa", "host key"),
        (3, "3des-cbc,aes128-cbc", "cipher"),
        (5, "hmac-md5,hmac-sha1", "checksum"),
    ],
)
def test_weak_algorithms_are_refused_and_named(place: int, offered: str, kind: str) -> None:
    trouble = trouble_with(saying(VERSION, kexinit(*(offered if n == place else one for n, one in enumerate(GOOD)))))
    told = spoken(trouble.told)
    assert trouble.code == "no_common_algorithm"
    assert f"no {kind} algorithm" in told and all(name in told for name in offered.split(","))


def test_a_machine_is_asked_for_the_type_of_key_that_is_known_already() -> None:
    ecdsa, rsa = paramiko.ECDSAKey.generate(), paramiko.RSAKey.generate(2048)
    assert shown([ecdsa, rsa]) == public(ecdsa)
    assert shown([ecdsa, rsa], known="ssh-rsa AAAA") == public(rsa)
    assert shown([ecdsa], known="ssh-rsa AAAA") == public(ecdsa)


def test_nothing_is_left_running_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    before = threading.active_count()
    for speech in (saying(VERSION, b"\xff" * 64), for_ever(IGNORED, after=VERSION), saying(VERSION)):
        trouble_with(speech, patience=BRIEF_EXCHANGE)
    until(lambda: threading.active_count() <= before)  # the speakers' own threads end a moment later
    assert capfd.readouterr() == ("", "")

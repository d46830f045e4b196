"""Magic packets: which machines a packet names."""

from __future__ import annotations

from orchestrator.lab.watcher import woken_macs

MAC = bytes.fromhex("026b01000005")


def test_a_magic_packet_names_its_machine() -> None:
    assert woken_macs(b"\xff" * 6 + MAC * 16) == ("02:6b:01:00:00:05",)


def test_a_magic_packet_may_lie_anywhere_in_the_payload() -> None:
    assert woken_macs(b"password\xff" + b"\xff" * 6 + MAC * 16 + b"tail") == ("02:6b:01:00:00:05",)


def test_fifteen_repetitions_are_not_enough() -> None:
    assert woken_macs(b"\xff" * 6 + MAC * 15) == ()


def test_noise_names_nobody() -> None:
    assert woken_macs(b"") == woken_macs(b"\xff" * 5 + MAC * 16) == ()

"""Access: strict words for ssh, exactly the known host keys, nothing from the user's own configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.access import HostAccess, LabAccess
from orchestrator.lab.errors import LabHostUnknown


def an_access() -> LabAccess:
    return LabAccess(
        tenant="stadt",
        user="root",
        port=22,
        key_path=Path("/lab/keys/id"),
        jump_user="root",
        jump_address="10.76.1.2",
        jump_port=22,
        jump_host_key="ssh-ed25519 JUMP",
        wake_broadcast="10.77.255.255",
        wake_port=9,
        known_hosts_path=Path("/lab/known_hosts"),
        hosts=(
            HostAccess(
                name="apc-0001",
                kind="workstation",
                address="10.77.1.1",
                mac="02:6b:01:00:00:01",
                host_key="ssh-ed25519 HOST",
                role="",
                successor="neu-0001",
            ),
        ),
    )


def test_known_hosts_are_the_jump_host_and_the_hosts() -> None:
    assert an_access().known_hosts() == "10.76.1.2 ssh-ed25519 JUMP\n10.77.1.1 ssh-ed25519 HOST\n"


def test_both_legs_check_host_keys_strictly_and_ask_nobody() -> None:
    words = an_access().ssh_words("apc-0001", "hostname")
    proxy = next(word for word in words if word.startswith("ProxyCommand="))
    for leg in (" ".join(words[: words.index(proxy)]), proxy):
        assert "StrictHostKeyChecking=yes" in leg
        assert "BatchMode=yes" in leg
        assert "UserKnownHostsFile=/lab/known_hosts" in leg
        assert "-F none" in leg
    assert words[-3:] == ("root@10.77.1.1", "--", "hostname")


def test_an_unknown_host_is_named() -> None:
    with pytest.raises(LabHostUnknown, match="apc-0002"):
        an_access().host("apc-0002")

"""Nothing that comes from an inventory can become an option of ssh, or a command of a shell."""

from __future__ import annotations

import shlex
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from inventory.ssh_options import (
    CannotEmit,
    Hop,
    Reach,
    RunPlaces,
    hop_command,
    known_host_lines,
    ssh_command,
    ssh_options,
)

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBf5P5mV6eDq2yIYqkEo3KpVJpsVmjYbLhIYtDq7yM5q"
PLACES = RunPlaces(known_hosts="/state/runs/r1/known_hosts", sockets="/tmp/.kahn-abcdefgh")
OTHERS: dict[str, Any] = {"address": "10.0.0.2", "port": 22, "user": "other", "host_key": KEY[:-1] + "r"}
HOP = Hop(address="10.0.0.1", port=2222, user="jump", host_key=KEY)


def a_reach(**changes: Any) -> Reach:
    return replace(
        Reach(address="10.1.2.3", port=22, user="root", become=False, key_file="/etc/kahn/key", host_key=KEY), **changes
    )


def options(reach: Reach) -> dict[str, str]:
    """Each `-o name=value` by name."""
    words = ssh_options(reach, label="k1", places=PLACES, shared=True)
    return dict(word.split("=", 1) for option, word in pairwise(words) if option == "-o")


@pytest.mark.parametrize(
    "address",
    [
        "-oProxyCommand=id", "a;id", "a b", "a\nb", "$(id)", "`id`", "{{ 7*7 }}", "", "a'b", "fe80::1%eth0", "%h",
        "a/b", "user@host", "ssh://x", "a,b", "[::1]", "host:22",
    ],
)  # fmt: skip
def test_an_address_that_ssh_or_a_shell_could_misread_is_refused(address: str) -> None:
    with pytest.raises(CannotEmit):
        a_reach(address=address)
    with pytest.raises(CannotEmit):
        replace(HOP, address=address)


@pytest.mark.parametrize("user", ["-l", "root;id", "Root", "", "a b", "{{x}}", "root\n"])
def test_an_account_name_is_a_plain_word(user: str) -> None:
    with pytest.raises(CannotEmit):
        a_reach(user=user)
    with pytest.raises(CannotEmit):
        replace(HOP, user=user)


@pytest.mark.parametrize("path", ["key", "/a b", "/%h", "~/key", "/a/${HOME}", "/a\n", "/a'", "/x/../../etc/shadow"])
def test_a_key_file_is_a_path_that_ssh_does_not_expand(path: str) -> None:
    with pytest.raises(CannotEmit):
        a_reach(key_file=path)


@pytest.mark.parametrize("key", ["", "ssh-ed25519", KEY + "\n* ssh-rsa AAAA", "* " + KEY, "@cert-authority " + KEY])
def test_a_machine_without_one_clean_host_key_cannot_be_reached(key: str) -> None:
    with pytest.raises(CannotEmit):
        a_reach(host_key=key)


@pytest.mark.parametrize("port", [0, -1, 65536, True])
def test_a_port_is_a_port(port: int) -> None:
    with pytest.raises(CannotEmit):
        a_reach(port=port)


def test_a_socket_directory_too_long_for_a_socket_is_refused() -> None:
    with pytest.raises(CannotEmit, match="too long"):
        RunPlaces(known_hosts="/k", sockets="/tmp/" + "x" * 90)


def test_host_keys_are_checked_strictly_and_only_against_the_runs_own_file() -> None:
    found = options(a_reach())
    assert found["StrictHostKeyChecking"] == "yes"
    assert found["UserKnownHostsFile"] == "/state/runs/r1/known_hosts"
    assert (found["GlobalKnownHostsFile"], found["HostKeyAlias"]) == ("/dev/null", "k1")
    assert (found["ServerAliveInterval"], found["ServerAliveCountMax"]) == ("3", "2")


def test_the_hops_key_is_checked_as_strictly_as_the_machines() -> None:
    proxy = shlex.split(options(a_reach(hop=HOP))["ProxyCommand"])
    assert "StrictHostKeyChecking=yes" in proxy and "HostKeyAlias=k1-hop" in proxy
    assert proxy[-4:] == ["-W", "10.1.2.3:22", "--", "10.0.0.1"]
    assert known_host_lines(a_reach(hop=HOP), label="k1") == (f"k1 {KEY}", f"k1-hop {KEY}")


def test_one_connection_to_a_jump_host_is_found_by_those_alone_who_go_the_same_way() -> None:
    opened = " ".join(hop_command(a_reach(hop=HOP), label="k1", places=PLACES))
    socket = opened.partition("ControlPath=")[2].split()[0]
    assert "StrictHostKeyChecking=yes" in opened and "HostKeyAlias=k1-hop" in opened and "ControlPersist=60s" in opened
    assert len(socket) <= len(PLACES.sockets) + 12
    ways = {
        True: [a_reach(hop=HOP, address="10.9.9.9")],
        False: [
            a_reach(hop=HOP, key_file="/etc/kahn/other"),
            *(a_reach(hop=replace(HOP, **{name: other})) for name, other in OTHERS.items()),
        ],
    }
    for same, reaches in ways.items():
        for reach in reaches:
            assert (f"ControlPath={socket}" in options(reach)["ProxyCommand"]) is same
    assert hop_command(a_reach(), label="k1", places=PLACES) == ()


def test_an_ipv6_machine_is_named_in_brackets_behind_a_hop() -> None:
    assert "[2001:db8::7]:22" in options(a_reach(address="2001:db8::7", hop=HOP))["ProxyCommand"]


def test_the_ssh_command_of_a_machine_ends_with_its_address_behind_a_double_dash() -> None:
    command = ssh_command(a_reach(port=2200), label="k1", places=PLACES)
    assert command[0] == "ssh" and command[-2:] == ("--", "10.1.2.3")
    assert {"Port=2200", "User=root", "IdentityFile=/etc/kahn/key", "ControlMaster=no"} <= set(command)


def test_no_option_holds_a_percent_sign_that_ssh_would_expand() -> None:
    assert not [word for word in ssh_options(a_reach(hop=HOP), label="k1", places=PLACES, shared=True) if "%" in word]

"""``kahn access``: how machines are reached."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.key_files import key_trouble
from orchestrator.cli import access
from orchestrator.cli.context import Context
from orchestrator.core.access import InvalidAccess
from tests.known_town import call
from tests.town_terminals import a_terminal, sitting_down
from tests.towns import Town

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr"


def profiles(town: Town) -> dict[str, Any]:
    found = json.loads(call(access.app, sitting_down(town, json=True), "list").stdout)
    return {one["name"]: one for one in found}


def add(context: Context, *words: str) -> None:
    call(access.app, context, "add", "far", "--key", "/keys/far", *words)


@pytest.mark.parametrize(
    ("jump", "user", "address", "port"),
    [
        ("10.0.0.1", "root", "10.0.0.1", 22),
        ("kahn@gate.example:2222", "kahn", "gate.example", 2222),
        ("[2001:db8::1]:2222", "root", "2001:db8::1", 2222),
    ],
)
def test_a_jump_host_is_written_as_people_write_it(
    tmp_path: Path, jump: str, user: str, address: str, port: int
) -> None:
    context, town = a_terminal(tmp_path)
    add(context, "--jump", jump, "--jump-host-key", HOST_KEY)
    found = profiles(town)["far"]["jump"]
    assert (found["user"], found["address"], found["port"]) == (user, address, port)


@pytest.mark.parametrize(
    "jump", ["-oProxyCommand=x", "x@-oProxyCommand=x", "10.0.0.1:²", "10.0.0.1:", "a b", "10.0.0.1:99999", "@", "a:b:c"]
)
def test_what_cannot_be_a_jump_host_is_refused(tmp_path: Path, jump: str) -> None:
    context, town = a_terminal(tmp_path)
    with pytest.raises(InvalidAccess):
        add(context, f"--jump={jump}", "--jump-host-key", HOST_KEY)
    assert "far" not in profiles(town)


def test_a_jump_host_without_its_host_key_is_refused(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path)
    with pytest.raises(InvalidAccess, match="key is needed"):
        add(context, "--jump", "10.0.0.1")


@pytest.mark.parametrize("key", ["ssh-ed25519 AAAA...", "ssh-ed25519 AAAA", "rubbish AAAAC3NzaC1lZDI1NTE5AAAAI"])
def test_what_is_no_host_key_is_refused_before_anybody_relies_on_it(tmp_path: Path, key: str) -> None:
    context, _town = a_terminal(tmp_path)
    with pytest.raises(InvalidAccess, match="jump_host_key"):
        add(context, "--jump", "10.0.0.1", "--jump-host-key", key)


def test_a_public_key_is_no_way_in_and_a_replaced_profile_is_called_so(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path)
    with pytest.raises(InvalidAccess, match="private key"):
        call(access.app, context, "add", "far", "--key", "/keys/far.pub")
    assert "is there" in call(access.app, context, "add", "far", "--key", "/keys/far").output
    assert "is replaced" in call(access.app, context, "add", "far", "--key", "/keys/far", "--port", "23").output


def test_a_profile_is_replaced_by_name_and_stands_in_the_journal(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path)
    add(context)
    add(context, "--user", "migration")
    assert profiles(town)["far"]["user"] == "migration"
    with town.store.reading() as books:
        assert [one.entry.kind for one in books.journal.read(context.tenant, subject="access:far")] == [
            "access.put"
        ] * 2


def test_markup_in_a_path_is_only_text(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path)
    call(access.app, context, "add", "odd", "--key", "/keys/[/x]")
    assert "/keys/[/x]" in call(access.app, context, "list").output


def test_a_windows_machine_is_reached_by_psrp_at_its_own_port(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path)
    add(context, "--psrp", "ntlm", "--user", "STADT\\kahn")
    found = profiles(town)["far"]
    assert (found["port"], found["user"], found["psrp"]["login"]) == (5986, "STADT\\kahn", "ntlm")
    add(context)
    assert profiles(town)["far"]["port"] == 22


@pytest.mark.parametrize(
    "words",
    [
        ("--psrp", "kerberos"),
        ("--psrp", "basic", "--become"),
        ("--psrp", "basic", "--user", "a:b"),
        ("--psrp", "basic", "--jump", "10.0.0.1", "--jump-host-key", HOST_KEY),
        ("--psrp", "basic", "--legacy"),
        ("--psrp", "certificate"),
        ("--psrp", "ntlm", "--certificate", "/keys/far.pem"),
        ("--certificate", "/keys/far.pem"),
    ],
)
def test_what_psrp_does_not_know_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    context, town = a_terminal(tmp_path)
    with pytest.raises(InvalidAccess):
        add(context, *words)
    assert "far" not in profiles(town)


def test_what_cannot_be_used_yet_is_said_at_once(tmp_path: Path) -> None:
    """A directory, a certificate that is not there, a password that others may read: said before a wave starts."""
    context, _town = a_terminal(tmp_path)
    context.__dict__["world"] = replace(context.world, key_trouble=key_trouble)
    words = ("add", "far", "--user", "kahn", "--psrp")
    said = call(access.app, context, *words, "certificate", "--key", str(tmp_path), "--certificate", "/nowhere.pem")
    assert f"no file {tmp_path} yet" in "".join(said.output.splitlines()) and "/nowhere.pem yet" in said.output
    secret = tmp_path / "password"
    secret.write_text("x")
    secret.chmod(0o644)
    assert "others may read it" in call(access.app, context, *words, "basic", "--key", str(secret)).output
    secret.chmod(0o600)
    assert "cannot be used" not in call(access.app, context, *words, "basic", "--key", str(secret)).output

"""Host keys of real machines behind a real jump host, and of a real ssh server without one."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from inventory.model import AssetId
from orchestrator.adapters.ssh import read_host_keys
from orchestrator.adapters.ssh_session import Patience
from orchestrator.core.access import AccessProfile, JumpHost
from orchestrator.core.host_keys import Door, KeyAnswer
from orchestrator.lab.access import LabAccess
from orchestrator.lab.lab import Lab, seat_specs
from orchestrator.spoken import spoken
from tests.labs import lab
from tests.speakers import VERSION, for_ever, saying, speaker
from tests.sshd import Server, server

__all__ = ["lab", "server"]
BRIEF = Patience(connect_s=15, greet_s=15, exchange_s=30, gap_s=0.01)
"""Long for a real sshd on a loaded machine; only what is cut off or hangs takes so long."""
LAB = "schluessel"


def a_profile(port: int = 22, *, key_file: str = "/nowhere", jump: JumpHost | None = None) -> AccessProfile:
    return AccessProfile(name="p", user="root", key_file=key_file, port=port, jump=jump)


def a_door(port: int, *, address: str = "127.0.0.1", known: str = "") -> Door:
    return Door(asset=AssetId(f"m{port}"), address=address, profile=a_profile(port), known=known)


@contextmanager
def a_closed_port() -> Iterator[int]:
    """A port where nobody listens, and which nobody else can take meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def codes(answers: Sequence[KeyAnswer]) -> list[str]:
    return [one.trouble.code if one.trouble else "" for one in answers]


def test_one_hostile_machine_holds_up_no_other_and_each_gets_its_own_cause() -> None:
    told: list[KeyAnswer] = []
    with (
        speaker(saying()) as mute, speaker(for_ever(b"x" * 4096)) as endless, speaker(saying(VERSION)) as stalled,
        a_closed_port() as closed,
    ):  # fmt: skip
        doors = [a_door(port) for port in (mute, endless, stalled, closed)] * 2
        answers = read_host_keys(doors, patience=Patience(connect_s=60, greet_s=2, exchange_s=2), tell=told.append)
    assert codes(answers) == ["no_banner", "no_banner", "broke_off", "refused"] * 2
    assert [one.asset for one in answers] == [door.asset for door in doors]
    assert sorted(codes(told[:4])) == ["no_banner", "no_banner", "refused", "refused"], "nobody waits for the silent"
    assert {one.asset for one in told[:4]} == {f"m{endless}", f"m{closed}"}


def test_a_name_that_nobody_knows_is_unreachable_and_each_answer_is_told() -> None:
    told: list[KeyAnswer] = []
    answers = read_host_keys([a_door(22, address="no-such-name.invalid")], patience=BRIEF, tell=told.append)
    assert codes(answers) == ["unreachable"] and told == list(answers)
    assert read_host_keys([]) == ()


def test_a_jump_host_is_asked_for_nothing_with_a_key_file_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key")
    jump = JumpHost(address="127.0.0.1", port=1, host_key="ssh-ed25519 AAAA")
    for path in ("/nowhere/key", str(tmp_path / "key")):
        door = replace(a_door(22), profile=a_profile(key_file=path, jump=jump))
        assert codes(read_host_keys([door])) == ["key_file"]


# --------------------------------------------------------------------------- a real server on loopback


def through(server: Server, **changes: object) -> Door:
    """The server's own port, seen through the server as jump host."""
    given = {"address": "127.0.0.1", "port": server.port, "host_key": server.host_key, **changes}
    jump = JumpHost(**given)  # type: ignore[arg-type]
    return replace(a_door(22), profile=a_profile(server.port, key_file=str(server.key_file), jump=jump))


@pytest.mark.lab
def test_neither_the_users_agent_nor_known_hosts_is_touched(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = socket.socket(socket.AF_UNIX)
    agent.bind(str(tmp_path / "agent"))
    agent.listen()
    agent.setblocking(False)
    home = tmp_path / "home" / ".ssh"
    home.mkdir(parents=True)
    (home / "known_hosts").write_text(f"[127.0.0.1]:{server.port} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\n")
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    before = (home / "known_hosts").read_bytes()
    answers = read_host_keys([a_door(server.port), through(server)], patience=BRIEF)
    assert [one.key for one in answers] == [server.host_key] * 2
    with pytest.raises(BlockingIOError):
        agent.accept()
    agent.close()
    assert [(one.name, one.read_bytes()) for one in home.iterdir()] == [("known_hosts", before)]


@pytest.mark.lab
def test_a_jump_host_with_another_key_is_not_logged_in_to(server: Server) -> None:
    other = paramiko.ECDSAKey.generate()
    wrong = through(server, host_key=f"{other.get_name()} {other.get_base64()}")
    answers = read_host_keys([wrong, wrong], patience=BRIEF)
    assert codes(answers) == ["jump_key_mismatch"] * 2
    told = spoken(answers[0].trouble.told) if answers[0].trouble else ""
    assert told.count("SHA256:") == 2


@pytest.mark.lab
def test_a_jump_host_that_knows_not_the_user_or_is_not_there_closes_the_way_once(server: Server) -> None:
    assert codes(read_host_keys([through(server, user="nobody")] * 3, patience=BRIEF)) == ["jump_login"] * 3
    with a_closed_port() as port:
        assert codes(read_host_keys([through(server, port=port)] * 3, patience=BRIEF)) == ["jump_refused"] * 3


# --------------------------------------------------------------------------- the lab


@pytest.fixture(scope="module")
def access(lab: Lab) -> LabAccess:
    lab.up(tenant=LAB, specs=seat_specs(2))
    return lab.access(LAB)


def scanned(lab: Lab, access: LabAccess, *names: str) -> dict[str, KeyAnswer]:
    jump = JumpHost(address=access.jump_address, host_key=access.jump_host_key)
    profile = a_profile(key_file=str(access.key_path), jump=jump)
    hosts = [host for host in access.hosts if host.name in names or not names]
    doors = [Door(asset=AssetId(h.name), address=h.address, profile=profile, known=h.host_key) for h in hosts]
    with lab.controller():
        answers = read_host_keys(doors, patience=BRIEF)
    return {str(one.asset): one for one in answers}


@pytest.mark.lab
def test_the_keys_of_all_machines_are_read_through_the_jump_host(lab: Lab, access: LabAccess) -> None:
    answers = scanned(lab, access)
    assert {name: one.key for name, one in answers.items()} == {host.name: host.host_key for host in access.hosts}


@pytest.mark.lab
def test_each_machine_behind_a_jump_host_fails_for_its_own_reason(lab: Lab, access: LabAccess) -> None:
    faults = {"apc-0001": "cut", "apc-0002": "refuse", "neu-0001": "hang"}
    for name, fault in faults.items():
        lab.fault(lab.host(name, tenant=LAB), fault)
    try:
        answers = scanned(lab, access, *faults, "neu-0002")
    finally:
        for name in faults:
            lab.fault(lab.host(name, tenant=LAB), "heal")
    assert {name: one.trouble.code if one.trouble else "" for name, one in answers.items()} == {
        "apc-0001": "unreachable", "apc-0002": "refused", "neu-0001": "no_banner", "neu-0002": ""
    }  # fmt: skip


@pytest.mark.lab
def test_a_machine_with_a_new_key_shows_another_one(lab: Lab, access: LabAccess) -> None:
    known = access.host("neu-0002").host_key
    lab.fault(lab.host("neu-0002", tenant=LAB), "rekey")
    shown = scanned(lab, access, "neu-0002")["neu-0002"]
    assert shown.key.startswith("ssh-ed25519 ") and shown.key != known

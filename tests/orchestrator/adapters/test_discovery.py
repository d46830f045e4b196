"""Discovery over real ssh: a machine is asked, nothing is left on it, and who lies is noticed."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from inventory.model import AssetId
from inventory.sources import discovery_text
from inventory.sources.discovery_text import sections_of, sockets_of
from orchestrator.adapters import discovery
from orchestrator.adapters.credentials import Credential
from orchestrator.adapters.discovery import SCRIPT, read_facts
from orchestrator.adapters.ssh_session import Patience
from orchestrator.core.access import AccessProfile
from orchestrator.core.discovery import FactsAnswer
from orchestrator.core.host_keys import Door
from tests.hanging_server import PASSWORD, hanging_server
from tests.orchestrator.core.builders import KEY
from tests.sshd import Server, server, start_server, why_no_server

__all__ = ["server"]
QUICK = Patience(connect_s=3, greet_s=3, exchange_s=5, gap_s=0)
OLD = (
    "KexAlgorithms diffie-hellman-group14-sha1\nHostKeyAlgorithms ssh-rsa\nCiphers aes128-cbc\nMACs hmac-sha1\n"
    "PubkeyAcceptedAlgorithms +ssh-rsa\n"
)


@pytest.fixture(scope="module")
def old_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows only what was usual before 2012."""
    lacks = why_no_server()
    if lacks:
        pytest.skip(f"real ssh not possible here: {lacks}")
    made = start_server(tmp_path_factory.mktemp("old"), key_type="rsa", options=OLD)
    try:
        yield made
    finally:
        made.stop()
        os.waitpid(made.pid, 0)


def a_door(server: Server, *, known: str | None = None, **more: object) -> Door:
    profile = AccessProfile(
        **{"name": "lab", "user": "root", "key_file": str(server.key_file), "port": server.port, **more}  # type: ignore[arg-type]
    )
    return Door(
        asset=AssetId("a"), address="127.0.0.1", profile=profile, known=server.host_key if known is None else known
    )


def asked(*doors: Door) -> tuple[FactsAnswer, ...]:
    return read_facts(doors, at_once=4, patience=QUICK)


def trouble(door: Door) -> str:
    (answer,) = asked(door)
    assert answer.trouble is not None and answer.text == ""
    return answer.trouble.code


def test_a_machine_tells_what_it_is_in_a_whole_report(server: Server) -> None:
    (answer,) = asked(a_door(server))
    assert answer.trouble is None and answer.weak == ()
    sections, complete = sections_of(answer.text)
    assert complete and sections["host"][1] == "Linux" and sections["cpu"] and sections["volumes"]
    open_ports, _connections = sockets_of(sections)
    assert all(one.port for one in open_ports)


def test_several_machines_are_asked_at_once_and_answers_keep_their_order(server: Server) -> None:
    answers = asked(a_door(server), a_door(server, known=KEY), a_door(server))
    assert [one.trouble.code if one.trouble else "" for one in answers] == ["", "key_mismatch", ""]


def test_without_the_pinned_key_nobody_logs_in(server: Server) -> None:
    assert trouble(a_door(server, known="")) == "no_host_key"
    assert trouble(a_door(server, known=KEY)) == "key_mismatch"


def test_a_wrong_key_or_account_is_told(server: Server, tmp_path: Path) -> None:
    subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"), check=True)
    assert trouble(a_door(server, key_file=str(tmp_path / "other"))) == "login"
    assert trouble(a_door(server, key_file=str(tmp_path / "none"))) == "key_file"


def test_a_locked_key_file_is_taken_from_the_agent(server: Server, tmp_path: Path, agent: Path) -> None:
    locked = tmp_path / "locked"
    locked.write_bytes(server.key_file.read_bytes())
    locked.chmod(0o600)
    (tmp_path / "locked.pub").write_text(server.key_file.with_suffix(".pub").read_text())
    subprocess.run(("ssh-keygen", "-q", "-p", "-P", "", "-N", "a phrase", "-f", locked), check=True)
    assert trouble(a_door(server, key_file=str(locked))) == "key_file"
    subprocess.run(("ssh-add", "-q", str(server.key_file)), check=True, timeout=20)
    (answer,) = asked(a_door(server, key_file=str(locked)))
    assert answer.trouble is None and answer.text


def test_an_old_server_is_reached_only_by_a_legacy_profile_and_that_is_a_finding(old_server: Server) -> None:
    assert trouble(a_door(old_server)) == "no_common_algorithm"
    (answer,) = asked(a_door(old_server, legacy=True))
    assert answer.trouble is None and answer.text
    assert {"ssh-rsa", "aes128-cbc", "hmac-sha1", "diffie-hellman-group14-sha1"} == set(answer.weak)


def test_a_legacy_profile_uses_nothing_weak_where_it_need_not(server: Server) -> None:
    (answer,) = asked(a_door(server, legacy=True))
    assert answer.trouble is None and answer.weak == ()


def test_a_report_without_end_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        discovery, "SCRIPT", b"echo KAHN-DISCOVERY 1; exec yes 0123456789012345678901234567890123456789\n"
    )
    monkeypatch.setattr(discovery, "MOST_BYTES", 200_000)
    assert trouble(a_door(server)) == "too_much"
    monkeypatch.setattr(discovery, "SCRIPT", b"echo KAHN-DISCOVERY 1; exec sleep 60\n")
    monkeypatch.setattr(discovery, "REPORT_S", 1)
    assert trouble(a_door(server)) == "too_late"
    monkeypatch.setattr(discovery, "SCRIPT", b"echo this account is not available\n")
    assert trouble(a_door(server)) == "no_report"


def test_the_script_leaves_nothing_behind_and_names_no_person(server: Server) -> None:
    before = server.inside("sh", "-c", "ls -laR /var/lib /run")
    (answer,) = asked(a_door(server))
    assert server.inside("sh", "-c", "ls -laR /var/lib /run") == before
    assert set(re.findall(rb"[0-9]?>+ ?[^ ;&|)\n]*", SCRIPT.partition(b"\nLC_ALL")[2])) <= {
        b"2>/dev/null",
        b">/dev/null",
        b"2>&1",
        b"2>",
    }
    passwd = Path("/etc/passwd").read_text().splitlines()
    people = [line.split(":")[0] for line in passwd if 1000 <= int(line.split(":")[2]) < 60_000]
    words = set(answer.text.replace("/", " ").split())
    assert not words & {*people} - {getpass.getuser()}
    for source in (
        b"/etc/passwd",
        b"/etc/shadow",
        b"who ",
        b"last ",
        b"/var/spool/cron",
        b"cmdline",
        b"environ",
        b"history",
    ):
        assert source not in SCRIPT


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_the_script_runs_in_the_shells_of_old_and_small_machines(shell: str) -> None:
    words = ["busybox", "sh", "-s"] if shell == "busybox" else [shell, "-s"]
    try:
        done = subprocess.run(words, input=SCRIPT, capture_output=True, timeout=60)
    except FileNotFoundError:
        pytest.skip(f"no {shell} here")
    _sections, complete = sections_of(done.stdout.decode())
    assert complete and done.stderr == b""
    assert len(done.stdout) < discovery_text.MOST_BYTES


def test_the_script_needs_no_more_than_busybox(tmp_path: Path) -> None:
    """A machine whose every tool is the small one: its own awk, ls, grep and df."""
    if not (busybox := shutil.which("busybox")):
        pytest.skip("no busybox here")
    subprocess.run((busybox, "--install", "-s", str(tmp_path)), check=True, timeout=60)
    done = subprocess.run(
        (busybox, "sh", "-s"), input=SCRIPT, capture_output=True, timeout=60, env={"PATH": str(tmp_path)}
    )
    sections, complete = sections_of(done.stdout.decode())
    assert complete and sections["memory"] and len(sections["volumes"]) > 1 and sections["sockets"]
    assert not any("/fd" in line or "socket" in line for line in sections["holders"])


def test_of_processes_only_those_with_a_socket_are_named() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        inode = os.fstat(listening.fileno()).st_ino
        said = subprocess.run(("sh", "-s"), input=SCRIPT, capture_output=True, timeout=60).stdout
    sections, _complete = sections_of(said.decode(errors="replace"))
    holders = {line for line in sections["holders"] if not line.startswith("s")}
    named = {line.split()[0] for line in sections["processes"]}
    assert str(os.getpid()) in holders and str(os.getpid()) in named and named <= holders
    assert f"s{inode}" in sections["holders"]


def test_a_password_goes_only_to_the_machine_with_the_pinned_key(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "MACHINE_S", 5)
    heard: list[str] = []
    with hanging_server(heard) as (port, key):

        def told(password: str, known: str) -> str:
            door = a_door(server, known=known, port=port)
            given = {"lab": Credential(password=password)}
            (answer,) = read_facts([door], at_once=1, patience=QUICK, credentials=given)
            assert answer.trouble is not None and password not in answer.trouble.told.text
            return answer.trouble.code

        assert told(PASSWORD, KEY) == "key_mismatch"
        assert heard == []
        assert told("wrong horse", key) == "login"
        assert told(PASSWORD, key) == "broke_off"  # it lets one in, and then never answers
    assert heard == ["wrong horse", PASSWORD]


@pytest.mark.parametrize("says", [b"", b"\0\0\0\5nonsense"])
def test_an_agent_that_says_nothing_or_nonsense_holds_nobody_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: bytes
) -> None:
    monkeypatch.setattr(discovery, "AGENT_S", 1)
    locked = tmp_path / "locked"
    subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "a phrase", "-f", locked), check=True)
    over = threading.Event()
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(tmp_path / "agent"))
        agent.listen(5)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))

        def answer() -> None:
            with suppress(OSError):
                connection, _where = agent.accept()
                connection.sendall(says)
                over.wait(300)

        threading.Thread(target=answer, daemon=True).start()
        assert trouble(a_door(server, key_file=str(locked))) == "key_file"
        over.set()

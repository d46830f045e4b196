"""Runs through a jump host: its key is checked, and one connection to it serves all machines behind it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inventory.ssh_options import Hop, Reach, RunPlaces, hop_command, known_host_lines, ssh_command
from orchestrator.core.access import JumpHost
from orchestrator.run_ports import RunOrder
from orchestrator.supervisor.__main__ import _open_hops
from orchestrator.supervisor.admission import Admitted
from orchestrator.supervisor.processes import connections_of, end_connections
from tests.run_orders import NOBODYS_KEY, Field
from tests.sshd import Server, server
from tests.waiting import until

__all__ = ["server"]
pytestmark = pytest.mark.ansible

SHARED = """
- name: the connection to the jump host is open
  ansible.builtin.shell: >-
    test -S "$(echo {{ kahn_ssh.source | join(' ') | regex_search('ControlPath=(/[^ ]+)/', '\\1') | first }}/h*)"
  delegate_to: localhost
  vars: {ansible_connection: local}
  register: looked
  until: looked is success
  retries: 600
  delay: 0.1
- name: leave a mark
  ansible.builtin.shell: echo "{{ kahn_attempt }}" >> /run/{{ kahn_run }}
"""


@pytest.fixture
def here(tmp_path: Path, server: Server) -> Iterator[Field]:
    """A state directory whose moves are reached over ssh; at the end no process of any of its runs lives."""
    made = Field(state=tmp_path / "state", server=server)
    yield made
    assert made.leave() == ()


def behind(order: RunOrder, server: Server, *, key: str = "") -> RunOrder:
    """The order with its machine behind a jump host, which is the same machine."""
    jump = JumpHost(address="127.0.0.1", host_key=key or server.host_key, port=server.port, user="root")
    profile = replace(order.content.access[0], jump=jump)
    return replace(order, content=replace(order.content, access=(profile,)))


def logins(server: Server) -> int:
    return (server.directory / "sshd.err").read_text().count("Accepted publickey")


def marks(server: Server, order: RunOrder) -> list[str]:
    return server.inside("sh", "-c", f"cat /run/{order.run.id} 2>/dev/null || true").split()


@pytest.mark.parametrize(("key", "kind"), [("", "done"), (NOBODYS_KEY, "not_started")])
def test_a_jump_host_is_passed_only_with_its_own_key(here: Field, server: Server, key: str, kind: str) -> None:
    order = behind(here.order(SHARED), server, key=key)
    assert here.played(order)["pc-1"].kind == kind
    assert len(marks(server, order)) == (1 if kind == "done" else 0)


def test_a_connection_that_cannot_be_started_keeps_no_run_from_its_end(tmp_path: Path) -> None:
    manifest = {"run": "r-1", "hops": [["/no/such/ssh", "-N"]]}
    _open_hops(Admitted(path=tmp_path, directory=-1, manifest=manifest, alive=-1, records=-1, seconds_left=1.0))


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A short place for control sockets; no connection outlives the test."""
    made = Path(tempfile.mkdtemp(prefix="kh-", dir="/tmp"))
    try:
        yield made
    finally:
        assert end_connections(made.name, sockets=str(made))
        shutil.rmtree(made)


def test_machines_behind_a_jump_host_share_one_connection_to_it_and_do_without_once_it_broke(
    sockets: Path, tmp_path: Path, server: Server
) -> None:
    hop = Hop(address="127.0.0.1", port=server.port, user="root", host_key=server.host_key)
    places = RunPlaces(known_hosts=str(tmp_path / "known_hosts"), sockets=str(sockets))
    one = Reach(
        address="127.0.0.1",
        port=server.port,
        user="root",
        become=False,
        key_file=str(server.key_file),
        host_key=server.host_key,
        hop=hop,
    )
    ways = {"k1": one, "k2": replace(one, address="localhost")}
    lines = [line for label, reach in ways.items() for line in known_host_lines(reach, label=label)]
    Path(places.known_hosts).write_text("".join(f"{line}\n" for line in lines))

    def ask_both() -> None:
        for label, reach in ways.items():
            command = (*ssh_command(reach, label=label, places=places), "true")
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    before = logins(server)
    marked = {**os.environ, "KAHN_RUN": sockets.name, "KAHN_HOP": "yes"}
    subprocess.run(hop_command(one, label="k1", places=places), env=marked, check=True, stdin=subprocess.DEVNULL)
    ask_both()
    assert logins(server) - before == 3
    (shared,) = connections_of(sockets.name, str(sockets))
    os.kill(shared, signal.SIGKILL)
    until(lambda: not connections_of(sockets.name, str(sockets)))
    ask_both()
    assert logins(server) - before == 7

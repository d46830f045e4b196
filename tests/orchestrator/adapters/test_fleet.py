"""Looking at machines over real ssh: one that is well, and the ways in which one is not."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from inventory.model import AssetId
from orchestrator.adapters import fleet
from orchestrator.adapters.fleet import TOO_LATE, Look, look_at
from orchestrator.adapters.ssh_session import Patience
from orchestrator.core.access import AccessProfile
from orchestrator.core.fleet import HostAnswer, Post, findings
from orchestrator.core.host_keys import Door
from tests.hanging_server import hanging_server
from tests.orchestrator.core.builders import KEY
from tests.sshd import Server, server

__all__ = ["server"]
QUICK = Patience(connect_s=5, greet_s=2, exchange_s=30, gap_s=0)


def a_door(server: Server, *, known: str = "", port: int = 0, user: str = "root") -> Door:
    profile = AccessProfile(name="lab", user=user, key_file=str(server.key_file), port=port or server.port, become=True)
    return Door(asset=AssetId("a"), address="127.0.0.1", profile=profile, known=known or server.host_key)


def causes(door: Door, answer: HostAnswer) -> list[str]:
    post = Post(machine="pc", door=door, assets=(door.asset,), shared=False)
    return [one.cause for one in findings([post], [answer]) if one.cause]


@contextmanager
def deaf() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield listening.getsockname()[1]


def closed_port() -> int:
    """A port on which nobody listens, as far as one can know."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_machine_that_is_well_answers_all_that_is_asked_and_keeps_nothing(server: Server) -> None:
    door = a_door(server)
    (answer,) = look_at([door], patience=QUICK)
    assert answer.trouble is None
    assert {line.split()[0] for line in answer.text.splitlines()} == {
        "kahn-look", "become", "time", "free_kib", "root", "load_percent", "cores", "packages", "python",
    }  # fmt: skip
    assert causes(door, answer) == []


def test_each_machine_that_cannot_work_gets_its_cause_and_holds_no_other_up(server: Server) -> None:
    with deaf() as port:
        doors = [
            a_door(server),
            a_door(server, port=port),
            a_door(server, port=closed_port()),
            a_door(server, known=KEY),
            a_door(server, user="nobody"),
        ]
        answers = look_at(doors, patience=QUICK)
    found = [causes(door, answer) for door, answer in zip(doors, answers, strict=True)]
    assert found == [[], ["does_not_speak"], ["connection_refused"], ["host_key_changed"], ["login_refused"]]


def test_many_silent_machines_cost_their_time_limit_once_and_not_each(server: Server) -> None:
    limit_s = 3.0
    with deaf() as port:
        doors = [a_door(server, port=port)] * 15
        began = time.monotonic()
        answers = look_at(doors, patience=replace(QUICK, greet_s=limit_s))
        took_s = time.monotonic() - began
    assert all(answer.trouble for answer in answers)
    assert took_s < 15 * limit_s / 2


def test_a_locked_package_manager_is_seen_without_touching_it(server: Server) -> None:
    server.inside("mkdir", "-p", "/var/lib/dpkg")
    hold = "exec 9>/var/lib/dpkg/lock-frontend; flock 9; echo held; sleep 60"
    command = ("nsenter", f"--target={server.pid}", "--mount", "--", "sh", "-c", hold)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None and holder.stdout.readline() == "held\n"
            (answer,) = look_at([a_door(server)], patience=QUICK)
        finally:
            holder.kill()
    assert "packages locked" in answer.text.splitlines()


def test_a_machine_that_lets_one_in_and_then_never_answers_ends_at_its_deadline(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "ANSWER_S", 2)
    with hanging_server() as (port, key):
        door = a_door(server, port=port, known=key)
        (answer,) = look_at([door], patience=QUICK)
    assert causes(door, answer) == ["does_not_speak"]


def test_whoever_breaks_a_look_off_waits_for_no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with deaf() as port:
        profile = AccessProfile(name="lab", user="root", key_file="/nonexistent", port=port)
        door = Door(asset=AssetId("a"), address="127.0.0.1", profile=profile, known=KEY)
        monkeypatch.setattr(fleet, "wait", break_off)
        look = Look([door] * 30, at_once=2, patience=replace(QUICK, greet_s=20))
        with pytest.raises(KeyboardInterrupt):
            look.wait()
        assert look.answers() == (TOO_LATE,) * 30


def test_a_look_under_way_says_so_and_one_that_is_dropped_keeps_no_thread_busy() -> None:
    with deaf() as port:
        profile = AccessProfile(name="lab", user="root", key_file="/nonexistent", port=port)
        door = Door(asset=AssetId("a"), address="127.0.0.1", profile=profile, known=KEY)
        look = Look([door] * 30, at_once=2, patience=QUICK)
        assert look.answers() is None
        began = time.monotonic()
        look.drop()
        assert time.monotonic() - began < 10
        assert look.answers() == (TOO_LATE,) * 30

"""A run's processes are found by their environment and ended; nobody else's are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from orchestrator.supervisor.processes import (
    boot_id,
    connections_of,
    end_all,
    end_connections,
    processes_of,
    start_time,
)

STUBBORN = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"


@contextmanager
def program(code: str = "print(flush=True); import time; time.sleep(600)", **variables: str) -> Iterator[int]:
    """A program with these variables, once it has begun."""
    with subprocess.Popen((sys.executable, "-c", code), env=variables, stdout=subprocess.PIPE) as started:
        try:
            assert started.stdout is not None and started.stdout.readline()
            yield started.pid
        finally:
            started.kill()


@pytest.fixture
def run() -> str:
    """A run that no other test, in whatever process, has at the same moment."""
    return f"run-{uuid4().hex}"


def test_a_run_is_known_by_its_whole_id_in_the_environment(run: str) -> None:
    with program(KAHN_RUN=run) as own, program(KAHN_RUN=f"{run}0"), program(OTHER=f"KAHN_RUN={run}"):
        assert processes_of(run) == (own,)


def test_a_run_is_ended_even_where_a_process_does_not_listen_and_others_stay(run: str) -> None:
    with program(STUBBORN, KAHN_RUN=run), program(KAHN_RUN=f"{run}-other") as other:
        assert end_all(run, sockets="", grace_s=0.2)
        assert (processes_of(run), processes_of(f"{run}-other")) == ((), (other,))


def test_the_way_through_a_jump_host_is_an_idle_connection_and_no_work(run: str) -> None:
    with program(KAHN_RUN=run, KAHN_HOP="yes") as hop:
        assert (processes_of(run), connections_of(run, f"/tmp/.{run}")) == ((), (hop,))
        assert end_connections(run, sockets=f"/tmp/.{run}")


def test_this_process_itself_is_never_among_them() -> None:
    assert os.getpid() not in processes_of("")


def test_a_process_is_told_from_a_later_one_by_its_start() -> None:
    first = start_time(os.getpid())
    with program() as pid:
        assert start_time(pid) >= first
    assert first == start_time(os.getpid()) and len(boot_id()) == 36


def test_ending_a_run_without_processes_returns_at_once() -> None:
    before = time.monotonic()
    assert end_all("r-none", sockets="/tmp/.kahn-none", grace_s=300)
    assert time.monotonic() - before < 100

"""One driver has the seat, and whoever dies gives it back. On both databases."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.adapters.seat import file_seat, file_seat_taken
from orchestrator.adapters.store import DatabaseStore
from tests.waiting import PATIENCE_S

HOLDER = """
import sys, time
from orchestrator.adapters.store import DatabaseStore
with DatabaseStore.open(sys.argv[1]).seat() as mine:
    print(mine, flush=True)
    time.sleep(600)
"""
PARENT = """
import subprocess, sys
from orchestrator.adapters.store import DatabaseStore
with DatabaseStore.open(sys.argv[1]).seat() as mine:
    child = subprocess.Popen(["sleep", "600"], close_fds=False)
    print(mine, child.pid, flush=True)
    child.wait()
"""


@contextmanager
def _started(program: str, url: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    holder = subprocess.Popen((sys.executable, "-c", program, url), stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    try:
        yield holder, holder.stdout.readline().split()
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def _free_within(store: DatabaseStore, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        with store.seat() as mine:
            if mine:
                return True
        if time.monotonic() > until:
            return False
        time.sleep(0.05)


def test_the_first_taker_gets_the_seat_and_the_second_does_not(store: DatabaseStore) -> None:
    with store.seat() as first, store.seat() as second:
        assert (first, second) == (True, False)


def test_the_seat_is_free_again_after_its_holder_left(store: DatabaseStore) -> None:
    with store.seat() as first:
        assert first
    with store.seat() as again:
        assert again


def test_one_who_did_not_get_the_seat_does_not_free_it_on_leaving(store: DatabaseStore) -> None:
    with store.seat():
        with store.seat() as second:
            assert not second
        with store.seat() as third:
            assert not third


def test_the_seat_is_free_after_its_holder_was_killed(store: DatabaseStore, database_url: str) -> None:
    with _started(HOLDER, database_url) as (holder, said):
        assert said == ["True"]
        with store.seat() as mine:
            assert not mine
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert _free_within(store, PATIENCE_S)


def test_a_child_that_outlives_its_driver_does_not_keep_the_seat(store: DatabaseStore, database_url: str) -> None:
    with _started(PARENT, database_url) as (holder, said):
        child = int(said[1])
        try:
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            assert _free_within(store, PATIENCE_S)
        finally:
            os.kill(child, signal.SIGKILL)


def test_the_seat_does_not_hold_up_transactions(store: DatabaseStore) -> None:
    with store.seat() as mine, store.transaction() as books:
        assert (mine, books.raise_epoch()) == (True, 1)


def _driven(store: DatabaseStore) -> bool | None:
    with store.reading() as books:
        return books.driven()


def test_anybody_sees_whether_somebody_drives_and_looking_takes_no_seat(store: DatabaseStore) -> None:
    assert _driven(store) is False
    with store.seat() as mine:
        assert mine and _driven(store) is True
        with store.transaction() as books:
            assert books.driven() is True
    assert _free_within(store, PATIENCE_S)  # a server notices a moment later that its client has gone
    until = time.monotonic() + PATIENCE_S
    while _driven(store) and time.monotonic() < until:
        time.sleep(0.05)
    assert _driven(store) is False


def test_a_seat_file_that_this_account_may_not_read_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "kahn.sqlite.seat").symlink_to(tmp_path / "kahn.sqlite.seat")
    assert file_seat_taken(tmp_path / "kahn.sqlite") is None
    assert file_seat_taken(tmp_path / "never-driven.sqlite") is False


def test_somebody_who_only_looks_at_this_moment_keeps_nobody_from_the_seat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "kahn.sqlite"
    looker = os.open(f"{database}.seat", os.O_RDWR | os.O_CREAT)
    fcntl.flock(looker, fcntl.LOCK_SH)
    gaps: list[float] = []

    def looks_away(seconds: float) -> None:
        gaps.append(seconds)
        fcntl.flock(looker, fcntl.LOCK_UN)

    monkeypatch.setattr("orchestrator.adapters.seat.time.sleep", looks_away)
    with file_seat(database) as mine:
        assert mine and len(gaps) == 1
    os.close(looker)

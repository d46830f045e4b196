"""How fast spools come into the books: ``python -m bench.ingest [--events N] [--postgresql]``.

Three figures for a database: what the database itself can take in (the same rows by the plain driver, the same
transactions), what Kahn's taking in makes of it, and the lag at a steady rate: from a line's writing until it is
committed and can be asked for. Two saturated cores of Ansible make about 160 events a second (80 no-op tasks, two
events each).
"""

from __future__ import annotations

import argparse
import fcntl
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.runs import AnsibleRuns
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.wave import RunId
from orchestrator.run_ports import RunRow, SpoolLine
from orchestrator.supervisor.files import checked_line
from tests.databases import postgresql_named
from tests.orchestrator.adapters.builders import NOW, a_run, a_town

BATCH, RUNS, RATE, SECONDS, TICK_S = 500, 16, 1600, 10, 0.25
FIELDS = {"part": "step", "task": "restore the files of the old machine", "task_no": 12, "changed": True, "rc": 0}
ROW = "INSERT INTO run_event (run, seq, wall_us, kind, host, record) VALUES ({})"


def prepared(url: str) -> tuple[DatabaseStore, list[RunRow]]:
    """A store with one wave and so many living runs."""
    store = DatabaseStore.create_or_upgrade(url)
    with store.transaction() as books:
        town = a_town(books, assets=RUNS)
        runs = [a_run(town.wave, number, f"a{number}") for number in range(RUNS)]
        for run in runs:
            books.runs.intend(run, at=NOW)
    return store, runs


def line(seq: int) -> SpoolLine:
    """A line of ordinary size."""
    return SpoolLine(seq=seq, wall_us=time.time_ns() // 1000, kind="ok", host="a0", fields=FIELDS)


def rate_of(events: int, insert: Callable[[range], None]) -> float:
    """Events a second when they come in batches."""
    began = time.monotonic()
    for first in range(1, events + 1, BATCH):
        insert(range(first, min(first + BATCH, events + 1)))
    return events / (time.monotonic() - began)


def through_kahn(store: DatabaseStore, run: RunRow) -> Callable[[range], None]:
    """A batch taken in as the driver does it."""

    def insert(numbers: range) -> None:
        with store.transaction() as books:
            books.runs.ingest(run.id, [line(seq) for seq in numbers], offset=numbers.stop)

    return insert


def by_the_driver_alone(url: str, run: RunRow) -> Callable[[range], None]:
    """The same rows by the plain database driver, with the same promises."""
    parsed, record = make_url(url), '{"part": "step", "task": "restore the files of the old machine", "rc": 0}'

    def rows(numbers: range) -> list[tuple[object, ...]]:
        return [(run.id, seq, time.time_ns() // 1000, "ok", "a0", record) for seq in numbers]

    if parsed.drivername == "sqlite":
        lite = sqlite3.connect(str(parsed.database), isolation_level=None)
        lite.execute("PRAGMA synchronous = 2")

        def insert(numbers: range) -> None:
            lite.execute("BEGIN IMMEDIATE")
            lite.executemany(ROW.format("?, ?, ?, ?, ?, ?"), rows(numbers))
            lite.execute("COMMIT")

        return insert
    big = psycopg.connect(url.replace("+psycopg", ""))

    def insert_there(numbers: range) -> None:
        with big.cursor() as cursor:
            cursor.executemany(ROW.format("%s, %s, %s, %s, %s, %s"), rows(numbers))
        big.commit()

    return insert_there


def lag(store: DatabaseStore, runs: Sequence[RunRow], place: Path) -> tuple[float, float]:
    """Median and longest seconds from a line's writing to its commit, at the steady rate over all runs."""
    files = AnsibleRuns(state=place, trees=place, ansible_playbook=place, clock=SystemClock())
    for run in runs:
        (place / "runs" / run.id).mkdir(parents=True, mode=0o700)
    writer = threading.Thread(target=_write, args=(runs, place))
    writer.start()
    offsets, lags = dict.fromkeys([run.id for run in runs], 0), list[float]()
    while writer.is_alive() or _one_round(store, files, offsets, lags):
        _one_round(store, files, offsets, lags)
        time.sleep(TICK_S)
    lags.sort()
    return lags[len(lags) // 2], lags[-1]


def _write(runs: Sequence[RunRow], place: Path) -> None:
    until, seq, share = time.monotonic() + SECONDS, 0, RATE // len(runs) // 20
    opened = [(place / "runs" / run.id / "spool.jsonl").open("ab", buffering=0) for run in runs]
    alive = [(place / "runs" / run.id / "alive.lock").open("wb") for run in runs]
    for lock in alive:
        fcntl.flock(lock, fcntl.LOCK_SH)  # as a living ansible does
    while time.monotonic() < until:
        began = time.monotonic()
        for spool in opened:
            spool.write(b"".join(_checked(seq + number) for number in range(1, share + 1)))
        seq += share
        time.sleep(max(0.05 - (time.monotonic() - began), 0))


def _checked(seq: int) -> bytes:
    return checked_line({"seq": seq, "wall_us": time.time_ns() // 1000, "kind": "ok", "host": "a0", **FIELDS})


def _one_round(store: DatabaseStore, files: AnsibleRuns, offsets: dict[RunId, int], lags: list[float]) -> bool:
    """Follow every run once, as a tick does. Whether anything was new."""
    found = False
    for run, offset in offsets.items():
        read = files.read(run, offset=offset)
        if read.lines:
            with store.transaction() as books:
                books.runs.ingest(run, read.lines, offset=read.offset)
            now = time.time_ns() // 1000
            lags += [(now - one.wall_us) / 1e6 for one in read.lines]
            offsets[run], found = read.offset, True
    return found


def main(words: Sequence[str]) -> int:
    """Measure and print; 1 when the promise of docs/reliability.md is not kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.ingest", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--postgresql", action="store_true")
    asked = parser.parse_args(words)
    place = Path(tempfile.mkdtemp(prefix="kahn-ingest-"))
    try:
        url = postgresql_named("kahn_ingest") if asked.postgresql else f"sqlite:///{place}/kahn.sqlite"
        store, runs = prepared(url)
        raw = rate_of(asked.events, by_the_driver_alone(url, runs[0]))
        ours = rate_of(asked.events, through_kahn(store, runs[1]))
        middle, longest = lag(store, runs[2:], place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    name = "PostgreSQL" if asked.postgresql else "SQLite"
    print(f"{name}: the database alone {raw:,.0f} events/s; taken in by Kahn {ours:,.0f} events/s ({ours / raw:.0%})")
    print(f"at {RATE} events/s in {len(runs) - 2} runs: lag {middle:.2f} s in the middle, {longest:.2f} s at most")
    return int(ours < RATE or longest > 1.0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

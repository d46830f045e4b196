"""Databases as a move sees them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.playbooks.modules import cause, shared

sqlite = shared("kahn_sqlite")
LEAVE_A_LOG = (
    "import os,sqlite3,sys; d=sqlite3.connect(sys.argv[1]); d.execute('pragma journal_mode=wal');"
    "d.execute('insert into one values (5, 5)'); d.commit(); os._exit(0)"
)


def a_database(path: Path, *rows: tuple[object, object]) -> Path:
    made = sqlite3.connect(path)
    made.execute("create table one(a integer primary key autoincrement, b)")
    with made:
        made.executemany("insert into one values (?, ?)", rows)
    made.close()
    return path


def test_the_order_of_rows_does_not_count_and_any_value_does(tmp_path: Path) -> None:
    rows = [(1, "ä"), (2, b"\xff\x00"), (3, 1.5), (4, None)]
    one, other = a_database(tmp_path / "one", *rows), a_database(tmp_path / "two", *reversed(rows))
    assert sqlite.fingerprint(str(one)) == sqlite.fingerprint(str(other))
    third = a_database(tmp_path / "three", *rows[:3], (4, ""))
    assert sqlite.fingerprint(str(third))["tables"]["one"] != sqlite.fingerprint(str(one))["tables"]["one"]


def test_a_sequence_that_lags_behind_is_a_difference(tmp_path: Path) -> None:
    one, other = a_database(tmp_path / "one", (1, 1), (2, 2)), a_database(tmp_path / "two", (1, 1))
    made = sqlite3.connect(other)
    with made:
        made.execute("insert into one(b) values (2)")
        made.execute("update sqlite_sequence set seq = 1")
    made.close()
    first, second = sqlite.fingerprint(str(one))["tables"], sqlite.fingerprint(str(other))["tables"]
    assert first["one"] == second["one"] and first["sqlite_sequence"] != second["sqlite_sequence"]


def test_what_a_killed_program_left_in_the_log_is_taken_in_and_counted(tmp_path: Path) -> None:
    one = a_database(tmp_path / "one", (1, 1))
    subprocess.run([sys.executable, "-c", LEAVE_A_LOG, str(one)], check=True)
    assert os.path.getsize(f"{one}-wal") > 0
    assert sqlite.settle(str(one)) and not sqlite.settle(str(one))
    assert sqlite.fingerprint(str(one))["tables"]["one"][0] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one"]


def test_looking_leaves_nothing_behind_and_names_with_odd_letters_are_found(tmp_path: Path) -> None:
    one = a_database(tmp_path / "ein ? und % und #.db", (1, 1))
    in_wal = sqlite3.connect(one)
    in_wal.execute("pragma journal_mode=wal")
    in_wal.close()
    sqlite.check(str(one))
    assert sqlite.fingerprint(str(one))["tables"]["one"][0] == 1 and len(list(tmp_path.iterdir())) == 1


def test_a_damaged_file_and_a_database_in_use_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.1)
    (tmp_path / "no").write_bytes(b"SQLite format 3\0" + b"x" * 4000)
    assert cause(sqlite.check, str(tmp_path / "no")) == "database_damaged"
    one = a_database(tmp_path / "one", (1, 1))
    busy = sqlite3.connect(one, isolation_level=None)
    busy.execute("pragma journal_mode=wal")
    busy.execute("begin immediate")
    busy.execute("insert into one values (7, 7)")
    busy.execute("commit")
    busy.execute("begin immediate")
    assert cause(sqlite.settle, str(one)) == "database_in_use"
    busy.close()

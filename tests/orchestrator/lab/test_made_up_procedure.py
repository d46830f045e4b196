"""The made-up procedure: what it is filled with, and that its rows are seen without touching it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

from orchestrator.core.procedures import ProcedureSettings
from orchestrator.lab.made_up_procedure import DATABASE_SEEN, procedure_settings, procedure_specs


def seen(path: Path) -> dict[str, object]:
    """What the looking program tells of a database."""
    told = subprocess.run([sys.executable, "-c", DATABASE_SEEN, str(path)], capture_output=True, check=True)
    return dict(json.loads(told.stdout))


def test_rows_are_told_whatever_their_order_also_those_not_yet_in_the_file_itself(tmp_path: Path) -> None:
    one, other = tmp_path / "one.db", tmp_path / "other.db"
    kept = []
    for path, rows in ((one, (1, 2)), (other, (2, 1))):
        database = sqlite3.connect(path)
        database.execute("pragma journal_mode=wal")
        database.execute("create table t(a)")
        database.executemany("insert into t values (?)", [(row,) for row in rows])
        database.commit()
        kept.append(database)  # open: the rows lie in the file beside it
    before = one.read_bytes()
    told = seen(one)
    assert told == seen(other) and told["table t"][0] == 2  # type: ignore[index]
    assert one.read_bytes() == before
    kept[0].execute("update t set a = 3 where a = 2")
    kept[0].commit()
    assert seen(one) != told
    for database in kept:
        database.close()
    assert seen(tmp_path / "none.db") == {} and not (tmp_path / "none.db").exists()


def test_it_is_described_as_a_policy_would_and_has_a_host_for_every_part() -> None:
    assert isinstance(procedure_settings(), ProcedureSettings)
    assert {one.name: one.init for one in procedure_specs()} == {
        "gate": "sshd",
        "alt-0001": "systemd",
        "rz-0001": "systemd",
        "kasse": "sshd",
    }
    (partner,) = procedure_settings().points_here
    assert partner.machine in {one.name for one in procedure_specs()}

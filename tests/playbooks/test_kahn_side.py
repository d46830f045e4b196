"""One of the two servers: what is refused before anything is touched, and addresses in configurations."""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import cause, shared
from tests.playbooks.procedures import CONFIGURATION, DATA, DATABASE, JOB, fill, settings

sides = shared("kahn_side")


def a_side(place: Path, part: str, **changed: Any) -> Any:
    root = place / part
    for name in ("etc/cron.d", "var/lib", "srv"):
        (root / name).mkdir(parents=True, exist_ok=True)
    flag = root / "flag"
    service = {"start": ["touch", str(flag)], "stop": ["rm", str(flag)], "running": ["test", "-e", str(flag)]}
    words = {
        "asset": "srv-1",
        "part": part,
        "root": str(root),
        "settings": settings(**{"port": 1, **service, **changed}),
    }
    return sides.Side(words)


@pytest.fixture
def old(tmp_path: Path) -> Any:
    side = a_side(tmp_path, "source")
    root = Path(side.root)
    fill(root, rows=10, documents=2)
    (root / CONFIGURATION.lstrip("/")).write_text("address=10.0.0.1\n")
    (root / JOB.lstrip("/")).write_text("* * * * * root true\n")
    (root / "flag").touch()
    return side


def test_a_fit_server_says_what_there_is_to_carry(old: Any) -> None:
    found = old.survey(None, now=time.time())
    assert found["entries"] == 13 and 0 < found["bytes"] < 1024 * 1024 and found["account"] is None


def test_each_unfit_server_has_its_own_cause(old: Any, tmp_path: Path) -> None:
    now, root = time.time(), Path(old.root)
    assert cause(lambda: old.survey(None, now=now - 3600)) == "clock_wrong"
    (root / "flag").unlink()
    assert cause(lambda: old.survey(None, now=now)) == "service_not_running"
    (root / JOB.lstrip("/")).unlink()
    (root / "flag").touch()
    assert cause(lambda: old.survey(None, now=now)) == "job_missing"
    (root / DATABASE.lstrip("/")).write_bytes(b"SQLite format 3\0" + b"x" * 9000)
    assert cause(lambda: old.survey(None, now=now)) == "database_damaged"
    (root / CONFIGURATION.lstrip("/")).unlink()
    assert cause(lambda: old.survey(None, now=now)) == "path_missing"


def test_an_old_server_without_room_for_the_way_back_is_refused_before_anything_moves(
    old: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old.servers, "way_back", lambda found: [(old.root, 2**60)])
    assert cause(lambda: old.survey(None, now=time.time())) == "not_enough_space"


def test_a_new_server_that_has_something_there_or_no_room_is_refused(tmp_path: Path) -> None:
    new, now = a_side(tmp_path, "target"), time.time()
    assert new.fit(None, now=now, need={"bytes": 5, "entries": 1}, servers={}) == {}
    assert cause(lambda: new.fit(None, now=now, need={"bytes": 2**60, "entries": 1}, servers={})) == "not_enough_space"
    (Path(new.root) / DATA.lstrip("/")).mkdir()
    assert cause(lambda: new.fit(None, now=now, need={"bytes": 5, "entries": 1}, servers={})) == "target_not_empty"


def test_both_sides_look_at_contents_or_neither_however_many_holes_each_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "ALL_CONTENTS", 1 << 20)
    found = []
    for part, holes in (("source", False), ("target", True)):
        side = a_side(tmp_path, part, databases=[])
        place = Path(side.root) / DATA.lstrip("/") / "store"
        place.parent.mkdir(parents=True)
        with place.open("wb") as out:
            out.truncate(2 << 20) if holes else out.write(bytes(2 << 20))
        for one in (place, place.parent):
            os.utime(one, (1_700_000_000, 1_700_000_000))
        found.append(side.prints(None)["files"])
    assert found[0] == found[1]


def test_a_database_that_somebody_else_has_open_keeps_the_barrier_from_closing(
    old: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "QUIET_S", 0.2)
    reader = sqlite3.connect(Path(old.root) / DATABASE.lstrip("/"))
    reader.execute("select count(*) from payment").fetchone()
    pid = os.getpid()
    monkeypatch.setattr(sides.service.os, "getpid", lambda: -1)
    with pytest.raises(sides.Trouble) as found:
        old.fence(None)
    assert found.value.cause == "database_in_use" and any(f"({pid})" in one for one in found.value.facts["programs"])
    reader.close()
    assert old.fence(None) == {"enabled": False, "limits": {}} and old.look(None) == {
        "runs": False,
        "fenced": True,
        "brought": False,
    }
    old.open(None)
    assert old.look(None)["runs"] and not old.look(None)["fenced"] and (Path(old.root) / JOB.lstrip("/")).exists()


def test_interfaces_that_do_not_answer_from_here_are_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        open_one = f"127.0.0.1:{listening.getsockname()[1]}"
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as sixth:
            places = [open_one, f"[::1]:{sixth.getsockname()[1]}", "127.0.0.1:1", "kein-rechner.invalid:25"]
            side = a_side(tmp_path, "target", reaches=places)
            assert side.reach(None) == {"silent": ["127.0.0.1:1", "kein-rechner.invalid:25"]}


def test_what_somebody_put_among_the_copies_stops_their_removal_before_it_begins(tmp_path: Path) -> None:
    new = a_side(tmp_path, "target", jobs=[])
    root = Path(new.root)
    sides.service.note(new.store, tops=new.tops, made=[])
    (root / DATA.lstrip("/")).mkdir()
    (root / DATA.lstrip("/") / "one").write_text("brought")
    new.agree(None, gave=False)
    (root / DATA.lstrip("/") / "mine").write_text("not brought")
    assert cause(new.remove, None) == "foreign_files" and (root / DATA.lstrip("/") / "one").exists()
    (root / DATA.lstrip("/") / "mine").unlink()
    new.remove(None)
    assert not (root / DATA.lstrip("/")).exists() and os.listdir(new.store) == []

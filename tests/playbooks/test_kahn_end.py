"""What both ends of a move share: room, clock, and new addresses in files that were brought."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.playbooks.modules import cause, shared

ends = shared("kahn_end")


@pytest.fixture
def end(tmp_path: Path) -> object:
    (tmp_path / "var/lib").mkdir(parents=True)
    return ends.End({"asset": "srv-1", "part": "target", "root": str(tmp_path)})


def test_a_file_gets_the_new_address_and_keeps_its_looks(end: object, tmp_path: Path) -> None:
    path = tmp_path / "app.conf"
    path.write_text("listen 192.0.2.1:80 not 192.0.2.10\n")
    path.chmod(0o640)
    os.utime(path, ns=(5, 5))
    (tmp_path / "app.conf.kahn-new-").write_text("of a program that was killed")
    pairs = [("192.0.2.1", "192.0.2.99")]
    assert end.readdressed(["/app.conf"], pairs) == 1  # type: ignore[attr-defined]
    assert path.read_text() == "listen 192.0.2.99:80 not 192.0.2.10\n"
    assert (path.stat().st_mode & 0o777, path.stat().st_mtime_ns) == (0o640, 5)
    assert end.readdressed(["/app.conf"], pairs) == 0 and len(list(tmp_path.glob("app*"))) == 1  # type: ignore[attr-defined]


def test_a_link_is_no_file_that_is_written_to(end: object, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("192.0.2.1")
    (tmp_path / "link").symlink_to("secret")
    assert end.readdressed(["link"], [("192.0.2.1", "192.0.2.99")]) == 0  # type: ignore[attr-defined]
    assert (tmp_path / "link").is_symlink() and (tmp_path / "secret").read_text() == "192.0.2.1"


@pytest.mark.parametrize("skew", [-31_536_000, -301, 301, 31_536_000])
def test_a_clock_that_is_off_is_the_cause(skew: int) -> None:
    assert cause(ends.fit_itself, time.time() + skew) == "clock_wrong"
    ends.fit_itself(time.time() + skew / abs(skew) * 200)


def test_room_is_looked_for_where_the_folder_will_be(tmp_path: Path) -> None:
    ends.room(str(tmp_path / "not/yet"), {"bytes": 1, "entries": 1})
    assert cause(ends.room, str(tmp_path / "not/yet"), {"bytes": 1 << 60, "entries": 1}) == "not_enough_space"
    assert cause(ends.room, "/proc/1", {"bytes": 1, "entries": 1}) in ("read_only", "not_enough_space")

"""Locking logins: only our own lock is taken away."""

from __future__ import annotations

from pathlib import Path

from tests.playbooks.modules import cause, module

lock = module("kahn_lock")


def test_locking_twice_and_unlocking_leaves_nothing(tmp_path: Path) -> None:
    path, base = str(tmp_path / "nologin"), str(tmp_path / "s")
    assert cause(lock.check, path) == "not_locked"
    assert [lock.lock("a1", path, base)[0], lock.lock("a1", path, base)[0]] == [True, False]
    assert lock.check(path)[1] == {"locked": True}
    assert [lock.unlock("a1", path, base)[0], lock.unlock("a1", path, base)[0]] == [True, False]
    assert not Path(path).exists()


def test_a_lock_that_somebody_else_wrote_in_place_of_ours_stays(tmp_path: Path) -> None:
    path, base = tmp_path / "nologin", str(tmp_path / "s")
    lock.lock("a1", str(path), base)
    path.write_text("maintenance")
    lock.unlock("a1", str(path), base)
    assert path.read_text() == "maintenance"


def test_a_lock_of_somebody_else_stays_exactly_as_it_was(tmp_path: Path) -> None:
    path, base = tmp_path / "nologin", str(tmp_path / "s")
    path.write_text("maintenance")
    before = path.stat().st_mtime_ns
    lock.lock("a1", str(path), base)
    lock.unlock("a1", str(path), base)
    assert (path.read_text(), path.stat().st_mtime_ns) == ("maintenance", before)


def test_who_logged_on_meanwhile_is_not_thrown_out_and_the_lock_is_taken_off_again(tmp_path: Path) -> None:
    path, base = tmp_path / "nologin", str(tmp_path / "s")
    there = [{"uid": 1001, "since": 0, "on": "tty2"}]
    assert cause(lock.lock_out_nobody, "a1", str(path), base, lambda: there) == "source_busy"
    assert not path.exists() and not (tmp_path / "s/a1/lock").exists()
    assert cause(lock.lock_out_nobody, "a1", str(path), base, list) == "" and path.exists()

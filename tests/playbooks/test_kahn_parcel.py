"""What changed since both sides were equal."""

from __future__ import annotations

import os
from pathlib import Path

from tests.playbooks.modules import shared

parcel = shared("kahn_parcel")


def a_ground(root: Path) -> object:
    return parcel.Ground(str(root), ["srv/a", "etc/a.conf"], ["srv/a", "etc/a.conf"], frozenset({"srv/a/skipped"}))


def a_root(place: Path) -> Path:
    (place / "root/srv/a/docs").mkdir(parents=True)
    (place / "root/etc").mkdir()
    (place / "store").mkdir()
    for name in ("srv/a/docs/one", "srv/a/docs/two", "etc/a.conf", "srv/a/skipped"):
        (place / "root" / name).write_text(name)
    return place / "root"


def seen(place: Path) -> tuple[list[str], list[str]]:
    _, changed, gone = parcel.changes(str(place / "store"), a_ground(place / "root"))
    return changed, gone


def test_at_first_everything_is_new_and_after_an_agreement_nothing_is(tmp_path: Path) -> None:
    root = a_root(tmp_path)
    assert seen(tmp_path) == (["srv/a", "srv/a/docs", "srv/a/docs/one", "srv/a/docs/two", "etc/a.conf"], [])
    parcel.agree(
        str(tmp_path / "store"), str(root), ["srv/a", "etc/a.conf"], gave=False, skip=frozenset({"srv/a/skipped"})
    )
    assert seen(tmp_path) == ([], [])


def test_a_change_that_keeps_size_and_time_is_seen_and_so_is_what_vanished(tmp_path: Path) -> None:
    root = a_root(tmp_path)
    parcel.agree(str(tmp_path / "store"), str(root), ["srv/a", "etc/a.conf"], gave=False)
    one, two = root / "srv/a/docs/one", root / "srv/a/docs/two"
    stamp = one.stat().st_mtime_ns
    one.write_text("X" + one.read_text()[1:])
    os.utime(one, ns=(stamp, stamp))
    two.unlink()
    two.mkdir()
    changed, gone = seen(tmp_path)
    assert "srv/a/docs/one" in changed and "srv/a/docs/two" in changed and gone[0] == "srv/a/docs/two"


def test_holes_are_not_read_and_the_digest_does_not_depend_on_them(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "two"
    with one.open("wb") as opened:
        opened.truncate(2**40)
        opened.seek(2**39 + 7)
        opened.write(b"hier")
    assert parcel.digest_of(str(one)) != parcel.digest_of(str(_copied(one, other, shift=1)))
    assert parcel.digest_of(str(one)) == parcel.digest_of(str(_copied(one, other, shift=0)))


def _copied(one: Path, other: Path, *, shift: int) -> Path:
    with other.open("wb") as opened:
        opened.truncate(one.stat().st_size)
        opened.seek(2**39 + 7 - 4096)
        opened.write(bytes(4096 + shift) + b"hier")
    return other


def test_the_digest_of_a_tree_follows_owners_modes_and_times_of_files_only(tmp_path: Path) -> None:
    root = a_root(tmp_path)
    before = parcel.digest(str(root), ["srv/a"])
    os.utime(root / "srv/a/docs", (1, 1))
    assert parcel.digest(str(root), ["srv/a"]) == before
    (root / "srv/a/docs/one").chmod(0o600)
    assert parcel.digest(str(root), ["srv/a"], contents=False) != before

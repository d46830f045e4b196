"""What lay on the new host is put back exactly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.playbooks.modules import cause, shared
from tests.playbooks.two_hosts import tree

before = shared("kahn_before")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    (made / "srv/tief").mkdir(parents=True)
    (made / "srv/a").write_text("a")
    os.utime(made / "srv/a", ns=(1, 1))
    (made / "srv/l").symlink_to("a")
    (tmp_path / "store").mkdir()
    return made


def test_replaced_removed_and_new_names_are_all_as_before(root: Path, tmp_path: Path) -> None:
    was = tree(root)
    notes = before.Before(str(tmp_path / "store"), str(root))
    assert not notes.begun
    notes.begin(["srv"])
    for path in ("srv", "srv/a", "srv/l", "srv/neu", "srv/tief", "srv/tief/neu"):
        notes.note(path)
        notes.note(path)
    notes.settle()
    os.replace(_new(root / "srv/.part"), root / "srv/a")
    (root / "srv/l").unlink()
    for one in ("srv/neu", "srv/tief/neu"):
        (root / one).mkdir()
    (root / "srv/neu/of a service").touch()
    (root / "srv").chmod(0o700)
    again = before.Before(str(tmp_path / "store"), str(root))
    assert cause(again.restore, {"srv/neu"}) == "foreign_files"
    again.restore({"srv/neu/of a service"})
    assert tree(root) == was and not again.begun
    again.restore(None)


def _new(path: Path) -> Path:
    path.write_text("other")
    return path


def test_a_note_that_was_cut_off_by_a_kill_does_not_matter(root: Path, tmp_path: Path) -> None:
    was = tree(root)
    notes = before.Before(str(tmp_path / "store"), str(root))
    notes.begin(["srv"])
    notes.note("srv/a")
    notes.settle()
    with open(tmp_path / "store/before/book", "ab") as book:
        book.write(b'{"p": "srv/l", "t"')
    again = before.Before(str(tmp_path / "store"), str(root))
    again.note("srv/a")
    again.note("srv/l")
    again.settle()
    (root / "srv/l").unlink()
    before.Before(str(tmp_path / "store"), str(root)).restore(None)
    assert tree(root) == was


def test_a_book_that_outlived_its_undo_is_never_believed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while the notes are taken away, whatever of them goes first."""
    notes = before.Before(str(tmp_path / "store"), str(root))
    notes.begin(["srv"])
    notes.note("srv/a")
    notes.settle()
    with monkeypatch.context() as dying:
        dying.setattr(before.shutil, "rmtree", lambda place, **_: place.endswith("gone") and 1 / 0 if not _ else None)
        with pytest.raises(ZeroDivisionError):
            notes.restore(None)
    (root / "srv/a").write_text("changed by its owner")
    again = before.Before(str(tmp_path / "store"), str(root))
    again.begin(["srv"])
    again.note("srv/a")
    again.settle()
    os.replace(_new(root / "srv/.part"), root / "srv/a")
    before.Before(str(tmp_path / "store"), str(root)).restore(None)
    assert (root / "srv/a").read_text() == "changed by its owner"


def test_no_link_that_was_sent_leads_notes_or_undo_out_of_the_root(root: Path, tmp_path: Path) -> None:
    """An old host in somebody else's hands puts a link where a folder was, and then names what lies behind it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "shadow").write_text("secret")
    (root / "srv/tief/a").write_text("a")
    was = tree(root)
    notes = before.Before(str(tmp_path / "store"), str(root))
    notes.begin(["srv"])
    for path in ("srv/tief/a", "srv/tief", "srv/l"):
        notes.note(path)
    (root / "srv/tief/a").unlink()
    (root / "srv/tief").rmdir()
    (root / "srv/tief").symlink_to(outside)
    for path in ("srv/tief/shadow", "srv/tief/new/deep"):
        notes.note(path)
    notes.settle()
    (root / "srv/l").unlink()
    (root / "srv/l/brought").mkdir(parents=True)
    (outside / "shadow").write_text("changed by its owner")
    before.Before(str(tmp_path / "store"), str(root)).restore(None)
    assert tree(root) == was and (outside / "shadow").read_text() == "changed by its owner"


def test_what_is_put_aside_is_gone_and_comes_back(root: Path, tmp_path: Path) -> None:
    (root / "srv/tief/a").write_text("a")
    (root / "srv/tief").chmod(0o750)
    was = tree(root)
    for _again in range(2):  # as after a kill
        notes = before.Before(str(tmp_path / "store"), str(root))
        notes.begin(["srv"])
        notes.put_aside(["srv/tief", "srv/tief/a", "srv/l"])
        assert sorted(one.name for one in (root / "srv").iterdir()) == ["a"] and notes.own() == {"srv", "srv/a"}
    before.Before(str(tmp_path / "store"), str(root)).restore(None)
    assert tree(root) == was

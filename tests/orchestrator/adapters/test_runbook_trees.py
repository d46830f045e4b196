"""The digest of everything a runbook may use, and its frozen copy."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from orchestrator.adapters.runbook_trees import (
    RunbookChanged,
    Tree,
    TreeDamaged,
    TreeWatch,
    freeze_runbook,
    freeze_tree,
    tree_is_there,
    verify_tree,
)
from orchestrator.adapters.runbooks import load_runbook
from tests.orchestrator.adapters.test_runbooks import PLAY, TEXT


class Shelf:
    """A runbook's folder and what all runbooks share."""

    def __init__(self, top: Path) -> None:
        self.folder, self.shared, self.trees = top / "try-out", top / "shared", top / "trees"
        self.folder.mkdir()
        (self.folder / "runbook.yml").write_text(TEXT)
        (self.folder / "take.yml").write_text(PLAY)
        (self.shared / "library").mkdir(parents=True)
        (self.shared / "library/one.py").write_text("print(1)\n")

    @property
    def digest(self) -> str:
        return Tree.of(self.folder, shared=self.shared).digest

    def freeze(self) -> Path:
        return freeze_tree(self.folder, self.trees, shared=self.shared)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.mark.parametrize("path", ["try-out/take.yml", "shared/library/one.py"])
def test_one_changed_byte_anywhere_is_another_tree(shelf: Shelf, path: str) -> None:
    before, file = shelf.digest, shelf.folder.parent / path
    file.write_text(file.read_text() + "# x\n")
    assert shelf.digest != before


def test_a_renamed_an_added_and_an_executable_file_are_another_tree(shelf: Shelf) -> None:
    digests = [shelf.digest]
    (shelf.folder / "take.yml").rename(shelf.folder / "took.yml")
    digests.append(shelf.digest)
    (shelf.folder / "more.yml").touch()
    digests.append(shelf.digest)
    (shelf.folder / "more.yml").chmod(0o755)
    assert len({*digests, shelf.digest}) == 4


def test_caches_and_the_umask_make_no_difference(shelf: Shelf) -> None:
    before = shelf.digest
    (shelf.shared / "library/__pycache__").mkdir()
    (shelf.shared / "library/__pycache__/one.pyc").write_bytes(b"x")
    (shelf.folder / "take.yml").chmod(0o600)
    assert shelf.digest == before


def test_a_frozen_tree_is_read_only_whole_and_named_by_its_digest(shelf: Shelf) -> None:
    place = shelf.freeze()
    assert place.name == shelf.digest
    assert (place / "try-out/take.yml").read_text() == PLAY and (place / "library/one.py").exists()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in [place, *place.rglob("*")]]
    assert not any(mode & 0o222 for mode in modes)


def test_freezing_twice_verifies_and_leaves_nothing_else(shelf: Shelf) -> None:
    assert shelf.freeze() == shelf.freeze()
    assert len(os.listdir(shelf.trees)) == 1


def test_a_frozen_tree_that_was_edited_is_found_out(shelf: Shelf) -> None:
    place = shelf.freeze()
    (place / "try-out/take.yml").chmod(0o644)
    (place / "try-out/take.yml").write_text(PLAY + "# now with a shell\n")
    with pytest.raises(TreeDamaged):
        shelf.freeze()


@pytest.mark.parametrize("name", ["library/two.py", "library/__pycache__/one.cpython-311.pyc", "stray"])
def test_a_file_that_was_added_to_a_frozen_tree_is_found_out(shelf: Shelf, name: str) -> None:
    place = shelf.freeze()
    for directory in (place, place / "library"):
        directory.chmod(0o755)
    (place / name).parent.mkdir(exist_ok=True)
    (place / name).write_text("x")
    with pytest.raises(TreeDamaged):
        verify_tree(place)


def test_what_was_proposed_is_what_is_frozen(shelf: Shelf) -> None:
    runbook = load_runbook(shelf.folder, shared=shelf.shared)
    assert not tree_is_there(runbook, shelf.trees)
    (shelf.folder / "take.yml").write_text(PLAY + "# later\n")
    with pytest.raises(RunbookChanged):
        freeze_runbook(runbook, shelf.folder, shelf.trees, shared=shelf.shared)
    assert not tree_is_there(runbook, shelf.trees)


def test_a_runbook_edited_after_it_was_frozen_still_runs_as_approved(shelf: Shelf) -> None:
    runbook = load_runbook(shelf.folder, shared=shelf.shared)
    place = freeze_runbook(runbook, shelf.folder, shelf.trees, shared=shelf.shared)
    (shelf.folder / "take.yml").write_text(PLAY + "# later\n")
    assert freeze_runbook(runbook, shelf.folder, shelf.trees, shared=shelf.shared) == place
    assert tree_is_there(runbook, shelf.trees)


def test_a_watched_tree_tells_each_change_once_whatever_it_is(shelf: Shelf) -> None:
    place = shelf.freeze()
    watch = TreeWatch(place)
    assert watch.changes() == ()
    for folder in (place, place / "library"):
        folder.chmod(0o755)
    (place / "library/__pycache__").mkdir()
    (place / "library/__pycache__/one.pyc").write_bytes(b"x")
    (place / "library/one.py").chmod(0o644)
    (place / "library/one.py").write_text("print(2)\n")
    assert watch.changes() == (
        "library/__pycache__ (added)", "library/__pycache__/one.pyc (added)", "library/one.py (changed)",
    )  # fmt: skip
    assert watch.changes() == ()
    (place / "library/one.py").unlink()
    assert watch.changes() == ("library/one.py (gone)",)

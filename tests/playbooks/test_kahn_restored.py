"""Taking restored files away: those, and only those; new work is never lost."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from tests.playbooks.modules import Trouble, cause, module, shared, tar_of, unpacker, write_manifest
from tests.playbooks.test_kahn_unpack import a_dir, a_file

restored = module("kahn_restored")


@pytest.fixture
def successor(tmp_path: Path) -> Path:
    """A home with anna's two restored files, and what bernd had there before."""
    home, store = tmp_path / "home", tmp_path / "a1"
    (home / "bernd").mkdir(parents=True)
    (home / "bernd/own").write_text("mine")
    records = [a_dir("anna"), a_file("anna/a", b"aa"), a_dir("anna/d"), a_file("anna/d/b", b"bb")]
    archive = tar_of({"anna/a": b"aa", "anna/d/b": b"bb"})
    digest = hashlib.sha256(archive).hexdigest()
    unpacker.unpack(io.BytesIO(archive), str(store), str(home), write_manifest(store, records), digest)
    return tmp_path


def undo(top: Path) -> dict[str, object]:
    found: dict[str, object] = restored.take_away("a1", str(top / "home"), str(top))[1]
    return found


def test_only_what_was_restored_goes_and_a_second_time_nothing(successor: Path) -> None:
    assert undo(successor) == {"removed": 4, "kept": []}
    assert os.listdir(successor / "home") == ["bernd"] and os.listdir(successor / "a1") == []
    assert undo(successor) == {"removed": 0, "kept": []}


def test_a_foreign_file_stops_the_undo_before_it_touches_anything(successor: Path) -> None:
    (successor / "home/anna/d/new").write_text("my work")
    with pytest.raises(Trouble) as trouble:
        undo(successor)
    assert trouble.value.cause == "foreign_files" and trouble.value.facts["names"] == ["anna/d/new"]
    assert (successor / "home/anna/a").exists() and (successor / "a1/restored").exists()


def test_a_restored_file_that_was_changed_is_set_aside(successor: Path) -> None:
    (successor / "home/anna/d/b").write_text("my longer work")
    assert undo(successor) == {"removed": 3, "kept": ["anna/d/b"]}
    assert (successor / "home/.kahn-kept/a1/anna%d%b").read_text() == "my longer work"
    assert not (successor / "home/anna").exists()


def test_a_link_in_the_place_of_a_restored_directory_leads_nowhere(successor: Path) -> None:
    (successor / "home/anna/d/b").unlink()
    (successor / "home/anna/d").rmdir()
    (successor / "home/anna/d").symlink_to(successor / "home/bernd")
    (successor / "home/bernd/b").write_text("bb")
    undo(successor)
    assert (successor / "home/bernd/b").read_text() == "bb"


def test_a_manifest_that_was_swapped_removes_nothing(successor: Path) -> None:
    write_manifest(successor / "a1", [a_dir("bernd"), a_file("bernd/own", b"mine")])
    with pytest.raises(Trouble) as trouble:
        undo(successor)
    assert trouble.value.cause == "manifest_damaged"
    assert (successor / "home/bernd/own").exists()


def test_what_arrived_of_a_file_that_broke_off_is_taken_away_and_only_that(successor: Path) -> None:
    home = shared("kahn_home")
    (successor / "home" / home.part_of("anna/d/b")).write_text("half")
    (successor / "home/bernd" / (home.PART + "0" * 16)).write_text("his own")
    assert undo(successor) == {"removed": 4, "kept": []}
    assert os.listdir(successor / "home") == ["bernd"] and len(os.listdir(successor / "home/bernd")) == 2


def test_a_folder_under_the_name_of_a_part_is_foreign(successor: Path) -> None:
    (successor / "home" / shared("kahn_home").part_of("anna/d/b")).mkdir()
    assert cause(undo, successor) == "foreign_files" and (successor / "home/anna/a").exists()

"""Directory locks without lock files, mount points with odd names, tools that fail."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from orchestrator.lab.errors import LabToolFailed
from orchestrator.lab.kernel import locked_directory, mount, mount_points_below, run, unmount
from orchestrator.lab.possible import what_lacks


def test_only_one_holds_a_directory_even_if_the_holder_removes_it(tmp_path: Path) -> None:
    place, inside, most = tmp_path / "a" / "b", [], []

    def hold() -> None:
        for _ in range(50):
            with locked_directory(place):
                inside.append(1)
                most.append(len(inside))
                inside.pop()
                place.rmdir()

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(most) == 200


def test_a_missing_directory_is_not_made_where_that_is_not_wished(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked_directory(tmp_path / "none", create=False):
        pass
    assert not (tmp_path / "none").exists()


def test_a_failing_tool_is_named_with_its_own_words() -> None:
    with pytest.raises(LabToolFailed, match="LAB-004: sh failed: no such luck"):
        run("sh", "-c", "echo no such luck >&2; exit 3")
    with pytest.raises(LabToolFailed, match="not installed"):
        run("kahn-no-such-tool")
    assert run("sh", "-c", "echo out; exit 3", allow_failure=True) == "out\n"


@pytest.mark.lab
def test_mount_points_are_found_deepest_first_whatever_their_names(tmp_path: Path) -> None:
    if what_lacks():
        pytest.skip("mounting needs root")
    outer = tmp_path / "Ämter & Höfe\ttab"
    outer.mkdir()
    mount("tmpfs", outer)
    inner = outer / "in ner"
    inner.mkdir()
    mount("tmpfs", inner)
    assert mount_points_below(tmp_path) == (inner, outer)
    assert mount_points_below(tmp_path / "Ämter") == ()
    unmount(inner)
    unmount(outer)
    assert mount_points_below(tmp_path) == ()

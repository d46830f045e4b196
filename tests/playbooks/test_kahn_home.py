"""Files that arrive in users' homes: beside their place, never into what somebody else put there, with their holes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playbooks.modules import shared

home = shared("kahn_home")


@given(st.lists(st.text("ab\u00e4\udcff.", min_size=1, max_size=5), min_size=1, max_size=3))
def test_a_part_lies_beside_its_file_and_has_no_other_files_name(words: list[str]) -> None:
    path = "/".join(words)
    part = home.part_of(path)
    second = home.part_of(path, {part})
    assert part.rpartition("/")[0] == second.rpartition("/")[0] == path.rpartition("/")[0]
    assert len({path, part, second}) == 3 and home.part_of(path) == part


@pytest.mark.parametrize("kind", ["link", "second name", "folder", "pipe", "nothing"])
def test_what_is_no_part_of_ours_is_not_written_to(tmp_path: Path, kind: str) -> None:
    (tmp_path / "other").write_text("theirs")
    {
        "link": lambda: (tmp_path / "part").symlink_to("other"),
        "second name": lambda: os.link(tmp_path / "other", tmp_path / "part"),
        "folder": lambda: (tmp_path / "part").mkdir(),
        "pipe": lambda: os.mkfifo(tmp_path / "part"),
        "nothing": lambda: None,
    }[kind]()
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        assert home.opened_part(directory, b"part") is None
    finally:
        os.close(directory)


pieces = st.lists(st.sampled_from([b"\0" * 4096, b"x" * 4096, b"\0" * 100, b"y" * 100, b"\0" * 9000]), max_size=9)


@given(pieces, st.integers(0, 3))
def test_what_is_written_with_holes_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, told: list[bytes], at: int
) -> None:
    piece, opened = b"".join(told), os.memfd_create("holes")
    try:
        home.write_at(opened, at * 4096, piece, holes=True)
        os.ftruncate(opened, at * 4096 + len(piece))
        assert os.pread(opened, len(piece) + 1, at * 4096) == piece
    finally:
        os.close(opened)


def test_zeros_between_contents_take_no_room(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as opened:
        home.write_at(opened.fileno(), 0, (b"x" * 4096 + bytes(60 * 1024)) * 16, holes=True)
    assert (tmp_path / "a").stat().st_blocks * 512 <= 20 * 4096

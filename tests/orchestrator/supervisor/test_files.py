"""Files of a run are plain files of this user, and their lines carry checksums."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.supervisor.files import (
    NotOurs,
    checked_line,
    exists,
    open_plain,
    opened_directory,
    parse_checked,
    read_plain,
    try_lock,
    whole_records,
    write_new,
)


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.text(max_size=20), st.integers(), st.none()), max_size=5))
def test_a_checked_line_is_one_line_and_reads_back_as_it_was(content: dict[str, object]) -> None:
    line = checked_line(content)
    assert line.count(b"\n") == 1 and line.isascii()
    assert {name: value for name, value in parse_checked(line[:-1]).items() if name != "crc32"} == {
        name: value for name, value in content.items() if name != "crc32"
    }


@pytest.mark.parametrize("line", [b"", b"{}", b'{"a":1}', b'{"a":1,"crc32":5}', b"\0" * 90, b'[1],"crc32":1}'])
def test_a_line_without_its_checksum_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="checksum"):
        parse_checked(line)


def test_records_end_before_the_first_that_is_not_whole() -> None:
    first, second = checked_line({"kind": "START"}), checked_line({"kind": "EXIT"})
    assert [one["kind"] for one in whole_records(first + b"{torn\n" + second)] == ["START"]
    assert [one["kind"] for one in whole_records(first + second[:-1])] == ["START"]


def test_links_pipes_and_directories_are_not_opened_as_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with opened_directory(tmp_path) as directory:
        for name in ("link", "pipe", "folder"):
            with pytest.raises((OSError, NotOurs)):
                read_plain(directory, name)
        assert (read_plain(directory, "file"), read_plain(directory, "missing")) == (b"x", b"")


def test_a_linked_directory_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    with pytest.raises(OSError, match="Not a directory"), opened_directory(tmp_path / "link"):
        pass


def test_a_new_file_is_written_once(tmp_path: Path) -> None:
    with opened_directory(tmp_path) as directory:
        write_new(directory, "a", b"x")
        assert exists(directory, "a") and not exists(directory, "b")
        with pytest.raises(FileExistsError):
            write_new(directory, "a", b"y")


def test_a_file_may_be_locked_by_one_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with opened_directory(tmp_path) as directory:
        first, second = (open_plain(directory, "lock", os.O_RDWR) for _ in range(2))
        assert [try_lock(first), try_lock(second), try_lock(second, within_s=0.1)] == [True, False, False]
        os.close(first)
        assert try_lock(second)
        os.close(second)

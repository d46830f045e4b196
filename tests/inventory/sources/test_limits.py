"""How much of a foreign file is taken."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from inventory.sources.limits import LOOK_BYTES, FileUnreadable, TooMuch, read_bytes, read_start
from tests.inventory.builders import a_file


def test_a_file_larger_than_the_limit_is_refused_whole(tmp_path: Path) -> None:
    path = a_file(tmp_path, b"x" * 11)
    assert read_bytes(path, limit=11) == b"x" * 11
    with pytest.raises(TooMuch):
        read_bytes(path, limit=10)


def test_what_is_no_ordinary_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "pipe", Path("/dev/zero"), Path("a\0b"), Path("x" * 300)):
        with pytest.raises(FileUnreadable):
            read_bytes(path)
        with pytest.raises(FileUnreadable):
            read_start(path)


def test_a_gzipped_file_is_unpacked_within_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"#separator"))
    assert (read_bytes(path), read_start(path)) == (b"#separator", b"#separator")
    path.write_bytes(gzip.compress(bytes(5_000_000)))
    assert len(read_start(path)) == LOOK_BYTES
    with pytest.raises(TooMuch):
        read_bytes(path, limit=1_000_000)


def test_a_damaged_gzip_file_is_an_expected_error(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"#separator" * 100)[:30])
    with pytest.raises(FileUnreadable):
        read_bytes(path)
    path.write_bytes(b"\x1f\x8bxxxxxxxxxxxxxxxx")
    with pytest.raises(FileUnreadable):
        read_start(path)

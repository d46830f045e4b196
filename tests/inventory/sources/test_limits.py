"""How much of a foreign file is taken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inventory.sources.limits import FileUnreadable, TooMuch, read_bytes, read_start
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

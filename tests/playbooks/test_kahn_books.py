"""The account files."""

from __future__ import annotations

from pathlib import Path

from tests.playbooks.modules import shared

books = shared("kahn_books")


def test_only_files_that_changed_are_written_and_keep_their_mode(tmp_path: Path) -> None:
    for name, mode in (("passwd", 0o644), ("shadow", 0o640)):
        (tmp_path / name).write_text("root:x:0:0::/root:/bin/sh\n# Kommentar\n")
        (tmp_path / name).chmod(mode)
    stamp = (tmp_path / "shadow").stat().st_mtime_ns
    found = books.Books(str(tmp_path))
    assert list(found.entries("passwd")) == ["root"] and found.entries("gshadow") == {}
    found.rows["passwd"].append(["amt", "x", "990", "990", "", "/", "/bin/false"])
    with books.locked(str(tmp_path)):
        assert found.write()
    assert (tmp_path / "passwd").read_text().splitlines()[1:] == ["# Kommentar", "amt:x:990:990::/:/bin/false"]
    assert ((tmp_path / "passwd").stat().st_mode & 0o777, (tmp_path / "shadow").stat().st_mtime_ns) == (0o644, stamp)

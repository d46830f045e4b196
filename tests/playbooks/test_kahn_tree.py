"""Records of a file tree: what counts, and what is said about differences."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.playbooks.modules import cause, tree


def records(top: Path, **words: object) -> list[dict[str, object]]:
    return list(tree.walk(str(top), **words))


def test_a_changed_byte_is_named_with_its_path_and_kind(tmp_path: Path) -> None:
    (tmp_path / "brief.txt").write_text("alt")
    before = records(tmp_path)
    os.utime(tmp_path / "brief.txt")
    stamp = (tmp_path / "brief.txt").stat().st_mtime_ns
    (tmp_path / "brief.txt").write_text("neu")
    os.utime(tmp_path / "brief.txt", ns=(stamp, stamp))
    said, count = tree.differences(before, records(tmp_path), 5)
    assert count == 1 and said[0].startswith("brief.txt: content")


def test_new_and_missing_entries_are_counted_beyond_the_limit(tmp_path: Path) -> None:
    before = records(tmp_path)
    for number in range(9):
        (tmp_path / f"n{number}").touch()
    said, count = tree.differences(before, records(tmp_path), 4)
    assert (len(said), count) == (4, 9)
    assert said[0] == "n0: new"


def test_names_with_control_direction_and_undecodable_characters_are_said_harmlessly(tmp_path: Path) -> None:
    for name in (b"a\nb", b"\x1b[2J", "\u202egpj.exe".encode(), b"\xff\xfe"):
        (Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))).touch()
    said, count = tree.differences([], records(tmp_path), 20)
    assert count == 4
    assert all(sentence.isprintable() and sentence.encode("utf-8") for sentence in said)


def test_undecodable_names_survive_the_way_through_a_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    Path(os.fsdecode(os.path.join(os.fsencode(home), b"\xff\xfe\n"))).touch()
    (tmp_path / "list").write_bytes(b"".join(map(tree.line_of, records(home))))
    assert tree.read_records(str(tmp_path / "list"))[0] == records(home)


def test_a_hard_link_is_told_apart_from_a_copy(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    os.link(tmp_path / "a", tmp_path / "b")
    assert [one.get("n") for one in records(tmp_path)] == [None, "a"]


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").symlink_to("/etc/shadow")
    (one,) = records(tmp_path)
    assert one["l"] == "/etc/shadow" and "h" not in one


def test_reading_leaves_access_times_alone(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("x")
    os.utime(file, ns=(10**9, 10**9))
    records(tmp_path)
    assert file.stat().st_atime_ns == 10**9


def test_set_id_bits_and_capabilities_are_not_carried() -> None:
    record = {"t": "f", "m": 0o6755, "x": {"security.capability": "AA==", "user.note": "AA=="}}
    assert tree.carried(record) == {"t": "f", "m": 0o755, "x": {"user.note": "AA=="}}


@pytest.mark.parametrize("text", ["", "{not json\n"])
def test_a_damaged_list_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "list").write_text(text)
    assert cause(tree.read_records, str(tmp_path / "list")) == ("manifest_damaged" if text else "")
    assert cause(tree.read_records, str(tmp_path / "none")) == "manifest_missing"


def test_very_deep_directories_do_not_break_the_walk(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(300):
        deep = deep / "d"
    deep.mkdir(parents=True)
    assert len(records(tmp_path)) == 300


def test_a_file_fills_its_length_without_its_holes_and_what_is_no_file_nothing(tmp_path: Path) -> None:
    with (tmp_path / "image").open("wb") as opened:
        opened.write(b"x" * 4096)
        opened.seek(2**31)
        opened.write(b"x" * 8192)
        opened.truncate(2**32)
    (tmp_path / "hole").touch()
    os.truncate(tmp_path / "hole", 2**32)
    (tmp_path / "small").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("image")
    found = {name: tree.filled(str(tmp_path / name)) for name in ("image", "hole", "small", "link", "none", ".")}
    assert found == {"image": 3 * 4096, "hole": 0, "small": 3, "link": 0, "none": 0, ".": 0}

"""What arrives is trusted in nothing but what was agreed on, and a stream that breaks off changes nothing."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, cause, shared

parcel, arrival = shared("kahn_parcel"), shared("kahn_arrival")
TOPS = ["srv/a"]


class Stream:
    """Frames as they come from the line."""

    def __init__(self, *frames: tuple[bytes, Any], ends: bool = True) -> None:
        self.frames, self.ends = frames, ends

    def arriving(self) -> Iterator[tuple[bytes, bytes]]:
        for kind, body in self.frames:
            yield kind, body if isinstance(body, bytes) else json.dumps(body).encode()
        if not self.ends:
            raise Trouble("giver_failed", "The other machine could not give everything.")


def a_record(path: str, kind: str = "f", **more: Any) -> tuple[bytes, Any]:
    size = {"s": 4, "base": False} if kind == "f" else {}
    return b"R", {
        "file": {"p": path, "t": kind, "m": 0o640, "u": os.getuid(), "g": os.getgid(), "mt": 5, **size, **more}
    }


def a_file(path: str, text: bytes = b"neu!", **more: Any) -> list[tuple[bytes, Any]]:
    whole = parcel.hashlib.sha256(struct.pack(">Q", 4))
    parcel._count(whole, 0, text)
    return [a_record(path, **more), (b"D", struct.pack(">Q", 0) + text), (b"R", {"h": whole.hexdigest()})]


def a_root(place: Path) -> Path:
    (place / "srv/a").mkdir(parents=True)
    (place / "srv/a/one").write_text("alt")
    return place


def take(root: Path, *frames: tuple[bytes, Any], ends: bool = True) -> Any:
    return arrival.take(Stream(*frames, ends=ends), root=str(root), tops=TOPS)


def test_a_file_is_replaced_whole_with_mode_and_time(tmp_path: Path) -> None:
    root = a_root(tmp_path)
    take(root, *a_file("srv/a/one"), a_record("srv/a/neu", "d", m=0o750), *a_file("srv/a/neu/zwei"))
    entry = (root / "srv/a/one").stat()
    assert (root / "srv/a/one").read_bytes() == b"neu!" and (entry.st_mode & 0o777, entry.st_mtime_ns) == (0o640, 5)
    assert (root / "srv/a/neu").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("break_at", ["giver", "content"])
def test_a_stream_that_breaks_off_or_is_wrong_changes_nothing(tmp_path: Path, break_at: str) -> None:
    root = a_root(tmp_path)
    frames = a_file("srv/a/one")
    if break_at == "content":
        frames[1] = (b"D", struct.pack(">Q", 0) + b"neu?")
    wanted = {"giver": "giver_failed", "content": "manifest_differs"}[break_at]
    assert cause(lambda: take(root, (b"R", {"gone": ["srv/a/one"]}), *frames, ends=break_at != "giver")) == wanted
    assert [path.name for path in (root / "srv/a").iterdir()] == ["one"] and (root / "srv/a/one").read_text() == "alt"


@pytest.mark.parametrize(
    "path", ["etc/passwd", "srv/a/../../etc/x", "/etc/x", "srv/a//x", "srv/ab", "srv/a/./x", "srv/a/x\0y", "srv"]
)
def test_nothing_is_written_outside_of_what_was_agreed_on(tmp_path: Path, path: str) -> None:
    root = a_root(tmp_path)
    assert cause(lambda: take(root, *a_file(path))) == "parcel_damaged"
    assert cause(lambda: take(root, (b"R", {"gone": [path]}))) == "parcel_damaged"
    assert sorted(str(one.relative_to(root)) for one in root.rglob("*")) == ["srv", "srv/a", "srv/a/one"]


def test_no_link_on_the_way_is_followed(tmp_path: Path) -> None:
    root = a_root(tmp_path / "root")
    (tmp_path / "outside").mkdir()
    (root / "srv/a/link").symlink_to(tmp_path / "outside")
    assert cause(lambda: take(root, *a_file("srv/a/link/x"))) != ""
    assert list((tmp_path / "outside").iterdir()) == []


def test_blocks_are_put_into_what_is_there_and_zeros_as_well(tmp_path: Path) -> None:
    root = a_root(tmp_path)
    old = b"a" * parcel.BLOCK + b"b" * parcel.BLOCK
    (root / "srv/a/one").write_bytes(old)
    wanted = tmp_path / "wanted"
    wanted.write_bytes(bytes(parcel.BLOCK) + b"b" * parcel.BLOCK + b"c")
    last = 2 * parcel.BLOCK
    frames = [
        a_record("srv/a/one", s=last + 1, base=True), (b"D", struct.pack(">Q", last) + b"c"),
        (b"D", struct.pack(">Q", 0)),
        (b"R", {"h": parcel.digest_of(str(wanted))}),
    ]  # fmt: skip
    take(root, *frames)
    assert (root / "srv/a/one").read_bytes() == wanted.read_bytes()


def test_a_directory_becomes_a_file_and_links_are_made(tmp_path: Path) -> None:
    root = a_root(tmp_path)
    (root / "srv/a/d/deep").mkdir(parents=True)
    gone = (b"R", {"gone": ["srv/a/d", "srv/a/d/deep"]})
    hard, soft = a_record("srv/a/hard", n="srv/a/d"), a_record("srv/a/soft", "l", l="\udcff nowhere")
    take(root, gone, *a_file("srv/a/d"), hard, soft)
    assert (root / "srv/a/d").samefile(root / "srv/a/hard") and os.readlink(
        os.fsencode(root / "srv/a/soft")
    ) == b"\xff nowhere"

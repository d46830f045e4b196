"""What arrives is trusted in nothing but what was agreed on, and a stream that breaks off changes nothing."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    store = root.parent / f"{root.name}.store"
    store.mkdir(exist_ok=True)
    return arrival.take(Stream(*frames, ends=ends), root=str(root), tops=TOPS, store=str(store))


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


# ---------------------------------------------------------------------------- what broke off


class Sides:
    """Two roots, and what was sent from one to the other until the line was cut."""

    def __init__(self, top: Path) -> None:
        self.top = top
        for side in ("old", "new", "old.store", "new.store"):
            (top / side).mkdir()
        (top / "old/srv/a/tief").mkdir(parents=True)
        self.name, self.sent = "srv/a/tief/bild", 0

    def write(self, *pieces: bytes | int) -> None:
        """The file of the old side: contents and holes (their lengths)."""
        with (self.top / "old" / self.name).open("wb") as opened:
            for one in pieces:
                opened.seek(one, os.SEEK_CUR) if isinstance(one, int) else opened.write(one)
            opened.truncate()

    def carry(self, cut: int | None = None) -> None:
        """From the old root to the new one; the line is cut after so many frames with contents."""
        known = arrival.known([self.name], root=str(self.top / "new"), tops=TOPS)
        line = Frames()
        ground = parcel.Ground(str(self.top / "old"), TOPS, TOPS)
        parcel.give(line, store=str(self.top / "old.store"), ground=ground, known=known)
        places = [place for place, (kind, _) in enumerate(line.frames) if kind == b"D"]
        self.sent = sum(len(line.frames[place][1]) - 8 for place in places[:cut])
        frames = line.frames if cut is None else line.frames[: places[cut]]
        take(self.top / "new", *frames, ends=cut is None)

    def arrived(self) -> bool:
        new = self.top / "new" / self.name
        return new.read_bytes() == (self.top / "old" / self.name).read_bytes()

    def parts(self) -> list[Path]:
        return list((self.top / "new").rglob(".kahn-new-*"))


class Frames:
    """A line that keeps what is sent."""

    def __init__(self) -> None:
        self.frames: list[tuple[bytes, bytes]] = []

    def send(self, kind: bytes, payload: Any) -> None:
        self.frames.append((kind, payload if isinstance(payload, bytes) else json.dumps(payload).encode()))


def blocks(count: int) -> bytes:
    return os.urandom(count * parcel.BLOCK)


def test_a_large_file_that_broke_off_goes_on_behind_the_blocks_that_arrived(tmp_path: Path) -> None:
    sides = Sides(tmp_path)
    sides.write(blocks(5), 100 * parcel.BLOCK, blocks(3), b"end")
    assert cause(sides.carry, 6) == "giver_failed"
    (part,) = sides.parts()
    assert part.stat().st_mode & 0o777 == 0o600 and not (tmp_path / "new" / sides.name).exists()
    sides.carry()
    assert sides.sent == 2 * parcel.BLOCK + 3 and sides.arrived() and sides.parts() == []
    assert (tmp_path / "new" / sides.name).stat().st_blocks * 512 < 12 * parcel.BLOCK
    assert os.listdir(tmp_path / "new.store") == []


def test_of_a_file_that_changed_since_it_broke_off_only_what_is_the_same_is_kept(tmp_path: Path) -> None:
    sides, first, rest = Sides(tmp_path), blocks(1), blocks(6)
    sides.write(first, rest)
    assert cause(sides.carry, 6) == "giver_failed"
    sides.write(rest[: parcel.BLOCK], rest[: -parcel.BLOCK])
    sides.carry()
    assert sides.arrived() and sides.parts() == []
    sides.write(b"short now")
    sides.carry()
    assert sides.arrived()


def test_a_large_file_that_becomes_shorter_arrives_by_its_blocks(tmp_path: Path) -> None:
    sides, text = Sides(tmp_path), blocks(12)
    sides.write(text)
    sides.carry()
    sides.write(text[: 5 * parcel.BLOCK])
    sides.carry()
    assert sides.arrived() and sides.sent == 0


def test_a_whole_large_file_waits_for_the_rest_as_roots_own_and_is_not_sent_again(tmp_path: Path) -> None:
    sides = Sides(tmp_path)
    (tmp_path / "old/srv/a/zuletzt").write_bytes(b"klein")
    sides.write(blocks(5))
    assert cause(sides.carry, 5) == "giver_failed"
    (part,) = sides.parts()
    assert part.stat().st_mode & 0o777 == 0o600 and part.stat().st_size >= 5 * parcel.BLOCK
    sides.carry()
    assert sides.sent <= 5 and sides.arrived()


@pytest.mark.parametrize("kind", ["link", "second name", *(["other's"] if os.geteuid() == 0 else [])])
def test_what_lies_in_the_place_of_a_part_is_never_written_to(tmp_path: Path, kind: str) -> None:
    sides, theirs = Sides(tmp_path), tmp_path / "theirs"
    sides.write(blocks(5))
    theirs.write_bytes(before := blocks(5))
    part = tmp_path / "new" / arrival.part_of(sides.name)
    part.parent.mkdir(parents=True)
    if kind == "link":
        part.symlink_to(theirs)
    elif kind == "second name":
        os.link(theirs, part)
    else:
        part.write_bytes(before)
        os.chown(part, 4242, -1)
    sides.carry()
    assert sides.sent == 5 * parcel.BLOCK and sides.arrived() and theirs.read_bytes() == before


def test_parts_of_a_program_that_was_killed_stand_in_nobodys_way_and_go_at_the_end(tmp_path: Path) -> None:
    sides = Sides(tmp_path)
    sides.write(blocks(5))
    folder = tmp_path / "new/srv/a/tief"
    folder.mkdir(parents=True)
    (tmp_path / "new.store/taking").touch()
    for name in (".kahn-new-0", ".kahn-new-1", ".kahn-new-" + "a" * 16):
        (folder / name).write_bytes(b"half")
    (folder / ".kahn-new-not ours").touch()
    sides.carry()
    assert sides.arrived() and [one.name for one in sides.parts()] == [".kahn-new-not ours"]


def test_what_broke_off_is_cleared_by_an_undo(tmp_path: Path) -> None:
    sides = Sides(tmp_path)
    sides.write(blocks(5))
    assert cause(sides.carry, 3) == "giver_failed" and sides.parts()
    arrival.clear(str(tmp_path / "new"), TOPS, str(tmp_path / "new.store"))
    assert sides.parts() == [] and os.listdir(tmp_path / "new.store") == []


def test_a_full_disk_keeps_nothing_of_what_arrived(tmp_path: Path) -> None:
    root = a_root(tmp_path / "root")
    frames = [a_record("srv/a/bild", s=2 * parcel.LARGE), (b"D", struct.pack(">Q", 0) + b"x"), (b"X", {})]
    with pytest.raises(OSError, match="full"):
        take_full(root, frames)
    assert [one.name for one in (root / "srv/a").iterdir()] == ["one"]


def take_full(root: Path, frames: list[tuple[bytes, Any]]) -> None:
    class Full(Stream):
        def arriving(self) -> Iterator[tuple[bytes, bytes]]:
            yield from super().arriving()
            raise OSError(28, "full")

    (root.parent / "store").mkdir()
    arrival.take(Full(*frames[:2]), root=str(root), tops=TOPS, store=str(root.parent / "store"))


@pytest.mark.parametrize("path", ["etc/shadow", "srv/a/../../etc/shadow", "/etc/shadow", "srv/ab"])
def test_no_file_is_told_of_that_nobody_carries(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        arrival.known([path], root=str(tmp_path), tops=TOPS)


def test_small_files_and_links_are_told_to_nobody(tmp_path: Path) -> None:
    root = a_root(tmp_path)
    (root / "srv/a/big").write_bytes(blocks(4))
    (root / "srv/a/link").symlink_to("big")
    (root / "srv/a/folder").symlink_to(".")
    paths = ["srv/a/one", "srv/a/big", "srv/a/link", "srv/a/folder/big", "srv/a/none", "srv/a"]
    assert list(arrival.known(paths, root=str(root), tops=TOPS)) == ["srv/a/big"]


pieces = st.lists(st.sampled_from([0, 1, 2, 3]), min_size=5, max_size=9)


@settings(max_examples=15, deadline=None)
@given(pieces, pieces, st.integers(0, 8))
def test_wherever_it_breaks_off_and_whatever_changes_it_arrives_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, before: list[int], after: list[int], cut: int
) -> None:
    """Blocks of zeros, of contents, and holes, before and after the line was cut."""
    sides = Sides(tmp_path_factory.mktemp("cut"))
    made = (bytes(parcel.BLOCK), b"a" * parcel.BLOCK, b"b" * parcel.BLOCK, parcel.BLOCK)
    sides.write(*(made[one] for one in before))
    filled = sum(one in (1, 2) for one in before)
    if filled > cut:
        assert cause(sides.carry, cut) == "giver_failed"
    sides.write(*(made[one] for one in after))
    sides.carry()
    assert sides.arrived() and sides.parts() == []

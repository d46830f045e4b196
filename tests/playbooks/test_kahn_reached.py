"""How far an unpacking came: believed only while all is as it was written, and the rest joins what lies there."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playbooks.modules import Trouble, reached, shared, tar_of, unpacker, write_manifest
from tests.playbooks.test_kahn_unpack import Successor, a_dir, a_file

home = shared("kahn_home")


@pytest.fixture
def successor(tmp_path: Path) -> Successor:
    return Successor(tmp_path)


def test_how_far_it_came_is_believed_only_while_every_file_before_is_as_it_was_written(successor: Successor) -> None:
    records = [a_dir("anna"), *(a_file(f"anna/{n}", b"x" * 600) for n in range(4))]
    archive = tar_of({f"anna/{n}": b"x" * 600 for n in range(4)})
    successor.unpack(records, archive)
    sealed = write_manifest(successor.store, records), "a" * 64
    offset = 2 * 3 * 512
    note = {"manifest": sealed[0], "archive": sealed[1], "last": "anna/1", "offset": offset}

    def found(**more: Any) -> int:
        (successor.store / "restored.at").write_text(json.dumps(note | more))
        return int(reached.arrived(str(successor.store), str(successor.home), *sealed).offset)

    assert found() == offset
    assert found(archive="b" * 64) == found(manifest="b" * 64) == found(last="anna/9") == 0
    (successor.home / "anna/0").write_bytes(b"y" * 600)
    assert found() == 0
    with pytest.raises(Trouble, match="not there any more"):
        unpacker.unpack(io.BytesIO(archive[offset:]), str(successor.store), str(successor.home), *sealed, offset)


def an_inside(successor: Successor, text: bytes, done: int) -> tuple[tuple[str, str], Path]:
    """A note that `done` bytes of the only file arrived, and its part with one byte more."""
    records = [a_dir("anna"), a_file("anna/large", text)]
    archive = tar_of({"anna/large": text})
    sealed = write_manifest(successor.store, records), hashlib.sha256(archive).hexdigest()
    unpacker._own_the_tops(str(successor.store), str(successor.home), {"anna": {}}, sealed[0])
    (successor.home / "anna").mkdir()
    part = successor.home / home.part_of("anna/large")
    part.write_bytes(text[:done] + b"?")
    inside = {"path": "anna/large", "done": done, "from": 512, "to": 512 + done}
    note = {"manifest": sealed[0], "archive": sealed[1], "last": "", "offset": 0}
    note["inside"] = dict(inside, sha256=hashlib.sha256(text[:done]).hexdigest())
    (successor.store / reached.NOTE).write_text(json.dumps(note))
    (successor.store / "archive").write_bytes(archive)
    return sealed, part


def gone_on(successor: Successor, sealed: tuple[str, str], skip: list[int]) -> Any:
    archive = (successor.store / "archive").read_bytes()
    stream = io.BytesIO(archive[: skip[0]] + archive[skip[1] :])
    return unpacker.unpack(stream, str(successor.store), str(successor.home), *sealed, 0, skip)


def test_a_file_goes_on_behind_what_arrived_and_takes_its_place_when_it_is_whole(successor: Successor) -> None:
    text = os.urandom(5000)
    sealed, part = an_inside(successor, text, 3000)
    found = reached.arrived(str(successor.store), str(successor.home), *sealed)
    assert (found.offset, found.skip) == (0, [512, 3512])
    gone_on(successor, sealed, found.skip)
    assert (successor.home / "anna/large").read_bytes() == text and not part.exists()
    assert not (successor.store / reached.NOTE).exists()


@pytest.mark.parametrize("kind", ["changed", "shorter", "link", "second name", "gone"])
def test_a_part_that_is_not_what_was_noted_is_not_gone_on_with(successor: Successor, kind: str) -> None:
    sealed, part = an_inside(successor, b"x" * 5000, 3000)
    whole = part.read_bytes()
    part.unlink()
    (successor.outside / "whole").write_bytes(whole)
    {
        "changed": lambda: part.write_bytes(whole[:2000] + b"y" + whole[2001:]),
        "shorter": lambda: part.write_bytes(whole[:2999]),
        "link": lambda: part.symlink_to(successor.outside / "whole"),
        "second name": lambda: os.link(successor.outside / "whole", part),
        "gone": lambda: None,
    }[kind]()
    assert reached.arrived(str(successor.store), str(successor.home), *sealed).skip == []
    with pytest.raises(Trouble, match="not there any more"):
        gone_on(successor, sealed, [512, 3512])
    assert (successor.outside / "whole").read_bytes() == whole


def test_an_archive_that_is_another_one_by_then_is_refused(successor: Successor) -> None:
    sealed, _part = an_inside(successor, b"x" * 5000, 3000)
    (successor.store / "archive").write_bytes(tar_of({"anna/large": b"x" * 2000}))
    with pytest.raises(Trouble) as trouble:
        gone_on(successor, sealed, [512, 3512])
    assert trouble.value.cause == "archive_damaged"


def member(size: int, sparse: list[tuple[int, int]] | None) -> tarfile.TarInfo:
    told = tarfile.TarInfo("a")
    told.size = size
    told.sparse = sparse  # type: ignore[assignment]
    return told


spans = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=6)


@given(spans, st.integers(0, 50), st.integers(0, 700))
def test_what_an_archive_holds_of_a_files_beginning_is_its_contents_up_to_there(
    told: list[tuple[int, int]], behind: int, done: int
) -> None:
    """Holes apart, each byte of the file before `done` is held once, in order, and none behind."""
    place, sparse = 0, []
    held: list[int] = []
    for hole, size in told:
        sparse.append((place + hole, size))
        held += range(place + hole, place + hole + size)
        place += hole + size
    one = member(place + behind, sparse)
    assert reached.is_ordered(one)
    found = [at for start, size in reached.stored(one, min(done, one.size)) for at in range(start, start + size)]
    assert found == [at for at in held if at < done]


@pytest.mark.parametrize("sparse", [[(0, 10), (5, 10)], [(50, 10), (0, 10)], [(0, 101)], [(0, -1)], [(-5, 3)]])
def test_a_map_of_holes_that_leads_back_or_out_is_none(sparse: list[tuple[int, int]]) -> None:
    assert not reached.is_ordered(member(100, sparse))


@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80), st.integers(1, 30))
def test_what_lies_here_is_read_between_what_comes(head: bytes, held: bytes, rest: bytes, size: int) -> None:
    opened = os.memfd_create("part")
    try:
        os.write(opened, held)
        stream = reached.Spliced(io.BytesIO(head + rest), len(head))
        found = b""
        while len(found) < len(head):
            found += stream.read(size)
        stream.hold(opened, member(len(held), None), len(held), len(held))
        while piece := stream.read(size):
            found += piece
    finally:
        os.close(opened)
    assert found == head + held + rest

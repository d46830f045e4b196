"""Unpacking on the successor: a hostile archive or manifest reaches nothing outside the home directory."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, cause, tar_of, tree, unpacker, write_manifest

ME = {"u": os.getuid(), "g": os.getgid(), "mt": 1_600_000_000_123_456_789}


def a_dir(path: str, mode: int = 0o755) -> dict[str, Any]:
    return {"p": path, "t": "d", "m": mode, **ME}


def a_file(path: str, content: bytes = b"", **more: Any) -> dict[str, Any]:
    found = {"p": path, "t": "f", "m": 0o640, "s": len(content), "h": hashlib.sha256(content).hexdigest(), **ME}
    return found | more


class Successor:
    """A home directory, a store, and a secret beside them that nothing may reach."""

    def __init__(self, top: Path) -> None:
        self.home, self.store, self.outside = top / "home", top / "store", top / "outside"
        for one in (self.home, self.store, self.outside):
            one.mkdir()
        (self.outside / "shadow").write_text("root")

    def unpack(self, records: list[dict[str, Any]], archive: bytes) -> Any:
        manifest = write_manifest(self.store, records)
        digest = hashlib.sha256(archive).hexdigest()
        return unpacker.unpack(io.BytesIO(archive), str(self.store), str(self.home), manifest, digest)


@pytest.fixture
def successor(tmp_path: Path) -> Successor:
    return Successor(tmp_path)


def test_contents_modes_times_links_and_holes_arrive(successor: Successor) -> None:
    hole = b"\0" * (3 * 1024 * 1024) + b"end"
    link = {"p": "anna/l", "t": "l", "m": 0o777, "l": "/etc/shadow", **ME}
    records = [a_dir("anna", 0o700), a_file("anna/a", b"hallo"), a_file("anna/b", b"hallo", n="anna/a")]
    records += [a_file("anna/h", hole), link]
    hard, soft = tarfile.TarInfo("anna/b"), tarfile.TarInfo("anna/l")
    hard.type, hard.linkname, soft.type, soft.linkname = tarfile.LNKTYPE, "anna/a", tarfile.SYMTYPE, "/etc/shadow"
    successor.unpack(records, tar_of({"anna/a": b"hallo", "anna/b": hard, "anna/h": hole, "anna/l": soft}))
    found = [tree.carried(one) for one in tree.walk(str(successor.home))]
    assert found == records
    assert (successor.home / "anna/h").stat().st_blocks * 512 < len(hole)


@pytest.mark.parametrize(
    "path", ["../outside/new", "/outside/new", "anna/../../outside/new", "anna//x", ".", "anna/./x", "a\0b", ""]
)
def test_a_manifest_with_a_path_that_climbs_is_refused_whole(successor: Successor, path: str) -> None:
    records = [a_dir("anna"), a_file(path, b"x")]
    assert cause(successor.unpack, records, tar_of({"anna": b""})) == "manifest_damaged"
    assert os.listdir(successor.home) == [] and os.listdir(successor.outside) == ["shadow"]


def test_a_file_below_a_link_is_refused(successor: Successor) -> None:
    link = {"p": "anna/l", "t": "l", "m": 0o777, "l": str(successor.outside), **ME}
    records = [a_dir("anna"), link, a_file("anna/l/shadow", b"x")]
    assert cause(successor.unpack, records, tar_of({"anna/l/shadow": b"x"})) == "manifest_damaged"
    assert (successor.outside / "shadow").read_text() == "root"


def test_a_link_put_in_the_way_on_the_successor_is_not_followed(successor: Successor) -> None:
    records = [a_dir("anna"), a_dir("anna/d"), a_file("anna/d/shadow", b"x")]
    archive = tar_of({"anna/d/shadow": b"x"})
    successor.unpack(records, archive)
    (successor.home / "anna/d/shadow").unlink()
    (successor.home / "anna/d").rmdir()
    (successor.home / "anna/d").symlink_to(successor.outside)
    successor.unpack(records, archive)
    assert (successor.outside / "shadow").read_text() == "root"
    assert (successor.home / "anna/d").is_dir() and not (successor.home / "anna/d").is_symlink()


def test_an_archive_member_that_the_manifest_lacks_is_refused(successor: Successor) -> None:
    archive = tar_of({"anna/evil": b"x"})
    assert cause(successor.unpack, [a_dir("anna")], archive) == "archive_damaged"
    assert not (successor.home / "anna/evil").exists()


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.SYMTYPE])
def test_a_device_or_link_in_the_place_of_a_file_is_never_made(successor: Successor, kind: bytes) -> None:
    member = tarfile.TarInfo("anna/a")
    member.type, member.linkname, member.devmajor = kind, "/etc/shadow", 1
    assert cause(successor.unpack, [a_dir("anna"), a_file("anna/a", b"x")], tar_of({"a": member})) == "manifest_differs"
    assert os.listdir(successor.home / "anna") == []


@pytest.mark.parametrize("record", [{"t": "c", "r": 259}, {"t": "p"}, {"t": "s"}, {"t": "f", "m": -1}, {"u": -5}])
def test_a_manifest_with_devices_or_impossible_numbers_is_refused(successor: Successor, record: dict[str, Any]) -> None:
    assert cause(successor.unpack, [a_dir("anna"), a_file("anna/a") | record], tar_of({})) == "manifest_damaged"


def test_a_hard_link_to_something_outside_is_refused(successor: Successor) -> None:
    records = [a_dir("anna"), a_file("anna/a", b"x", n="../outside/shadow")]
    assert cause(successor.unpack, records, tar_of({"anna/a": b"x"})) == "manifest_damaged"


def test_set_id_bits_of_a_forged_manifest_are_dropped(successor: Successor) -> None:
    records = [a_dir("anna"), a_file("anna/sh", b"x", m=0o6755)]
    successor.unpack(records, tar_of({"anna/sh": b"x"}))
    assert (successor.home / "anna/sh").stat().st_mode & 0o7777 == 0o755


def test_what_was_there_before_is_never_touched(successor: Successor) -> None:
    (successor.home / "anna").mkdir()
    (successor.home / "anna/own").write_text("mine")
    archive = tar_of({"anna/own": b"x"})
    assert cause(successor.unpack, [a_dir("anna"), a_file("anna/own", b"x")], archive) == "target_not_empty"
    assert (successor.home / "anna/own").read_text() == "mine"


def test_restoring_twice_gives_the_same(successor: Successor) -> None:
    records, archive = [a_dir("anna"), a_file("anna/a", b"x")], tar_of({"anna/a": b"x"})
    assert successor.unpack(records, archive) == successor.unpack(records, archive)


def test_a_truncated_archive_and_another_one_are_refused(successor: Successor) -> None:
    records, archive = [a_dir("anna"), a_file("anna/a", b"x" * 5000)], tar_of({"anna/a": b"x" * 5000})
    manifest = write_manifest(successor.store, records)
    for stream in (archive[:2000], archive + b"\0" * 512):
        with pytest.raises(Trouble) as trouble:
            unpacker.unpack(
                io.BytesIO(stream),
                str(successor.store),
                str(successor.home),
                manifest,
                hashlib.sha256(archive).hexdigest(),
            )
        assert trouble.value.cause == "archive_damaged"


def test_a_file_that_changed_while_it_was_saved_is_named(successor: Successor) -> None:
    with pytest.raises(Trouble) as trouble:
        successor.unpack([a_dir("anna"), a_file("anna/a", b"alt"), a_file("anna/b", b"")], tar_of({"anna/a": b"neu"}))
    assert trouble.value.cause == "manifest_differs"
    assert trouble.value.facts["differences"] == ["anna/a: content", "anna/b: missing"]


def test_an_acl_that_was_only_inherited_from_the_successors_home_goes_again(successor: Successor) -> None:
    entries = ((1, 7, 0xFFFFFFFF), (2, 7, 4242), (4, 5, 0xFFFFFFFF), (16, 7, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF))
    inherited = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in entries)
    os.setxattr(successor.home, "system.posix_acl_default", inherited)
    records = [a_dir("anna", 0o750), a_file("anna/a", b"hallo")]
    successor.unpack(records, tar_of({"anna/a": b"hallo"}))
    for path in (successor.home / "anna", successor.home / "anna/a"):
        assert not [one for one in os.listxattr(path) if one.startswith("system.posix_acl")]
    assert [tree.carried(one) for one in tree.walk(str(successor.home))] == records

"""Carrying a stream between two machines: whole or not at all, and the right one is blamed. `sh -c` stands for ssh."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, cause, module, tree

carry = module("kahn_carry")
HERE = ["sh", "-c"]
GONE = ["sh", "-c", "exit 255;"]
NAMES = ("source", "vault")


def ends(source: list[str] = HERE, target: list[str] = HERE) -> dict[str, Any]:
    return {"source": source, "target": target}


def test_a_stream_arrives_byte_for_byte_with_its_digest(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(os.urandom(3_000_000))
    load = {"command": ["cat", str(tmp_path / "a")], "file": str(tmp_path / "new/b c'd")}
    told = carry.carry_file(ends(), load, NAMES)
    assert (tmp_path / "new/b c'd").read_bytes() == (tmp_path / "a").read_bytes()
    assert told["sha256"] == hashlib.sha256((tmp_path / "a").read_bytes()).hexdigest()
    assert (tmp_path / "new/b c'd").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("command", "more", "why"),
    [
        (["sh", "-c", "echo half; exit 3"], {}, "source_failed"),
        (["sh", "-c", "echo half; exit 255"], {}, "source_unreachable"),
        (["sh", "-c", "yes | head -c 100000"], {"limit": 999}, "source_too_large"),
        (["echo", "other"], {"sha256": "0" * 64}, "archive_damaged"),
        (["sh", "-c", "echo No space left on device >&2; exit 2"], {}, "disk_full"),
    ],
)
def test_what_went_wrong_is_named_and_the_old_file_stays(
    tmp_path: Path, command: list[str], more: dict[str, Any], why: str
) -> None:
    (tmp_path / "b").write_text("before")
    assert cause(carry.carry_file, ends(), {"command": command, "file": str(tmp_path / "b"), **more}, NAMES) == why
    assert os.listdir(tmp_path) == ["b"] and (tmp_path / "b").read_text() == "before"


def test_a_receiver_that_is_gone_or_full_is_blamed_not_the_sender(tmp_path: Path) -> None:
    load = {"command": ["sh", "-c", "yes | head -c 9000000"], "file": str(tmp_path / "b")}
    assert cause(carry.carry_file, ends(target=GONE), load, NAMES) == "vault_unreachable"
    full = load | {"file": "/dev/full/x"}
    assert cause(carry.carry_file, ends(), full, NAMES) == "vault_failed"


def test_a_full_disk_of_the_receiver_has_its_own_cause(tmp_path: Path) -> None:
    (tmp_path / "b.part").symlink_to("/dev/full")
    load = {"command": ["sh", "-c", "yes | head -c 9000000"], "file": str(tmp_path / "b")}
    assert cause(carry.carry_file, ends(), load, NAMES) == "vault_full"
    assert os.listdir(tmp_path) == []


def test_tar_may_say_that_a_file_changed_while_it_was_read(tmp_path: Path) -> None:
    load = {"command": ["sh", "-c", "echo x; exit 1"], "file": str(tmp_path / "b"), "partial_ok": True}
    assert carry.carry_file(ends(), load, NAMES)["bytes"] == 2


def unpacking(tmp_path: Path, archive: bytes, digest: str = "") -> dict[str, Any]:
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "archive").write_bytes(archive)
    (tmp_path / "a1").mkdir(exist_ok=True)
    (tmp_path / "a1/home.manifest").write_bytes(b"")
    words = {"asset": "a1", "home": str(tmp_path / "home"), "base": str(tmp_path)}
    words |= {"manifest": hashlib.sha256(b"").hexdigest(), "archive": digest or hashlib.sha256(archive).hexdigest()}
    return {"command": ["cat", str(tmp_path / "archive")], "unpack": words}


def test_the_unpacking_program_travels_with_the_stream(tmp_path: Path) -> None:
    told = carry.carry_unpacked(ends(), unpacking(tmp_path, b"\0" * 10240), NAMES)
    assert told["entries"] == 0


def test_the_unpacking_programs_own_cause_comes_back(tmp_path: Path) -> None:
    with pytest.raises(Trouble) as trouble:
        carry.carry_unpacked(ends(), unpacking(tmp_path, b"\0" * 10240, "0" * 64), NAMES)
    assert trouble.value.cause == "archive_damaged"


def test_a_sender_that_dies_midway_is_blamed_before_the_torn_archive(tmp_path: Path) -> None:
    load = unpacking(tmp_path, b"\0" * 10240) | {"command": ["sh", "-c", "head -c 700 /dev/zero; exit 255"]}
    assert cause(carry.carry_unpacked, ends(), load, ("vault", "target")) == "vault_unreachable"


def test_memory_stays_bounded_however_long_the_stream_is(tmp_path: Path) -> None:
    outcome = carry.pour(carry.at(HERE, ["head", "-c", "200000000", "/dev/zero"]), carry.at(HERE, ["cat", "-"]))
    assert outcome["bytes"] == 200_000_000 and len(outcome["answer"]) <= 65536


def test_the_program_is_read_from_the_same_files_that_were_approved() -> None:
    command, head = carry.unpacking({"asset": "a1"})
    assert Path(str(tree.__file__)).read_text() in [source for _, source in json.loads(head)["sources"]]
    assert command[-1] == str(len(head))

"""Carrying a stream between two machines: whole or not at all, and the right one is blamed. `sh -c` stands for ssh."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, cause, module, reached, shared, tree, write_manifest
from tests.waiting import until

carry, talk = module("kahn_carry"), shared("kahn_talk")
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


FILES, SIZE = 12, 300_000


def a_home(top: Path) -> tuple[list[dict[str, Any]], bytes]:
    """Records of a home directory with a dozen files, and their names as tar wants them."""
    (top / "anna").mkdir(parents=True)
    for number in range(FILES):
        (top / f"anna/{number:02}").write_bytes(os.urandom(SIZE))
    records = list(tree.walk(str(top)))
    return records, b"".join(one["p"].encode() + b"\0" for one in records)


def saving(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "names").write_bytes(a_home(tmp_path / "home")[1])
    words = ["tar", "-c", "-f", "-", f"--directory={tmp_path}/home", "--format=pax", "--no-recursion", "--null"]
    words.append("--pax-option=delete=atime,delete=ctime")
    return {"command": [*words, "--verbatim-files-from"], "names": str(tmp_path / "names"), "file": str(tmp_path / "t")}


def breaking(after: int) -> list[str]:
    """A machine whose line is cut after so many bytes."""
    return ["sh", "-c", f'{{ sh -c "$0"; }} | head -c {after}; exit 255']


def contents(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as opened:
        return {one.name: opened.extractfile(one).read() for one in opened if one.isfile()}  # type: ignore[union-attr]


def test_an_archive_that_broke_off_goes_on_behind_its_last_whole_member(tmp_path: Path) -> None:
    load = saving(tmp_path)
    assert cause(carry.carry_file, ends(breaking(2_000_000)), load, NAMES) == "source_unreachable"
    assert (tmp_path / "t.part").stat().st_size == 2_000_000 and not (tmp_path / "t").exists()
    told = carry.carry_file(ends(), load, NAMES)
    whole = (tmp_path / "t").read_bytes()
    assert told["had"] > 6 * SIZE - 1 and told["carried"] < 7 * SIZE and told["bytes"] == len(whole)
    assert told["sha256"] == hashlib.sha256(whole).hexdigest()
    assert contents(tmp_path / "t") == {
        f"anna/{one.name}": one.read_bytes() for one in (tmp_path / "home/anna").iterdir()
    }


def saving_a_large_file(tmp_path: Path) -> tuple[dict[str, Any], Path]:
    """What is to be saved of a home with one file of 5 MB and a hole of 64 MiB, and that file."""
    load, large = saving(tmp_path), tmp_path / "home/anna/06 large"
    with large.open("wb") as opened:
        opened.write(os.urandom(3_000_000))
        opened.seek(64 * 1024 * 1024, os.SEEK_CUR)
        opened.write(os.urandom(2_000_000))
    names = [one["p"].encode() + b"\0" for one in tree.walk(str(tmp_path / "home"))]
    (tmp_path / "names").write_bytes(b"".join(names))
    return load | {"command": [load["command"][0], "--sparse", *load["command"][1:]]}, large


def test_a_file_that_broke_off_in_its_midst_goes_on_there(tmp_path: Path) -> None:
    (load, _large), after = saving_a_large_file(tmp_path), 6_200_000
    assert cause(carry.carry_file, ends(breaking(after)), load, NAMES) == "source_unreachable"
    told = carry.carry_file(ends(), load, NAMES)
    whole = (tmp_path / "t").stat().st_size
    assert (told["had"], told["carried"]) == (after, whole - after) and whole < 10_000_000
    assert told["sha256"] == hashlib.sha256((tmp_path / "t").read_bytes()).hexdigest()
    assert contents(tmp_path / "t") == {
        f"anna/{one.name}": one.read_bytes() for one in (tmp_path / "home/anna").iterdir()
    }


def test_a_file_that_changed_since_it_broke_off_begins_anew(tmp_path: Path) -> None:
    load, large = saving_a_large_file(tmp_path)
    assert cause(carry.carry_file, ends(breaking(4_500_000)), load, NAMES) == "source_unreachable"
    entry = large.stat()
    with large.open("r+b") as opened:
        opened.write(b"changed")
    os.utime(large, ns=(entry.st_atime_ns, entry.st_mtime_ns))  # neither size nor time tell
    told = carry.carry_file(ends(), load, NAMES)
    assert 7 * SIZE < told["had"] < 3_000_000
    assert contents(tmp_path / "t")["anna/06 large"] == large.read_bytes()


def test_what_filled_a_disk_is_not_kept(tmp_path: Path) -> None:
    load = saving(tmp_path)
    full = ["sh", "-c", "echo No space left on device >&2; exit 2;"]
    carry.carry_file(ends(), load, NAMES)
    (tmp_path / "t").rename(tmp_path / "t.part")
    assert cause(carry.carry_file, ends(full), load, NAMES) == "disk_full"
    assert not (tmp_path / "t.part").exists()


def restoring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An archive of everything below `old` on its way into a home that notes every 500 kB how far it came."""
    records, archive = list(tree.walk(str(tmp_path / "old"))), tmp_path / "t"
    tar: list[Any] = ["tar", "-C", tmp_path / "old", "-c", "-f", archive, "--format=pax", "--sparse", "--sort=name"]
    subprocess.run([*tar, "anna"], check=True)
    (tmp_path / "home").mkdir()
    sealed = {"archive": hashlib.sha256(archive.read_bytes()).hexdigest()}
    sealed["manifest"] = write_manifest(tmp_path / "s/a1", records)
    source = talk.source_of(reached).replace("128 * 1024 * 1024", "500_000")
    monkeypatch.setattr(carry, "source_of", lambda one: source if one is reached else talk.source_of(one))
    words = {"asset": "a1", "home": str(tmp_path / "home"), "base": str(tmp_path / "s"), **sealed}
    return {"command": ["cat", str(archive)], "unpack": words, "resume": True}, records


def killed_after(tmp_path: Path, load: dict[str, Any], size: int, least: int) -> dict[str, Any]:
    """The note that was left when both ends were killed after so many bytes, and it told of at least `least`."""
    hanging = ["sh", "-c", f'{{ sh -c "$0"; }} | head -c {size}; exec sleep 600']
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        carry.carry_unpacked(ends(hanging), load, NAMES)
        os._exit(0)
    note = tmp_path / "s/a1/restored.at"

    def come() -> int:
        told: dict[str, Any] = json.loads(note.read_text()) if note.exists() else {"offset": 0}
        return int(told["inside"]["to"] if "inside" in told else told["offset"])

    until(lambda: come() >= least, within_s=120)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    told: dict[str, Any] = json.loads(note.read_text())
    return told


def is_home(tmp_path: Path, records: list[dict[str, Any]]) -> bool:
    return [tree.carried(one) for one in tree.walk(str(tmp_path / "home"))] == [tree.carried(one) for one in records]


def test_files_that_arrived_are_not_carried_again_after_a_kill_in_the_midst(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_home(tmp_path / "old")
    load, records = restoring(tmp_path, monkeypatch)
    note = killed_after(tmp_path, load, 2_000_000, 1_500_000)
    come = note["inside"]["to"] - note["inside"]["from"] if "inside" in note else 0
    told = carry.carry_unpacked(ends(), load, NAMES)
    assert told["had"] == note["offset"] + come >= 1_200_000
    assert told["carried"] == (tmp_path / "t").stat().st_size - told["had"]
    assert is_home(tmp_path, records) and not (tmp_path / "s/a1/restored.at").exists()


def test_a_large_file_with_holes_goes_on_in_its_midst_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old/anna").mkdir(parents=True)
    with (tmp_path / "old/anna/large").open("wb") as opened:
        for _ in range(3):
            opened.write(os.urandom(2_000_000))
            opened.seek(32 * 1024 * 1024, os.SEEK_CUR)
        opened.truncate()
    (tmp_path / "old/anna/small").write_bytes(b"behind it")
    load, records = restoring(tmp_path, monkeypatch)
    note = killed_after(tmp_path, load, 5_000_000, 4_000_000)
    assert note["last"] in ("", "anna") and [one.name for one in (tmp_path / "home/anna").iterdir()] != ["large"]
    told = carry.carry_unpacked(ends(), load, NAMES)
    assert told["had"] >= 4_000_000 and told["had"] + told["carried"] == (tmp_path / "t").stat().st_size
    assert is_home(tmp_path, records)
    assert (tmp_path / "home/anna/large").stat().st_blocks * 512 < 7_000_000
    assert sorted(one.name for one in (tmp_path / "home/anna").iterdir()) == ["large", "small"]

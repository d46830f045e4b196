"""How far an archive came: checked against archives of the real tar, cut off anywhere."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from tests.playbooks.modules import shared

parts = shared("kahn_parts")
NAMES = (
    b"a",
    b"dir",
    b"dir/gro\xc3\x9f",
    b"dir/mit\nZeile",
    b"hole",
    b"link",
    b"twice",
    b"x" * 200,
    b"dir/" + b"y" * 150,
)
TAR = [
    "tar",
    "--create",
    "--file=-",
    "--format=pax",
    "--pax-option=delete=atime,delete=ctime",
    "--sparse",
    "--no-recursion",
    "--null",
    "--verbatim-files-from",
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / "dir").mkdir(parents=True)
    (home / "a").write_bytes(b"x" * 1000)
    for name in (NAMES[2], NAMES[3], NAMES[7], NAMES[8]):
        (home / os.fsdecode(name)).write_bytes(os.urandom(700))
    with (home / "hole").open("wb") as opened:
        opened.truncate(4 * 2**30)
        opened.seek(2**31)
        opened.write(b"in the middle")
    (home / "link").symlink_to("/etc/shadow")
    os.link(home / "a", home / "twice")
    return home


def tar_of(home: Path, names: tuple[bytes, ...]) -> bytes:
    words = [*TAR, f"--directory={home}", "--files-from=-"]
    return subprocess.run(words, input=b"\0".join(names) + b"\0", capture_output=True, check=True).stdout


def test_a_whole_archive_has_all_its_members_and_the_rest_is_its_end(home: Path, tmp_path: Path) -> None:
    archive = tar_of(home, NAMES)
    (tmp_path / "part").write_bytes(archive)
    count, offset, _head = parts.whole_members(str(tmp_path / "part"))
    assert count == len(NAMES) and archive[offset:].strip(b"\0") == b""


def test_wherever_it_is_cut_off_the_whole_members_and_the_rest_give_all_files(home: Path, tmp_path: Path) -> None:
    archive, part, seen = tar_of(home, NAMES), tmp_path / "part", set()
    for cut in sorted(random.Random(7).sample(range(len(archive)), 60)):
        part.write_bytes(archive[:cut])
        count, offset, _head = parts.whole_members(str(part))
        assert offset <= cut
        seen.add(count)
        part.write_bytes(archive[:offset] + tar_of(home, NAMES[count:]))
        listed = subprocess.run(
            ["tar", "-tf", str(part)], capture_output=True, check=True, text=True
        ).stdout.splitlines()
        assert len(listed) == len(NAMES)
    assert len(seen) > 4


def test_the_beginning_of_the_member_that_was_cut_off_is_the_same_whoever_writes_it_again(
    home: Path, tmp_path: Path
) -> None:
    told = []
    for _ in range(2):
        (tmp_path / "part").write_bytes(tar_of(home, (b"hole",))[:3000])
        told.append(parts.answer(None, {"path": str(tmp_path / "part")})["kahn"])
    assert told[0] == told[1] and (told[0]["count"], told[0]["offset"]) == (0, 0)
    assert told[0]["head"] == 3 * 512 and told[0]["behind"] == 3000 - 3 * 512


@pytest.mark.parametrize("text", [b"", b"no archive at all", b"\0" * 4096, b"\xff" * 4096])
def test_what_is_no_archive_has_no_member(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "part").write_bytes(text)
    assert parts.whole_members(str(tmp_path / "part")) == (0, 0, 0)
    assert parts.whole_members(str(tmp_path / "none")) == (0, 0, 0)


def test_lengths_that_lie_end_the_search_at_once(tmp_path: Path) -> None:
    def header(length: bytes, kind: bytes) -> bytes:
        head = bytearray(b"name".ljust(100, b"\0") + b"0000644\0" * 3 + length.ljust(12, b"\0") + b"0" * 12)
        head += b" " * 8 + kind
        head = head.ljust(512, b"\0")
        head[148:156] = b"%06o\0 " % sum(head)
        return bytes(head)

    long, back = b"77777777777", b"-0000001000"
    for length, kind in ((long, b"0"), (b"\x80" + b"\xff" * 11, b"0"), (long, b"x"), (b"0", b"Z"), (back, b"0")):
        (tmp_path / "part").write_bytes(header(length, kind) + b"x" * 2048)
        assert parts.whole_members(str(tmp_path / "part"))[:2] == (0, 0)
    extended = header(b"%o" % parts.MOST_HEADER, b"x") + bytes(parts.MOST_HEADER)
    (tmp_path / "part").write_bytes(extended * 3 + header(long, b"0"))
    assert parts.whole_members(str(tmp_path / "part")) == (0, 0, 0)


def test_the_program_answers_in_one_line_whatever_happens(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("elsewhere")
    nothing = {"count": 0, "offset": 0, "head": 0, "behind": 0, "sha256": ""}
    assert parts.answer(None, {"path": str(tmp_path / "none")}) == {"kahn": nothing}
    assert parts.answer(None, {"path": str(tmp_path / "link")})["kahn"]["cause"] == "os_error"

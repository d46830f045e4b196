"""Owners by name, attributes that must be kept, open files, and a share that moves with its ACLs; real programs."""

from __future__ import annotations

import json
import os
import pwd
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, cause, module, shared
from tests.playbooks.procedures import DATA, Trio

fileserver, parcel, tree, arrival = (shared(f"kahn_{one}") for one in ("fileserver", "parcel", "tree", "arrival"))
mover = module("kahn_procedure")
ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
HOLDS = "import sys; kept = open(sys.argv[1], sys.argv[2]); print(1, flush=True); sys.stdin.read()"


def an_acl(*more: tuple[int, int, int], mask: int = 7) -> bytes:
    """An ACL: owner rw, owning group r, others nothing, and (tag, rights, number) for named ones."""
    entries = [(1, 6, 0xFFFFFFFF), (4, 4, 0xFFFFFFFF), (16, mask, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF), *more]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in sorted(entries))


def a_share(place: Path) -> Any:
    (place / "srv/a").mkdir(parents=True, exist_ok=True)
    return fileserver.FileServer(str(place), ["srv/a"], user="", store=str(place))


class Holder:
    """A program that has a file open until its block ends."""

    def __init__(self, path: Path, mode: str = "r") -> None:
        self.path, self.mode = str(path), mode

    def __enter__(self) -> int:
        argv = [sys.executable, "-c", HOLDS, self.path, self.mode]
        self.program = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.program.stdout is not None and self.program.stdout.readline()
        return self.program.pid

    def __exit__(self, *what: object) -> None:
        self.program.communicate()


def test_everybody_who_owns_something_or_stands_in_an_acl_is_named(tmp_path: Path) -> None:
    one = a_share(tmp_path)
    path = tmp_path / "srv/a/plan"
    path.write_text("x")
    os.setxattr(path, ACCESS, an_acl((2, 4, 1), (8, 4, 4_000_001)))
    os.setxattr(tmp_path / "srv/a", DEFAULT, an_acl((2, 4, 2)))
    os.setxattr(path, "user.note", b"n")
    told = one.share(None)
    assert told["users"] == {str(n): pwd.getpwuid(n).pw_name for n in (os.getuid(), 1, 2)}
    assert told["groups"]["4000001"] == "" and told["attributes"] == [ACCESS, "user."]


def test_owners_that_are_others_over_there_are_refused_by_name(tmp_path: Path) -> None:
    one = a_share(tmp_path)
    good = {"users": {"0": "root"}, "groups": {"0": "root", "4000001": ""}, "attributes": []}
    assert one.share_fit(None, **good) == {"nameless": ["4000001"], "attributes": []}
    with pytest.raises(Trouble) as told:
        one.share_fit(None, **{**good, "users": {"0": "anna", "4000002": "bert\n"}})
    assert told.value.cause == "owners_differ"
    assert told.value.facts["owners"] == [
        "user 0 is anna there and root here",
        "user 4000002 is bert\\n there and nobody here",
    ]


def test_the_service_account_is_made_later_and_counts_as_fitting(tmp_path: Path) -> None:
    one = fileserver.FileServer(str(tmp_path), ["srv/a"], user="wohngeld", store=str(tmp_path))
    assert one.share_fit(None, users={"990": "wohngeld"}, groups={"990": "wohngeld"}, attributes=[])["nameless"] == []


def test_a_file_system_without_acls_is_found_before_anything_is_carried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file system without ACLs can be relied on here, so the kernel's answer is given by the test."""
    one = a_share(tmp_path)
    before = (tmp_path / "srv/a").stat().st_mtime_ns
    one.share_fit(None, users={}, groups={}, attributes=[ACCESS, "user."])
    assert ((tmp_path / "srv/a").stat().st_mtime_ns, os.listdir(tmp_path / "srv/a")) == (before, [])

    def refuses(*words: object, **more: object) -> None:
        raise OSError(fileserver.errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(fileserver.os, "setxattr", refuses)
    assert cause(lambda: one.share_fit(None, users={}, groups={}, attributes=[ACCESS])) == "acl_not_supported"
    place = tmp_path / "plain"
    place.write_text("x")
    with place.open("rb") as opened:
        record = {"p": "plain", "u": os.getuid(), "g": os.getgid(), "m": 0o600, "mt": 5, "x": {ACCESS: "AA=="}}
        assert cause(lambda: arrival.dress(opened.fileno(), record)) == "acl_not_supported"


def test_open_files_are_told_with_their_program_and_whether_it_may_write(tmp_path: Path) -> None:
    one = a_share(tmp_path)
    (tmp_path / "srv/a/le\nsen").write_text("x")
    (tmp_path / "srv/ab").write_text("beside")
    with (
        Holder(tmp_path / "srv/a/le\nsen") as reads,
        Holder(tmp_path / "srv/a/neu", "w") as writes,
        Holder(tmp_path / "srv/ab"),
    ):
        told = one.opened(None)
        (row,) = told["open"]
        assert (row["files"], row["writers"], row["person"], row["folder"]) == (2, 1, "person-1", f"{tmp_path}/srv/a")
        assert (told["open_count"], told["writers"]) == (2, 1) and row["program"].startswith("python")
        listed = Path(told["list"]).read_text()
        assert (
            f"({reads}) {tmp_path}/srv/a/le\\nsen\n" in listed and f"({writes}) writes {tmp_path}/srv/a/neu" in listed
        )
        assert cause(lambda: one.still(None, seconds=0)) == "files_in_use"
        os.unlink(tmp_path / "srv/a/neu")
        assert one.opened(None)["open_count"] == 2, "a file that was deleted is still written to"
    assert one.still(None) == {}


def test_an_answer_that_is_kept_for_good_names_neither_files_nor_people(tmp_path: Path) -> None:
    one = a_share(tmp_path)
    path = tmp_path / "srv/a/Abmahnung Müller"
    path.write_text("x")
    with Holder(path):
        kept = json.dumps(one.opened(None), ensure_ascii=False)
        with pytest.raises(Trouble) as told:
            one.still(None, seconds=0)
    kept += json.dumps(told.value.facts, ensure_ascii=False) + told.value.says
    assert "Müller" not in kept and json.dumps(pwd.getpwuid(os.getuid()).pw_name) not in kept
    assert (tmp_path / "open-files").stat().st_mode & 0o777 == 0o600
    one.forget_opened(None)
    assert not (tmp_path / "open-files").exists()


def test_nothing_inherited_from_a_default_acl_stays_on_what_arrives(tmp_path: Path) -> None:
    """A file that was moved into such a folder over there has no ACL; made here, it would inherit one."""
    os.setxattr(tmp_path, DEFAULT, an_acl((2, 6, 4_000_001)))
    path = tmp_path / "plain"
    path.write_text("x")
    assert os.listxattr(path) == [ACCESS]
    record = {"p": "plain", "u": os.getuid(), "g": os.getgid(), "m": 0o640, "mt": 5, "x": {}}
    with path.open("rb") as opened:
        arrival.dress(opened.fileno(), record)
    assert (os.listxattr(path), path.stat().st_mode & 0o777) == ([], 0o640)


def test_the_fingerprint_counts_acls_and_does_not_depend_on_any_order(tmp_path: Path) -> None:
    for name, order in (("one", "ab"), ("two", "ba")):
        (tmp_path / name / "srv/a").mkdir(parents=True)
        for letter in order:
            (tmp_path / name / "srv/a" / letter).write_text(letter)
            os.utime(tmp_path / name / "srv/a" / letter, (5, 5))
    one, two = (str(tmp_path / name) for name in ("one", "two"))
    assert parcel.digest(one, ["srv/a"]) == parcel.digest(two, ["srv/a"])
    os.chmod(f"{two}/srv/a/a", 0o4640)  # what is not carried does not count
    os.chmod(f"{one}/srv/a/a", 0o640)
    assert parcel.digest(one, ["srv/a"]) == parcel.digest(two, ["srv/a"])
    os.setxattr(f"{two}/srv/a/a", ACCESS, an_acl((2, 4, 1), mask=4))
    assert parcel.digest(one, ["srv/a"]) != parcel.digest(two, ["srv/a"])


# ---------------------------------------------------------------------- the whole way


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    with Trio(tmp_path) as made:
        yield made


def act(trio: Trio, state: str) -> dict[str, Any]:
    with mover.Crew({**trio.asked, "share": True}, roots=trio.roots) as crew:
        return dict(mover.ACTS[state](crew)[1])


def attributes(root: Path) -> dict[str, dict[str, bytes]]:
    top = root / DATA.lstrip("/")
    places = [one for one in (top, *top.rglob("*")) if not one.is_symlink()]
    return {
        str(one.relative_to(root)): tree.attributes_of(one) for one in places if one.name[-4:] not in ("-shm", "-wal")
    }


def test_a_share_moves_with_its_acls_and_an_open_file_stops_the_switch(trio: Trio) -> None:
    folder = trio.old / DATA.lstrip("/") / "ablage"
    folder.mkdir()
    os.setxattr(folder, DEFAULT, an_acl((8, 6, 0)))
    (folder / "Vertrag").write_text("1")
    os.rename(folder / "Vertrag", trio.old / DATA.lstrip("/") / "Vertrag")
    (trio.old / DATA.lstrip("/") / "docs/loch.img").rename(folder / "loch.img")
    assert ACCESS in act(trio, "fit")["attributes"]
    act(trio, "prepared")
    act(trio, "copied")
    (folder / "nach der ersten Kopie").write_text("2")
    os.setxattr(folder / "loch.img", ACCESS, an_acl((2, 4, 1), mask=4))
    with Holder(folder / "nach der ersten Kopie", "a"):
        assert act(trio, "opened")["writers"] == 1
        with pytest.raises(Trouble) as told:
            act(trio, "moved")
        assert (told.value.cause, told.value.facts["restored"]) == ("files_in_use", True)
        assert trio.seen() == "old"
    act(trio, "moved")
    assert trio.seen() == "new" and attributes(trio.new) == attributes(trio.old)
    assert attributes(trio.new)[f"{DATA.lstrip('/')}/ablage/loch.img"][ACCESS] == an_acl((2, 4, 1), mask=4)
    os.setxattr(trio.new / DATA.lstrip("/") / "Vertrag", "user.bearbeitet", b"ja")
    act(trio, "returned")
    assert trio.seen() == "old" and attributes(trio.new) == attributes(trio.old)


SID = "S-1-5-21-2865771362-85639866-2196616417"


def an_nt_acl(sid: str) -> bytes:
    """Something like Samba's attribute: an account of the machine with that SID stands in it."""
    parts = [int(one) for one in sid.split("-")[3:]] + [1000]
    return b"\x04\0head" + b"\x01\x05" + (5).to_bytes(6, "big") + struct.pack("<5I", *parts) + b"tail"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can write attributes of the kernel's security modules")
def test_windows_acls_that_name_accounts_of_the_old_server_itself_are_strangers_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, own = a_share(tmp_path), [SID]
    monkeypatch.setattr(fileserver, "_said", lambda *_: [f"SID for domain ALT-1 is: {own[0]}"] if own[0] else [])
    assert one.share(None)["machine"] == ""
    os.setxattr(tmp_path / "srv/a", "security.NTACL", an_nt_acl("S-1-5-21-1-2-3"))
    assert one.share(None)["machine"] == ""
    os.setxattr(tmp_path / "srv/a", "security.NTACL", an_nt_acl(SID))
    told = one.share(None)
    assert told["machine"] == SID
    one.share_fit(None, {}, {}, [], machine=SID)
    for other in ("S-1-5-21-1-2-3", ""):
        own[0] = other
        assert cause(lambda: one.share_fit(None, {}, {}, [], machine=SID)) == "sid_differs"
        one.share_fit(None, {}, {}, [], machine="")

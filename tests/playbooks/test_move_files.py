"""move-files on lab hosts, from the command line: a share with ACLs moves and comes back; the lab has no Samba.

The service of the other tests stands for it; its configuration is the definition of the share.
"""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest

from orchestrator.lab.lab import Lab
from tests.labs import lab
from tests.playbooks import hostile
from tests.playbooks.moving_procedures import Town, Wish, a_town
from tests.playbooks.procedures import DATA
from tests.scenarios.story import ENGINEER

__all__ = ["lab"]
pytestmark = pytest.mark.lab
ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
CARRIED = (ACCESS, DEFAULT, "security.NTACL")
HOLDS = "import sys; kept = open(sys.argv[1], 'a'); print(1, flush=True); sys.stdin.read()"

Look = tuple[object, ...]


def an_acl(number: int) -> bytes:
    """Owner all, one more account reads, the owning group reads."""
    entries = ((1, 7, 0xFFFFFFFF), (2, 5, number), (4, 5, 0xFFFFFFFF), (16, 5, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in entries)


def a_shelf(root: Path) -> None:
    """Folders with default ACLs, a file that was moved into one, Windows ACLs, and names that hurt."""
    shelf = root / DATA.lstrip("/") / "ablage"
    (shelf / "kasse").mkdir(parents=True)
    plain = shelf.parent / "ohne ACL"
    plain.write_text("hierher verschoben")
    os.setxattr(shelf / "kasse", DEFAULT, an_acl(990))
    os.setxattr(shelf / "kasse", "security.NTACL", b"\x04\0Windows")
    (shelf / "kasse/mit ACL").write_text("geerbt")
    plain.rename(shelf / "kasse/ohne ACL")
    os.chmod(shelf / "kasse", 0o2770)
    os.symlink("/etc/shadow", shelf / "nach draußen")
    hostile.fill(shelf, uid=990)


def looks(root: Path) -> dict[bytes, Look]:
    """Everything in the shelf as seen from outside: mode, owners, time, content, link, carried attributes."""
    top, found = os.fsencode(root / DATA.lstrip("/") / "ablage"), {}
    for folder, below, names in os.walk(top):
        for path in (os.path.join(folder, one) for one in (*below, *names)):
            if os.path.basename(path) in (*hostile.NOT_CARRIED, b"root-shell"):
                continue
            found[os.path.relpath(path, top)] = _look(path)
    return found


def _look(path: bytes) -> Look:
    entry, link, text = os.lstat(path), b"", b""
    names = os.listxattr(path, follow_symlinks=False)
    kept = sorted((one, os.getxattr(path, one, follow_symlinks=False)) for one in names if _is_carried(one))
    if os.path.islink(path):
        link = os.readlink(path)
    elif os.path.isfile(path):
        text = Path(os.fsdecode(path)).read_bytes()
    stamp = 0 if os.path.isdir(path) and not link else entry.st_mtime_ns
    return (entry.st_mode, entry.st_uid, entry.st_gid, stamp, link, text, kept)


def _is_carried(name: str) -> bool:
    return name.startswith("user.") or name in CARRIED


def a_file_server(place: Path, lab: Lab, tenant: str) -> Town:
    made = a_town(place, lab, tenant=tenant, wish=Wish(rows=40, documents=5, shipped="move-files"))
    a_shelf(made.host("alt-1").root)
    return made


def test_a_share_moves_with_its_acls_and_comes_back(lab: Lab, tmp_path: Path) -> None:
    town = a_file_server(tmp_path / "story", lab, "ablage")
    old, new = town.host("alt-1"), town.host("rz-1")
    before = looks(old.root)
    assert len(before) > 60
    forward = town.story.tried("wave", "run", "W01")
    assert town.story.states() == {"alt-1": ("moved", "")}, forward
    assert (looks(new.root), looks(old.root)) == (before, before)
    assert before[b"kasse/ohne ACL"][-1] == [] and len(before[b"kasse"][-1]) == 2  # type: ignore[arg-type]
    added = new.root / DATA.lstrip("/") / "ablage/kasse/neu"
    added.write_text("auf dem neuen Server")
    there = looks(new.root)
    back = town.story.tried("wave", "rollback", "W01", "--yes", "--reason", "Probe", person=ENGINEER)
    assert town.story.states() == {"alt-1": ("rolled_back", "asked")}, back
    assert (looks(old.root), looks(new.root)) == (there, {})
    assert not list(old.root.rglob("kahn-was-here")) and not list(new.root.rglob("kahn-was-here"))


@pytest.mark.long
def test_a_file_that_is_open_behind_the_barrier_brings_the_old_server_back_at_once(lab: Lab, tmp_path: Path) -> None:
    town = a_file_server(tmp_path / "story", lab, "offen")
    old, new = town.host("alt-1"), town.host("rz-1")
    before = looks(old.root)
    argv = old.inside("python3", "-u", "-c", HOLDS, f"{DATA}/ablage/kasse/mit ACL")
    holder = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline()
    ended = town.story.tried("wave", "run", "W01")
    holder.communicate()
    assert town.story.states() == {"alt-1": ("rolled_back", "files_in_use")}, ended
    assert old.run("systemctl", "is-active", "wohngeld.service").strip() == "active"
    assert (looks(old.root), looks(new.root)) == (before, {})

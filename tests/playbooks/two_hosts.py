"""Two roots that stand for the hosts of a server that moves as a whole, with hostile names and files."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.playbooks.modules import module

HOSTILE = ("Bescheid für Müller.txt", 'mit "Anführung" und\nZeile', "u\u0308ber NFD", "\u00fcber NFC", "$(touch x)")
PASSWD = "root:x:0:0:root:/root:/bin/bash\n"
OLD_ADDRESS, NEW_ADDRESS = "192.0.2.10", "192.0.2.99"
server = module("kahn_server")


def a_host(root: Path, *, accounts: str = "", groups: str = "") -> Path:
    """A root with account files, a package database without packages, and what every system has."""
    for one in ("etc/systemd/system", "var/lib/dpkg/info", "home", "root/.ssh", "srv", "usr", "opt"):
        (root / one).mkdir(parents=True, exist_ok=True)
    (root / "etc/passwd").write_text(PASSWD + accounts)
    (root / "etc/group").write_text("root:x:0:\nsudo:x:27:\n" + groups)
    shadow = "".join(f"{line.split(':')[0]}:!:19000:0:99999:7:::\n" for line in (PASSWD + accounts).splitlines())
    (root / "etc/shadow").write_text(shadow)
    (root / "etc/gshadow").write_text("root:*::\nsudo:*::\n")
    (root / "etc/machine-id").write_text(f"{root.name}\n")
    (root / "root/.ssh/authorized_keys").write_text(f"key of {root.name}\n")
    return root


@dataclass
class Two:
    """Old and new host; the programs on both run here, each with its root."""

    place: Path
    old: Path = field(init=False)
    new: Path = field(init=False)

    def __post_init__(self) -> None:
        people = f"amt:x:{os.getuid() + 1500}:{os.getuid() + 1500}:Amt:/home/amt:/bin/bash\n"
        self.old = a_host(self.place / "alt", accounts=people, groups="amt:x:1500:\nbau:x:1600:amt\n")
        self.new = a_host(self.place / "neu")
        fill(self.old)
        (self.new / "srv/schon da").write_text("of the new host\n")
        (self.new / "etc/motd").write_text("welcome to the new host\n")

    @property
    def ssh(self) -> list[str]:
        """How the hosts are reached: not at all, but with their own package programs."""
        return ["env", f"PATH={self.programs}:{os.environ['PATH']}", "sh", "-c"]

    @property
    def programs(self) -> str:
        """A folder with dpkg-query, apt-mark and apt-cache of hosts without packages of their own."""
        folder = self.place / "programs"
        folder.mkdir(exist_ok=True)
        for name in ("dpkg-query", "apt-mark", "apt-cache"):
            (folder / name).write_text("#!/bin/sh\nexit 0\n")
            (folder / name).chmod(0o755)
        return str(folder)

    def act(self, state: str) -> dict[str, Any]:
        """One step as a playbook asks for it; its answer."""
        asked = {
            "asset": "srv-1",
            "ssh": dict.fromkeys(("source", "target"), self.ssh),
            "machines": {"source": {"address": OLD_ADDRESS}, "target": {"address": NEW_ADDRESS}},
        }
        with server.Pair(asked, roots={"source": str(self.old), "target": str(self.new)}) as pair:
            return dict(server.STATES[state](pair)[1])


def lose(talk: Any) -> None:
    """The program behind a session and what it started end, as when a host is lost."""
    _kill(talk._program.pid)
    talk._program.wait()


def _kill(pid: int) -> None:
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        _kill(int(child))
    os.kill(pid, signal.SIGKILL)


def fill(root: Path) -> None:
    """Data, programs and configuration of a server."""
    for name in HOSTILE:
        (root / "srv" / name).write_text(name)
    (root / "home/amt").mkdir()
    (root / "home/amt/post").write_text("x" * 5000)
    (root / "var/lib/kasse").mkdir(parents=True)
    with open(root / "var/lib/kasse/loch", "wb") as sparse:
        sparse.seek(64 * 1024 * 1024)
        sparse.write(b"end")
    (root / "srv/zweiter Name").hardlink_to(root / "srv" / HOSTILE[0])
    (root / "srv/link").symlink_to("/etc/shadow")
    (root / "etc/kasse.conf").write_text(f"listen {OLD_ADDRESS}:80\nnot {OLD_ADDRESS}0\n")
    (root / "etc/motd").write_text("welcome to the old host\n")
    (root / "etc/fstab").write_text("/dev/sda1 / ext4 defaults 0 1\n")
    (root / "etc/ssh").mkdir()
    (root / "etc/ssh/ssh_host_ed25519_key").write_text("secret of the old host\n")


def tree(root: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a root but Kahn's notes: kind and mode, owner, times of files, contents or target."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if name.startswith("var/lib/kahn") or name in ("etc/.pwd.lock",):
            continue
        entry = path.lstat()
        what = os.readlink(path) if path.is_symlink() else ""
        if stat.S_ISREG(entry.st_mode):
            what = hashlib.sha256(path.read_bytes()).hexdigest()
        time = entry.st_mtime_ns if stat.S_ISREG(entry.st_mode) and not name.startswith("etc/") else 0
        found[name] = (entry.st_mode, entry.st_uid, entry.st_gid, time, what)
    return found

"""The four account files of a machine, read at once and written back by rename. Python 3.9, standard library only."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager

try:
    from ansible.module_utils.kahn_outcome import write_whole
except ImportError:  # sent to a host as one program
    from kahn_outcome import write_whole

FILES = {"passwd": 7, "shadow": 9, "group": 4, "gshadow": 4}
# A group of such a name gives rights once the software behind it is installed.
RIGHTS = frozenset(
    ("adm", "admin", "backup", "disk", "docker", "incus", "incus-admin", "kmem", "kvm", "libvirt", "lpadmin", "lxd")
).union(("operator", "podman", "root", "shadow", "staff", "sudo", "tty", "wheel", "wireshark"))


class Books:
    """The four account files below a directory, read at once and written back by rename where they changed."""

    def __init__(self, etc):
        self._etc = etc
        self.rows = {name: self._read(name) for name in FILES}
        self._old = {name: list(map(list, rows)) for name, rows in self.rows.items()}

    def _read(self, name):
        try:
            with open(os.path.join(self._etc, name), encoding="utf-8", errors="surrogateescape") as opened:
                return [line.rstrip("\n").split(":") for line in opened]
        except FileNotFoundError:
            return []

    def entries(self, name):
        """Well-formed rows of a file by their first field."""
        return {row[0]: row for row in self.rows[name] if len(row) == FILES[name] and row[0]}

    def rights_of(self, name):
        """Groups that give rights and that this account is in, also as its own first group."""
        first = self.entries("passwd").get(name, [""] * FILES["passwd"])[3]
        groups = self.entries("group").values()
        return sorted(row[0] for row in groups if row[0] in RIGHTS and (row[2] == first or name in row[3].split(",")))

    def write(self):
        """Replace the files that changed, keeping mode and owner; whether any did."""
        changed = [name for name in ("gshadow", "shadow", "group", "passwd") if self.rows[name] != self._old[name]]
        for name in changed:
            path = os.path.join(self._etc, name)
            before = os.stat(path)
            text = "".join(":".join(row) + "\n" for row in self.rows[name]).encode("utf-8", "surrogateescape")
            write_whole(path + "+", [text], mode=before.st_mode & 0o7777)
            os.chown(path + "+", before.st_uid, before.st_gid)
            os.replace(path + "+", path)
        return bool(changed)


@contextmanager
def locked(etc):
    """The lock that the system's own account tools take."""
    with open(os.path.join(etc, ".pwd.lock"), "a") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        yield

"""One end of a session in which files are carried from host to host: what a whole server and a procedure share.

Python 3.9, standard library only; sent to the hosts as one program.
"""

from __future__ import annotations

import os
import stat
import sys
import time

try:
    from ansible.module_utils import kahn_parcel as parcel
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, store_of
    from ansible.module_utils.kahn_switch import replaced
except ImportError:  # sent to a host as one program
    import kahn_parcel as parcel
    from kahn_outcome import Trouble, printable, remove_file, store_of
    from kahn_switch import replaced

SKEW_S, SPARE = 300, 64 * 1024 * 1024
ALL_CONTENTS = 1024**3
"""Up to so many bytes every content is read again while users wait; of more, only what was carried then."""
LARGEST_TEXT = 1 << 24


class End:
    """Answers that do not depend on what moves. `words`: asset, part and root. `ANSWERS` are the names of all."""

    ANSWERS = ("look", "survey", "fit", "prepare", "unprepare", "changes", "known", "give", "take", "agree", "address",
               "fence", "open", "prints", "remove", "anew")  # fmt: skip

    def __init__(self, words):
        self.root, self.part = words["root"], words["part"]
        self.store = store_of(words["asset"], os.path.join(self.root, "var/lib/kahn"))

    def ops(self):
        """What can be asked, by name."""
        return {name: getattr(self, name) for name in self.ANSWERS}

    def at(self, name):
        """The place of a name."""
        return os.path.join(self.root, name.lstrip("/"))

    def _ground(self, tops):
        raise NotImplementedError

    def anew(self, line):
        """The other side has nothing: the next time everything is sent."""
        for name in ("parcel", "parcel.next"):
            remove_file(os.path.join(self.store, name))
        return {}

    def changes(self, line, tops):
        """How much changed since both were equal, and which changed files are large."""
        now, changed, gone = parcel.changes(self.store, self._ground(tops))
        return {"changed": len(changed), "gone": len(gone), "large": parcel.large(now, changed)}

    def give(self, line, tops, known):
        """Send what changed."""
        return parcel.give(line, store=self.store, ground=self._ground(tops), known=known)

    def readdressed(self, names, pairs):
        """Write the new host's addresses into these files; how many changed."""
        return sum(_readdress(self.at(name), pairs) for name in names)


def fit_itself(now):
    """Python and clock are as needed. `now` is the controller's time. Raises Trouble."""
    if sys.version_info < (3, 9):  # noqa: UP036 (the machine decides)
        raise Trouble("python_too_old", f"Python {sys.version[:6]} is here, 3.9 is needed.")
    skew = time.time() - now
    if abs(skew) > SKEW_S:
        raise Trouble("clock_wrong", f"The clock is {skew:.0f} s off.")


def room(path, need):
    """There is room for `need` (bytes, entries) where a path is or will be, and it can be written to.

    Raises Trouble.
    """
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    found = os.statvfs(path)
    free, wanted = found.f_bavail * found.f_frsize, need["bytes"] + need["entries"] * 4096 + SPARE
    if found.f_flag & os.ST_RDONLY or not os.access(path, os.W_OK):
        raise Trouble("read_only", printable(path) + " cannot be written to.")
    if free < wanted:
        raise Trouble("not_enough_space", f"{free >> 20} MiB are free, {wanted >> 20} are needed.", free_bytes=free)


def _readdress(path, pairs):
    """Whether a file was changed; only a plain file that can be a text is."""
    entry = os.lstat(path)
    if not stat.S_ISREG(entry.st_mode) or entry.st_size > LARGEST_TEXT:
        return False
    with open(path, "rb") as opened:
        text = before = opened.read()
    for old, new in pairs:
        text = replaced(text, old.encode(), new.encode())
    if text == before:
        return False
    part = path + parcel.PART
    remove_file(part)  # of a program that was killed
    with open(part, "xb") as opened:
        opened.write(text)
        os.fchown(opened.fileno(), entry.st_uid, entry.st_gid)
        os.fchmod(opened.fileno(), stat.S_IMODE(entry.st_mode))
    os.utime(part, ns=(entry.st_mtime_ns, entry.st_mtime_ns))
    os.replace(part, path)
    return True

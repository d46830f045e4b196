"""Files that name the old server's address: switched with the gateway, and put back as they were.

On the gateway (zones, hosts files) and on machines of other procedures: whatever leads to the procedure. What was there
is kept before anything is written. Python 3.9, standard library only; sent to the host as part of one program.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
from contextlib import contextmanager

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, write_whole
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable, remove_file, write_whole

LARGEST = 4 * 1024 * 1024


class Switch:
    """The files of one procedure. `addresses` of `old` and `new`; `store` is the asset's directory on this machine."""

    def __init__(self, words, store):
        settings = words["settings"]
        self.files = [os.path.join(words["root"], one.lstrip("/")) for one in settings.get("switch_files", [])]
        self.reload = settings.get("switch_reload", [])
        self._old, self._new = (words["addresses"][side].encode() for side in ("old", "new"))
        self._kept = os.path.join(store, "switched")

    def fit(self):
        """Every file is there and names the old server, so that there is something to switch. Raises Trouble."""
        for path in self.files:
            if not os.path.isfile(path) or os.path.islink(path):
                raise Trouble("switch_differs", f"{printable(path)} is no plain file.")
            if not self.begun() and not _names(_read(path), self._old):
                raise Trouble("switch_differs", f"{printable(path)} does not name the old server's address.")

    def begun(self):
        """Whether what was there is kept: a switch has begun and was not taken back whole."""
        return os.path.exists(self._kept)

    def is_new(self):
        """Whether no file names the old server any more."""
        return not any(_names(_read(path), self._old) for path in self.files)

    def turn(self, to):
        """Let every file name that side; True when something was written. Whatever was there is kept first."""
        if not self.files:
            return False
        with _one_at_a_time(os.path.dirname(os.path.dirname(self._kept))):
            before = self._before()
            written = [path for path in self.files if self._turn(path, to, before.get(path))]
        return bool(written)

    def _turn(self, path, to, before):
        now = _read(path)
        old = base64.b64decode(before["text"])
        new = replaced(old, self._old, self._new)
        if to == "new":
            text, stamp = replaced(now, self._old, self._new), 0
        elif now in (new, old):
            text, stamp = old, before["mtime"]
        else:  # somebody changed it meanwhile: what they wrote stays
            text, stamp = self._back(now, old), 0
        if text == now:
            return False
        _write(path, text, stamp)
        return True

    def _back(self, now, old):
        """Line by line: one that named the new server before the switch already, such as its own name's, stays."""
        stay = set(old.splitlines())
        lines = now.splitlines(keepends=True)
        return b"".join(one if one.rstrip(b"\r\n") in stay else replaced(one, self._new, self._old) for one in lines)

    def _before(self):
        """What was there before the first switch: {path: text and time}, noted now where it was not."""
        try:
            with open(self._kept, "rb") as opened:
                return json.load(opened)
        except FileNotFoundError:
            kept = {path: {"text": base64.b64encode(_read(path)).decode("ascii"), "mtime": os.stat(path).st_mtime_ns}
                    for path in self.files}  # fmt: skip
            write_whole(self._kept, [json.dumps(kept).encode("ascii")])
            return kept
        except ValueError:
            raise Trouble("record_damaged", "What was kept of switched files cannot be read.") from None

    def forget(self):
        """Everything is as it was before."""
        remove_file(self._kept)


@contextmanager
def _one_at_a_time(base):
    """Within: no other move writes such a file on this machine; two procedures may stand in one."""
    lock = os.open(os.path.join(base, "switch.lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def replaced(text, old, new):
    """The text with each whole occurrence replaced: 10.0.0.1 is no part of 10.0.0.11 or 210.0.0.1."""
    return _whole(old).sub(lambda found: new, text)


def _names(text, address):
    return bool(_whole(address).search(text))


def _whole(word):
    before = rb"(?<![A-Za-z0-9.-])" if word[:1].isalnum() else b""
    after = rb"(?![A-Za-z0-9-]|\.[A-Za-z0-9])" if word[-1:].isalnum() else b""
    return re.compile(before + re.escape(word) + after)


def _read(path):
    with open(path, "rb") as opened:
        text = opened.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise Trouble("switch_differs", f"{printable(path)} is larger than 4 MiB.")
    return text


def _write(path, text, stamp):
    entry = os.stat(path)
    part = path + ".kahn-new"
    remove_file(part)
    try:
        write_whole(part, [text], mode=entry.st_mode & 0o7777)
        os.chown(part, entry.st_uid, entry.st_gid)
        if stamp:
            os.utime(part, ns=(stamp, stamp))
        os.replace(part, path)
    finally:
        remove_file(part)

"""What arrives of a procedure's files: written beside its place, checked, and put there by rename when all has come.

A stream that breaks off leaves everything as it was but empty directories. Every directory is opened relative to its
parent without following links, and only below the names that were agreed on. Python 3.9, standard library only.
"""

from __future__ import annotations

import json
import os
import stat
import struct
from contextlib import suppress

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable
    from ansible.module_utils.kahn_parcel import BLOCK, PART, READ, blocks_of, digest_of
    from ansible.module_utils.kahn_unpack import Home, dress
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable
    from kahn_parcel import BLOCK, PART, READ, blocks_of, digest_of
    from kahn_unpack import Home, dress

_ID_LIMIT = 2**32 - 2
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def take(line, *, root, tops):
    """Write what arrives beside its place, check it, then put everything in place. Raises Trouble, OSError."""
    taken = _Taken(root, tops)
    try:
        for kind, body in line.arriving():
            taken.block(body) if kind == b"D" else taken.record(json.loads(body))
        return taken.settle()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Trouble("parcel_damaged", "What arrived makes no sense: " + printable(repr(error))) from None
    finally:
        taken.close()


class _Taken:
    """One arrival."""

    def __init__(self, root, tops):
        self._place, self._tops, self._root = Home(root), tops, root
        self._gone, self._parts, self._directories, self._links = [], [], [], []
        self._open, self._record, self.made = None, None, []

    def close(self):
        """Whatever was not put in place is taken away."""
        if self._open is not None:
            os.close(self._open)
        for part, _ in self._parts:
            directory, name = self._place.parent(part)
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)
        self._place.close()

    def record(self, told):
        """A record, the end of a file's contents, or names that are gone."""
        if "h" in told:
            self._finish_file(told["h"])
        elif "gone" in told:
            self._gone += [self._checked(path) for path in told["gone"]]
        else:
            self._begin(told["file"])

    def _checked(self, path, *, parent=False):
        words = path.split("/")
        if any(one in ("", ".", "..") or "\0" in one for one in words) or len(os.fsencode(path)) > 4000:
            raise ValueError("path " + path)
        inside = any(path == top or path.startswith(top + "/") for top in self._tops)
        if not (any(top.startswith(path + "/") for top in self._tops) if parent else inside):
            raise ValueError("path " + path)
        return path

    def _begin(self, record):
        path = self._checked(record["p"], parent=bool(record.get("parent")))
        if not (0 <= record["u"] <= _ID_LIMIT and 0 <= record["g"] <= _ID_LIMIT and 0 <= record["m"] <= 0o7777):
            raise ValueError("owner of " + path)
        if record["t"] == "d":
            self._make_directory(path, record)
        elif record["t"] == "l":
            part = self._part(path)
            directory, name = self._place.parent(part)
            os.symlink(os.fsencode(record["l"]), name, dir_fd=directory)
            os.chown(name, record["u"], record["g"], dir_fd=directory, follow_symlinks=False)
            os.utime(name, ns=(record["mt"], record["mt"]), dir_fd=directory, follow_symlinks=False)
        elif "n" in record:
            self._links.append((path, self._checked(record["n"])))
        elif record["t"] == "f":
            self._open_file(path, record)
        else:
            raise ValueError("kind of " + path)

    def _make_directory(self, path, record):
        directory, name = self._place.parent(path)
        entry = self._place.entry(path)
        if entry is not None and not stat.S_ISDIR(entry.st_mode):
            os.unlink(name, dir_fd=directory)
            entry = None
        if entry is None:
            os.mkdir(name, 0o700, dir_fd=directory)
            self.made.append(path)
        elif record.get("parent"):
            return  # it was here before: not ours to change
        self._directories.append((path, record))

    def _part(self, path):
        part = "/".join([*path.split("/")[:-1], PART + str(len(self._parts))])
        self._parts.append((part, path))
        return part

    def _open_file(self, path, record):
        directory, name = self._place.parent(self._part(path))
        self._open, self._record = os.open(name, _NEW, 0o600, dir_fd=directory), record
        if record["base"]:
            base = os.open(os.fsencode(path.rsplit("/", 1)[-1]), READ, dir_fd=directory)
            try:
                for offset, piece in blocks_of(base, os.fstat(base).st_size):
                    _write(self._open, offset, piece)
            finally:
                os.close(base)

    def block(self, body):
        """A block of the open file; one without bytes is all zeros."""
        offset = struct.unpack(">Q", body[:8])[0]
        if not 0 <= offset <= self._record["s"]:
            raise ValueError("offset")
        _write(self._open, offset, body[8:] or bytes(BLOCK))

    def _finish_file(self, wanted):
        opened, record = self._open, self._record
        os.ftruncate(opened, record["s"])
        if digest_of("", opened) != wanted:
            raise Trouble("manifest_differs", printable(record["p"]) + " did not arrive as it was sent.")
        dress(opened, record)
        os.close(opened)
        self._open = None

    def settle(self):
        """Everything has arrived: take away what is gone, put in place what came, then the directories' own."""
        os.sync()
        for path in sorted(self._gone, key=lambda one: -one.count("/")):
            self._remove(path)
        count = len(self._parts)
        while self._parts:
            part, path = self._parts[-1]
            directory, name = self._place.parent(path)
            os.rename(os.fsencode(part.rsplit("/", 1)[-1]), name, src_dir_fd=directory, dst_dir_fd=directory)
            self._parts.pop()
        for path, first in self._links:
            self._remove(path)
            own = os.dup(self._place.parent(path)[0])
            try:
                directory, name = self._place.parent(first)
                last = os.fsencode(path.rsplit("/", 1)[-1])
                os.link(name, last, src_dir_fd=directory, dst_dir_fd=own, follow_symlinks=False)
            finally:
                os.close(own)
        for path, record in reversed(self._directories):
            directory, name = self._place.parent(path)
            opened = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            dress(opened, record)
            os.close(opened)
        return {"files": count, "made": self.made}

    def _remove(self, path):
        try:
            directory, name = self._place.parent(path)
            entry = os.lstat(name, dir_fd=directory)
            os.rmdir(name, dir_fd=directory) if stat.S_ISDIR(entry.st_mode) else os.unlink(name, dir_fd=directory)
        except (FileNotFoundError, NotADirectoryError):
            pass


def _write(opened, offset, piece):
    view = memoryview(piece)
    while view:
        done = os.pwrite(opened, view, offset)
        view, offset = view[done:], offset + done

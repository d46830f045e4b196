"""What arrives of a procedure's files: written beside its place, checked, and put there by rename when all has come.

A stream that breaks off leaves everything as it was but empty directories, and large files as far as they came: beside
their place, root's alone. The next time they are told by their blocks, and only what lacks is sent. Every directory is
opened relative to its parent without following links, and only below the names that were agreed on. Python 3.9,
standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import struct
from contextlib import suppress

try:
    from ansible.module_utils.kahn_home import Home, dress, opened_part, write_at
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, write_whole
    from ansible.module_utils.kahn_parcel import (
        BLOCK,
        LARGE,
        MOST_BLOCKS,
        PART,
        READ,
        blocks_known,
        blocks_of,
        digest_of,
    )
    from ansible.module_utils.kahn_talk import Ended
except ImportError:  # sent to a host as one program
    from kahn_home import Home, dress, opened_part, write_at
    from kahn_outcome import Trouble, printable, remove_file, write_whole
    from kahn_parcel import BLOCK, LARGE, MOST_BLOCKS, PART, READ, blocks_known, blocks_of, digest_of
    from kahn_talk import Ended

TAKING = "taking"
"""Note in the asset's directory: something is arriving, or broke off, and parts of it may lie about."""
_PART = re.compile(re.escape(PART.encode()) + rb"([0-9]+|[0-9a-f]{16})")
_ID_LIMIT = 2**32 - 2
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def part_of(path):
    """Where a large file arrives: the same place whenever it is tried."""
    top = path.rpartition("/")[0]
    told = PART + hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"{top}/{told}" if top else told


def known(paths, *, root, tops):
    """{path: its blocks} of what arrived of these files earlier, or else of what lies here. Raises ValueError."""
    found, left, place = {}, MOST_BLOCKS, Home(root)
    try:
        for path in paths:
            checked(path, tops)
            opened = _lying(place, path)
            if opened is None:
                continue
            try:
                left -= os.fstat(opened).st_size // BLOCK
                if left >= 0:
                    found[path] = blocks_known(opened)
            finally:
                os.close(opened)
    finally:
        place.close()
    return found


def _lying(place, path):
    """Descriptor of what arrived of a file, or else of the file; None where neither is a large file."""
    try:
        directory, name = place.parent(path)
        opened = _arrived(directory, path)
        opened = os.open(name, READ, dir_fd=directory) if opened is None else opened
    except OSError:
        return None
    return _if_large(opened)


def _arrived(directory, path):
    """Descriptor of a file's part, if it is large enough to go on with it."""
    opened = opened_part(directory, os.fsencode(part_of(path).rpartition("/")[2]))
    return None if opened is None else _if_large(opened)


def _if_large(opened):
    """A small file is told to nobody: its digest would tell too much of it."""
    entry = os.fstat(opened)
    if stat.S_ISREG(entry.st_mode) and entry.st_size >= LARGE:
        return opened
    os.close(opened)
    return None


def checked(path, tops, *, parent=False):
    """The path, if it lies at or below the tops, or with `parent` above one of them. Raises ValueError."""
    words = path.split("/")
    if any(one in ("", ".", "..") or "\0" in one for one in words) or len(os.fsencode(path)) > 4000:
        raise ValueError("path " + path)
    inside = any(path == top or path.startswith(top + "/") for top in tops)
    if not (any(top.startswith(path + "/") for top in tops) if parent else inside):
        raise ValueError("path " + path)
    return path


def take(line, *, root, tops, store):
    """Write what arrives beside its place, check it, then put everything in place. Raises Trouble, OSError, Ended."""
    broke_off = os.path.lexists(os.path.join(store, TAKING))
    if broke_off:
        _sweep(root, tops, large=False)
    write_whole(os.path.join(store, TAKING), [])
    taken, keeps = _Taken(root, tops), False
    try:
        for kind, body in line.arriving():
            taken.block(body) if kind == b"D" else taken.record(json.loads(body))
        told = taken.settle()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Trouble("parcel_damaged", "What arrived makes no sense: " + printable(repr(error))) from None
    except (Ended, Trouble) as error:
        keeps = isinstance(error, Ended) or error.cause == "giver_failed"
        raise
    finally:
        taken.close(keeps)
    if broke_off:
        _sweep(root, tops)
    remove_file(os.path.join(store, TAKING))
    return told


def clear(root, tops, store):
    """Take away what broke off, if anything did."""
    if os.path.lexists(os.path.join(store, TAKING)):
        _sweep(root, tops)
        remove_file(os.path.join(store, TAKING))


def _sweep(root, tops, *, large=True):
    """Remove parts that lie about; without `large` only those that nobody goes on with."""
    for top in tops:
        place = os.path.join(os.fsencode(root), os.fsencode(top))
        _remove_parts(os.path.dirname(place), [os.fsencode(part_of(top).rpartition("/")[2])], large)
        if os.path.isdir(place) and not os.path.islink(place):
            for folder, _, names in os.walk(place):
                _remove_parts(folder, names, large)


def _remove_parts(folder, names, large):
    for name in names:
        found = _PART.fullmatch(name)
        if found and (large or len(found[1]) < 16):
            with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
                os.unlink(os.path.join(folder, name))


class _Taken:
    """One arrival."""

    def __init__(self, root, tops):
        self._place, self._tops, self._root = Home(root), tops, root
        self._gone, self._parts, self._directories, self._links = [], [], [], []
        self._open, self._record, self.made, self._late = None, None, [], {}

    def close(self, keeps):
        """Whatever was not put in place is taken away, but for large files where that `keeps` them."""
        if self._open is not None:
            os.close(self._open)
        for part, path in self._parts:
            if keeps and part == part_of(path):
                continue
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
        return checked(path, self._tops, parent=parent)

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

    def _part(self, path, *, large=False):
        part = part_of(path) if large else "/".join([*path.split("/")[:-1], PART + str(len(self._parts))])
        self._parts.append((part, path))
        return part

    def _open_file(self, path, record):
        if record["s"] < 0:
            raise ValueError("size of " + path)
        large = record["base"] or record["s"] >= LARGE
        directory, name = self._place.parent(self._part(path, large=large))
        self._record, self._open = record, _arrived(directory, path) if record["base"] else None
        if self._open is not None:
            return
        if large:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)
        self._open = os.open(name, _NEW, 0o600, dir_fd=directory)
        if record["base"]:
            base = os.open(os.fsencode(path.rsplit("/", 1)[-1]), READ, dir_fd=directory)
            try:
                for offset, piece in blocks_of(base, os.fstat(base).st_size):
                    write_at(self._open, offset, piece, holes=True)
            finally:
                os.close(base)

    def block(self, body):
        """A block of the open file; one without bytes is all zeros."""
        offset = struct.unpack(">Q", body[:8])[0]
        if not 0 <= offset <= self._record["s"]:
            raise ValueError("offset")
        write_at(self._open, offset, body[8:] or bytes(BLOCK), holes=not self._record["base"])

    def _finish_file(self, wanted):
        opened, record = self._open, self._record
        os.ftruncate(opened, record["s"])
        if digest_of("", opened) != wanted:
            raise Trouble("manifest_differs", printable(record["p"]) + " did not arrive as it was sent.")
        if self._parts[-1][0] == part_of(record["p"]):
            self._late[self._parts[-1][0]] = record  # root's until all is there: it may have to be gone on with
        else:
            dress(opened, record)
        os.close(opened)
        self._open = None

    def _dress_late(self):
        for part, record in self._late.items():
            directory, name = self._place.parent(part)
            opened = opened_part(directory, name)
            if opened is None:
                raise Trouble("manifest_differs", printable(record["p"]) + " is not there any more.")
            dress(opened, record)
            os.close(opened)

    def settle(self):
        """Everything has arrived: take away what is gone, put in place what came, then the directories' own."""
        self._dress_late()
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

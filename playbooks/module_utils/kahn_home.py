"""The users' home directories as they are entered to write: names out of a manifest, never through a link.

What the manifest may name is checked before anything of it is used. Every directory is opened relative to its parent
without following links. Python 3.9, standard library only; sent to a host as one program together with what uses it.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import stat

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable
    from ansible.module_utils.kahn_tree import carried, is_carried_attribute
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable
    from kahn_tree import carried, is_carried_attribute

_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ID_LIMIT = 2**32 - 2
_ZEROS = bytes(4096)
PART = ".kahn-part-"


def checked(records):
    """The manifest's records by path, each below a directory named before it. Raises Trouble."""
    known = {}
    for record in records:
        try:
            _check(record, known)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Trouble("manifest_damaged", "The manifest has a bad entry: " + printable(repr(error))) from None
        known[record["p"]] = carried(record)
    return known


def _check(record, known):
    path, kind = record["p"], record["t"]
    words = path.split("/")
    if any(one in ("", ".", "..") or "\0" in one for one in words) or len(os.fsencode(path)) > 4000 or path in known:
        raise ValueError("path " + path)
    if len(words) > 1 and known[path.rsplit("/", 1)[0]]["t"] != "d":
        raise ValueError("parent of " + path)
    if kind not in ("f", "d", "l") or (kind == "l") != ("l" in record) or not 0 <= record["m"] <= 0o7777:
        raise ValueError("kind of " + path)
    if not (0 <= record["u"] <= _ID_LIMIT and 0 <= record["g"] <= _ID_LIMIT) or not isinstance(record["mt"], int):
        raise ValueError("owner of " + path)
    if kind == "f" and not (isinstance(record["s"], int) and isinstance(record["h"], str)):
        raise ValueError("content of " + path)
    if "n" in record and (kind != "f" or known[record["n"]]["t"] != "f" or known[record["n"]].get("n")):
        raise ValueError("hard link " + path)


class Home:
    """The home directory of the successor, entered by descriptors only."""

    def __init__(self, top):
        self._chain = [("", os.open(top, _DIR))]

    def close(self):
        """Close every descriptor."""
        while self._chain:
            os.close(self._chain.pop()[1])

    def parent(self, path):
        """Descriptor of the directory that holds `path`, and the last name."""
        words = path.split("/")
        while len(self._chain) > len(words) or any(
            have[0] != want
            for have, want in zip(self._chain[1:], words[: len(self._chain) - 1])  # noqa: B905 (Python 3.9)
        ):
            os.close(self._chain.pop()[1])
        for word in words[len(self._chain) - 1 : -1]:
            self._chain.append((word, os.open(os.fsencode(word), _DIR, dir_fd=self._chain[-1][1])))
        return self._chain[-1][1], os.fsencode(words[-1])

    def entry(self, path):
        """What lies there, or None."""
        try:
            directory, name = self.parent(path)
            return os.lstat(name, dir_fd=directory)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                return None
            raise


def dress(opened, record):
    """Owner, attributes, mode and times, in the order in which none undoes another."""
    os.fchown(opened, record["u"], record["g"])
    dress_attributes(opened, record)
    os.fchmod(opened, record["m"])
    os.utime(opened, ns=(record["mt"], record["mt"]))


def dress_attributes(opened, record):
    """Exactly the other side's: what was inherited from a folder's default ACL goes. Raises Trouble."""
    wanted = {name: one for name, one in (record.get("x") or {}).items() if is_carried_attribute(name)}
    try:
        for name in os.listxattr(opened):
            if is_carried_attribute(name) and name not in wanted:
                os.removexattr(opened, name)
        for name, value in wanted.items():
            os.setxattr(opened, name, base64.b64decode(value))
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        if wanted:
            says = "The file system does not keep the ACL or attributes of " + printable(record["p"]) + "."
            raise Trouble("acl_not_supported", says) from None


# ---------------------------------------------------------------------------- files that are not whole yet


def part_of(path, known=()):
    """Name beside a file under which it arrives: one that nobody takes for the file, and that no other file has."""
    top, count = path.rpartition("/")[0], 0
    while True:
        told = hashlib.sha256(f"{count} {path}".encode("utf-8", "surrogateescape")).hexdigest()
        part = f"{top}/{PART}{told[:16]}" if top else PART + told[:16]
        if part not in known:
            return part
        count += 1


def opened_part(directory, name):
    """Descriptor of what arrived of a file, or None when anything else lies there: a link, or somebody else's file."""
    try:
        opened = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return None
    entry = os.fstat(opened)
    if stat.S_ISREG(entry.st_mode) and entry.st_nlink == 1 and entry.st_uid == os.geteuid():
        return opened
    os.close(opened)
    return None


def write_at(opened, offset, piece, *, holes):
    """Write a piece. With `holes`, what is zeros is left out: only where nothing was written before."""
    if not holes or _ZEROS not in piece:
        _write_all(opened, offset, piece)
        return
    if piece == bytes(len(piece)):
        return
    begun = None
    for place in range(0, len(piece) + len(_ZEROS), len(_ZEROS)):
        block = piece[place : place + len(_ZEROS)]
        if block != _ZEROS[: len(block)]:
            begun = place if begun is None else begun
        elif begun is not None:
            _write_all(opened, offset + begun, piece[begun:place])
            begun = None


def _write_all(opened, offset, piece):
    view = memoryview(piece)
    while view:
        done = os.pwrite(opened, view, offset)
        view, offset = view[done:], offset + done

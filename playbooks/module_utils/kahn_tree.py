"""Records of a file tree, one JSON line per path, and their digest. Python 3.9, standard library only.

A record has p (path, undecodable bytes kept), t (f file, d directory, l link, else other), m (permission bits), u, g,
and where it applies s (bytes), mt (mtime, ns), h (SHA-256), l (link target), x (extended attributes, base64),
n (the first path of the same inode), r (device number).
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import stat

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable

CHUNK = 1024 * 1024
_KINDS = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFBLK: "b", stat.S_IFCHR: "c"}
_KINDS.update({stat.S_IFIFO: "p", stat.S_IFSOCK: "s"})
_FIELDS = {
    "t": "kind", "m": "mode", "u": "owner", "g": "group", "s": "size", "mt": "time", "h": "content", "l": "link target",
    "x": "attributes", "n": "hard link", "r": "device",
}  # fmt: skip
CARRIED_ATTRIBUTES = ("system.posix_acl_access", "system.posix_acl_default", "security.NTACL")
"""Attributes that belong to a file rather than to its machine, beside `user.*`. The last holds Samba's ACLs."""


def walk(top, skip=frozenset(), deep=None, one_device=False, prefix=""):
    """Records of everything below `top`, parents first, names in byte order; `top` itself only with a prefix.

    `skip` holds paths that are left out, `deep` the paths whose contents are read (None: all). Names are relative
    to `top` below `prefix`. Raises Trouble for another file system when only one device is allowed.
    """
    device = os.lstat(top).st_dev
    seen = {}
    waiting = [(os.fsencode(top), prefix)]
    while waiting:
        path, name = waiting.pop()
        try:
            entry = os.lstat(path)
        except FileNotFoundError:
            continue
        if name:
            reads = deep is None or any(_below(os.fsdecode(path), one) for one in deep)
            record = _record(path, name, entry, reads, seen)
            if record is None:
                continue
            yield record
        if stat.S_ISDIR(entry.st_mode):
            if one_device and entry.st_dev != device:
                raise Trouble("mounts_in_home", "Another file system is mounted at " + printable(path) + ".")
            waiting.extend(_children(path, name, skip))


def _below(path, top):
    return path == top or path.startswith(top.rstrip("/") + "/")


def _children(path, name, skip):
    try:
        names = sorted(os.listdir(path), reverse=True)
    except FileNotFoundError:
        return
    for one in names:
        child = os.path.join(path, one)
        if os.fsdecode(child) not in skip:
            below = one.decode("utf-8", "surrogateescape")
            yield child, name + "/" + below if name else below


def _record(path, name, entry, reads, seen):
    kind = _KINDS.get(stat.S_IFMT(entry.st_mode), "?")
    record = {"p": name, "t": kind, "m": stat.S_IMODE(entry.st_mode), "u": entry.st_uid, "g": entry.st_gid}
    try:
        if kind == "f":
            _describe_file(record, path, entry, reads, seen)
        elif kind == "l":
            record["l"] = os.readlink(path).decode("utf-8", "surrogateescape")
        elif kind in "bc":
            record["r"] = entry.st_rdev
        if kind in "fl" or reads:
            record["mt"] = entry.st_mtime_ns
        if reads and kind in "fd":
            _describe_attributes(record, path)
    except FileNotFoundError:
        return None
    return record


def _describe_file(record, path, entry, reads, seen):
    record["s"] = entry.st_size
    if entry.st_nlink > 1:
        first = seen.setdefault((entry.st_dev, entry.st_ino), record["p"])
        if first != record["p"]:
            record["n"] = first
    if reads:
        record["h"] = digest_of_file(path)


def _describe_attributes(record, path):
    try:
        names = sorted(os.listxattr(path, follow_symlinks=False))
    except OSError:
        return
    if names:
        values = {one: os.getxattr(path, one, follow_symlinks=False) for one in names}
        record["x"] = {one: base64.b64encode(value).decode() for one, value in values.items()}


def digest_of_file(path):
    """SHA-256 of a regular file, read without following a link and without touching its access time."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        opened = os.open(path, flags | os.O_NOATIME)
    except PermissionError:
        opened = os.open(path, flags)
    digest = hashlib.sha256()
    try:
        while True:
            piece = os.read(opened, CHUNK)
            if not piece:
                return digest.hexdigest()
            digest.update(piece)
    finally:
        os.close(opened)


def filled(path, entry=None):
    """Bytes that a file takes: its length without its holes; nothing where there is no plain file any more."""
    try:
        found = os.lstat(path) if entry is None else entry
        if not stat.S_ISREG(found.st_mode):
            return 0
        if found.st_blocks * 512 >= found.st_size:
            return found.st_size
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        return _in_extents(opened, found.st_size)
    finally:
        os.close(opened)


def _in_extents(opened, size):
    # Not the blocks of the disk: where a file system compresses, the same file takes more elsewhere.
    whole = place = 0
    while place < size:
        try:
            begin = os.lseek(opened, place, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole is left
                break
            return size
        place = os.lseek(opened, begin, os.SEEK_HOLE)
        whole += place - begin
    return min(whole, size)


def carried(record):
    """The record as it is brought to the successor: no set-id bits on files, only plain attributes and ACLs."""
    kept = dict(record, m=record["m"] & (0o3777 if record["t"] == "d" else 0o1777))
    attributes = {one: value for one, value in record.get("x", {}).items() if is_carried_attribute(one)}
    kept.pop("x", None)
    if attributes:
        kept["x"] = attributes
    return kept


def is_carried_attribute(name):
    """Whether an extended attribute belongs to the user's file rather than to the machine."""
    return name.startswith("user.") or name in CARRIED_ATTRIBUTES


def attributes_of(path):
    """{name: bytes} of the carried attributes of a file or folder, sorted by name."""
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            return {}
        raise
    return {one: os.getxattr(path, one, follow_symlinks=False) for one in sorted(names) if is_carried_attribute(one)}


def line_of(record):
    """The one JSON line of a record, as bytes."""
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"


def digest_of_lines(lines):
    """SHA-256 over lines."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
    return digest.hexdigest()


def read_records(path):
    """Records of a file and the digest of its lines. Raises Trouble when it is missing or no such file."""
    digest, records = hashlib.sha256(), []
    try:
        with open(path, "rb") as opened:
            for line in opened:
                digest.update(line)
                records.append(json.loads(line))
    except FileNotFoundError:
        raise Trouble("manifest_missing", "There is no " + path + ".") from None
    except ValueError:
        raise Trouble("manifest_damaged", path + " is not readable.") from None
    return records, digest.hexdigest()


def differences(before, now, limit):
    """What differs between two lists of records: (sentences, at most `limit`; how many in all)."""
    old, new = ({one["p"]: one for one in records} for records in (before, now))
    said, count = [], 0
    for path in sorted(old.keys() | new.keys()):
        what = _difference(old.get(path), new.get(path))
        if what:
            count += 1
            if len(said) < limit:
                said.append(printable(path) + ": " + what)
    return said, count


def _difference(old, new):
    if old is None:
        return "new"
    if new is None:
        return "missing"
    if old == new:
        return ""
    fields = sorted(old.keys() | new.keys())
    return ", ".join(_FIELDS.get(one, one) for one in fields if old.get(one) != new.get(one))

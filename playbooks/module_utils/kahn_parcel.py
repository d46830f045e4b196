"""Files of a procedure, carried as what changed since both sides were last equal. Python 3.9, standard library only.

Both sides keep, for each path, what `lstat` said when they were equal: who changed since has another inode number,
size, time or change time (ctime, which nobody can set back). Names are relative to the root.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
import struct

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, write_whole
    from ansible.module_utils.kahn_tree import attributes_of, filled
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable, remove_file, write_whole
    from kahn_tree import attributes_of, filled

BLOCK = 256 * 1024
LARGE = 4 * BLOCK
"""Bytes from which a file is carried by its blocks: only those that the other side has not."""
MOST_LARGE, MOST_BLOCKS = 1000, 150_000
"""Files, and blocks of them, that are asked about at once; the rest is sent whole."""
PART = ".kahn-new-"
_KINDS = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l"}
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


# ---------------------------------------------------------------------------- what is there


def states(root, tops, skip=frozenset()):
    """{path: state} of everything at and below the tops, parents first; sockets, pipes and devices are left out.

    A state is [kind, mode, uid, gid, size, mtime, ctime, inode, link target]. Raises Trouble at another file system.
    """
    found = {}
    for top in tops:
        path = os.path.join(os.fsencode(root), os.fsencode(top))
        try:
            device = os.lstat(path).st_dev
        except FileNotFoundError:
            continue
        waiting = [(path, top)]
        while waiting:
            place, name = waiting.pop()
            if name in skip:
                continue
            entry = _lstat(place)
            kind = entry and _KINDS.get(stat.S_IFMT(entry.st_mode))
            if not kind:
                continue
            if kind == "d" and entry.st_dev != device:
                raise Trouble("mounts_inside", "Another file system is mounted at " + printable(place) + ".")
            found[name] = _state(place, kind, entry)
            if kind == "d":
                waiting.extend(_inside(place, name))
    return found


def _lstat(place):
    try:
        return os.lstat(place)
    except FileNotFoundError:
        return None


def _state(place, kind, entry):
    link = os.readlink(place).decode("utf-8", "surrogateescape") if kind == "l" else ""
    size = entry.st_size if kind == "f" else 0
    numbers = [stat.S_IMODE(entry.st_mode), entry.st_uid, entry.st_gid, size, entry.st_mtime_ns]
    return [kind, *numbers, entry.st_ctime_ns, entry.st_ino, link]


def _inside(place, name):
    try:
        names = sorted(os.listdir(place), reverse=True)
    except FileNotFoundError:
        return
    for one in names:
        if not one.startswith(PART.encode()):
            yield os.path.join(place, one), name + "/" + one.decode("utf-8", "surrogateescape")


def load(store, name="parcel"):
    """The states that were kept, or None."""
    try:
        with open(os.path.join(store, name), "rb") as opened:
            return json.load(opened)
    except FileNotFoundError:
        return None


def keep(store, found, name="parcel"):
    """Keep states."""
    write_whole(os.path.join(store, name), [json.dumps(found).encode("ascii")])


def agree(store, root, tops, *, gave, skip=frozenset()):
    """Both sides are equal now: a giver keeps what it saw before it gave, a taker what it has."""
    given = os.path.join(store, "parcel.next")
    if gave:
        os.replace(given, os.path.join(store, "parcel"))
    else:
        remove_file(given)
        keep(store, states(root, tops, skip))


class Ground:
    """Where is looked: the root, everything that is kept equal, what of it is carried this time, what is left out."""

    def __init__(self, root, tops, carried, skip=frozenset()):
        self.root, self.tops, self.carried, self.skip = root, tops, carried, skip

    def carries(self, path):
        """Whether a path is carried this time."""
        return any(path == top or path.startswith(top + "/") for top in self.carried)


def changes(store, ground):
    """(states now, paths that are new or changed, paths that are gone or of another kind) since both were equal."""
    before, now = load(store) or {}, states(ground.root, ground.tops, ground.skip)
    changed = [path for path, one in now.items() if before.get(path) != one and ground.carries(path)]
    gone = [path for path, one in before.items() if path not in now or now[path][0] != one[0]]
    return now, changed, [path for path in gone if ground.carries(path)]


def large(now, changed):
    """The changed files that are worth asking what the other side has of them, the largest first."""
    found = [one for one in changed if now[one][0] == "f" and now[one][4] >= LARGE]
    return sorted(found, key=lambda one: -now[one][4])[:MOST_LARGE]


def weight(root, found):
    """Bytes that files of these states take: holes and second names weigh nothing."""
    firsts = {one[7]: path for path, one in found.items() if one[0] == "f"}
    return sum(filled(os.path.join(root, path)) for path in firsts.values())


def length(found):
    """Bytes of the files of these states, holes and second names included: the same on every machine that has them."""
    return sum(one[4] for one in found.values() if one[0] == "f")


def digest(root, tops, *, skip=frozenset(), contents=True, numbering=None):
    """SHA-256 over names, kinds, modes, owners, sizes, times, link targets, attributes and, if wanted, contents.

    It does not depend on the order in which a file system lists its names. With a `numbering` (kahn_numbering) owners
    count by the other host's numbers.
    """
    whole = hashlib.sha256()
    for path, one in sorted(states(root, tops, skip).items()):
        # The other side's inode and change time are its own; a directory's time follows what lies in it.
        owners = numbering.owners(*one[2:4]) if numbering else one[2:4]
        told = [path, one[0], _carried_mode(one[0], one[1]), *owners, one[4], one[5] if one[0] == "f" else 0, one[8]]
        if one[0] in "fd":
            found = attributes_of(os.path.join(os.fsencode(root), os.fsencode(path)))
            told.append(_as_text(numbering.attributes(found) if numbering else found))
        if contents and one[0] == "f":
            told.append(digest_of(os.path.join(root, path)))
        whole.update(json.dumps(told).encode("ascii"))
    return whole.hexdigest()


def blocks_of(opened, size):
    """(offset, bytes) of the aligned blocks that hold anything but zeros; holes are not read."""
    offset = 0
    while offset < size:
        try:
            offset = os.lseek(opened, offset, os.SEEK_DATA) // BLOCK * BLOCK
        except OSError:  # nothing but a hole is left
            return
        if offset >= size:
            return
        piece = os.pread(opened, min(BLOCK, size - offset), offset)
        if piece.strip(b"\0"):
            yield offset, piece
        offset += BLOCK


def digest_of(path, opened=None):
    """SHA-256 over the blocks of a file that hold anything, with their places, and its size."""
    own = os.open(path, READ) if opened is None else opened
    try:
        size = os.fstat(own).st_size
        whole = hashlib.sha256(struct.pack(">Q", size))
        for offset, piece in blocks_of(own, size):
            _count(whole, offset, piece)
        return whole.hexdigest()
    finally:
        if opened is None:
            os.close(own)


def _count(whole, offset, piece):
    whole.update(struct.pack(">QI", offset, len(piece)))
    whole.update(piece)


def blocks_known(opened):
    """{offset: short digest} of an open file's blocks, for the other side to send only what differs."""
    return {str(offset): _short(piece) for offset, piece in blocks_of(opened, os.fstat(opened).st_size)}


def _short(piece):
    return base64.b64encode(hashlib.blake2b(piece, digest_size=15).digest()).decode("ascii")


# ---------------------------------------------------------------------------- giving


def give(line, *, store, ground, known=None):
    """Send what changed. `known`: {path: blocks the other side has}. Its answer tells how much it was."""
    remove_file(os.path.join(store, "parcel.next"))
    now, changed, gone = changes(store, ground)
    keep(store, now, "parcel.next")
    for start in range(0, len(gone), 1000):
        line.send(b"R", {"gone": gone[start : start + 1000]})
    for path in _parents(ground.carried):
        line.send(b"R", {"file": dict(_record(ground.root, path), parent=True)})
    links, told = {}, {"changed": len(changed), "gone": len(gone), "bytes": 0}
    for path in changed:
        try:
            record = _record(ground.root, path)
            if record["t"] != now[path][0]:
                continue  # it became something else meanwhile: the next round carries that
            first = links.setdefault(record["i"], path) if record.pop("many") else path
            if first != path:
                record["n"] = first
            told["bytes"] += _give_one(line, ground.root, record, (known or {}).get(path))
        except FileNotFoundError:
            continue  # deleted while it was looked at: the next round says so
    return told


def _parents(tops):
    """Directories above the tops, the highest first."""
    found = {"/".join(top.split("/")[:n]) for top in tops for n in range(1, len(top.split("/")))}
    return sorted(one for one in found if one not in tops)


def _record(root, path):
    place = os.path.join(os.fsencode(root), os.fsencode(path))
    entry = os.lstat(place)
    kind = _KINDS.get(stat.S_IFMT(entry.st_mode), "?")
    mode = _carried_mode(kind, stat.S_IMODE(entry.st_mode))
    record = {"p": path, "t": kind, "m": mode, "u": entry.st_uid, "g": entry.st_gid, "mt": entry.st_mtime_ns}
    record.update(i=entry.st_ino, many=kind == "f" and entry.st_nlink > 1)
    if kind == "l":
        record["l"] = os.readlink(place).decode("utf-8", "surrogateescape")
    elif kind == "f":
        record["s"] = entry.st_size
    if kind in "fd":
        record["x"] = _as_text(attributes_of(place))
    return record


def _carried_mode(kind, mode):
    """Without the rights of somebody else that a file could give to whoever starts it."""
    return mode & (0o3777 if kind == "d" else 0o1777)


def _as_text(attributes):
    return {name: base64.b64encode(value).decode("ascii") for name, value in attributes.items()}


def _give_one(line, root, record, known):
    if record["t"] != "f" or "n" in record:
        line.send(b"R", {"file": record})
        return 0
    opened = os.open(os.path.join(os.fsencode(root), os.fsencode(record["p"])), READ)
    try:
        record["s"] = size = os.fstat(opened).st_size
        line.send(b"R", {"file": dict(record, base=known is not None)})
        whole, sent, waiting = hashlib.sha256(struct.pack(">Q", size)), 0, dict(known or {})
        for offset, piece in blocks_of(opened, size):
            _count(whole, offset, piece)
            if waiting.pop(str(offset), None) != _short(piece) if known is not None else True:
                line.send(b"D", struct.pack(">Q", offset) + piece)
                sent += len(piece)
        for offset in map(int, waiting):
            if offset < size:  # all zeros here, but not over there; what is beyond the end is cut off there
                line.send(b"D", struct.pack(">Q", offset))
        line.send(b"R", {"h": whole.hexdigest()})
        return sent
    finally:
        os.close(opened)

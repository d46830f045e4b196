"""How far an unpacking came that broke off, within a file too: noted as it goes, and believed only after a look.

What is noted lies in the asset's own directory, what arrived of a file beside its place. Python 3.9, standard library
only; sent to the successor as one program together with kahn_unpack.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat

try:
    from ansible.module_utils.kahn_home import Home, checked, opened_part, part_of
    from ansible.module_utils.kahn_outcome import Trouble, write_whole
    from ansible.module_utils.kahn_tree import CHUNK, read_records
except ImportError:  # sent to a host as one program
    from kahn_home import Home, checked, opened_part, part_of
    from kahn_outcome import Trouble, write_whole
    from kahn_tree import CHUNK, read_records

NOTE = "restored.at"
STRIDE = 128 * 1024 * 1024
"""Bytes of the archive between two notes of how far it came."""
_KIND = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l"}


class Reached:
    """`count` entries of the manifest are whole; the next member begins at byte `offset` of the archive.

    `inside`: what arrived of that member's file (path, `done` bytes of it, the archive's bytes `from` and `to` that
    hold them), or None.
    """

    def __init__(self, offset=0, count=0, inside=None):
        self.offset, self.count, self.inside = offset, count, inside

    @property
    def skip(self):
        """[from, to] of the archive that need not come, or nothing."""
        return [self.inside["from"], self.inside["to"]] if self.inside else []


def arrived(store, home, manifest, archive):
    """How far it came; nothing where anything looks otherwise than it was written."""
    try:
        with open(os.path.join(store, NOTE), "rb") as opened:
            note = json.load(opened)
        records, digest = read_records(os.path.join(store, "home.manifest"))
    except (OSError, ValueError, Trouble):
        return Reached()
    if (note["manifest"], note["archive"]) != (manifest, archive) or digest != manifest:
        return Reached()
    known, place = checked(records), Home(home)
    try:
        count = _whole_until(place, known, note["last"])
        if count is None:
            return Reached()
        inside = note.get("inside")
        return Reached(note["offset"], count, inside if inside and _is_there(place, known, inside) else None)
    finally:
        place.close()


def _whole_until(place, known, last):
    """How many entries there are up to that one, all of them whole; None when one is not."""
    if not last:
        return 0
    for count, (path, record) in enumerate(known.items(), start=1):
        if not _is_whole(place.entry(path), record):
            return None
        if path == last:
            return count
    return None


def _is_whole(entry, record):
    """Whether a file has the size and the time that it is given last of all."""
    if entry is None or _KIND.get(stat.S_IFMT(entry.st_mode)) != record["t"]:
        return False
    is_same = entry.st_mtime_ns // 10**9 == record["mt"] // 10**9
    return record["t"] == "d" or (is_same and (record["t"] == "l" or entry.st_size == record["s"]))


def _is_there(place, known, inside):
    """Whether what was noted of a file lies beside its place, byte for byte."""
    try:
        directory, name = place.parent(part_of(inside["path"], known))
    except OSError:
        return False
    opened = opened_part(directory, name)
    if opened is None:
        return False
    try:
        digest = hashlib.sha256()
        for piece in _pieces(opened, [(0, inside["done"])]):
            digest.update(piece)
        return digest.hexdigest() == inside["sha256"]
    finally:
        os.close(opened)


def _pieces(opened, spans):
    for start, size in spans:
        end = start + size
        while start < end:
            piece = os.pread(opened, min(CHUNK, end - start), start)
            if not piece:
                return
            yield piece
            start += len(piece)


def stored(member, done):
    """[(place in the file, bytes)] of what an archive's member holds of the first `done` bytes of its file."""
    spans = [(0, member.size)] if member.sparse is None else member.sparse
    return [(start, min(size, done - start)) for start, size in spans if start < done and size]


def is_ordered(member):
    """Whether the parts of a file with holes follow each other within its size: others are no archive of tar's."""
    place = 0
    for start, size in member.sparse or ():
        if start < place or size < 0:
            return False
        place = start + size
    return place <= member.size


class Keeper:
    """Notes now and then how far it came, after everything before that is on the disk."""

    def __init__(self, store, manifest, archive, offset):
        self._path, self._base, self._noted, self._last = os.path.join(store, NOTE), offset, 0, ""
        self._note = {"manifest": manifest, "archive": archive}

    def begin(self, last, noted=0):
        """What is whole already, and how far the stream had come by then."""
        self._last, self._noted = last, noted

    def reached(self, path, offset):
        """This member is whole; the next one begins there, counted from where the stream began."""
        self._last = path
        if offset - self._noted >= STRIDE:
            self._write(offset, offset)

    def inside(self, path, member, done, digest, opened):
        """So much of this member's file is written to its part, with that digest."""
        come = member.offset_data + sum(size for _, size in stored(member, done))
        if come - self._noted >= STRIDE:
            os.ftruncate(opened, done)  # a hole at its end is written by nobody
            told = {"path": path, "done": done, "sha256": digest.hexdigest()}
            told.update({"from": self._base + member.offset_data, "to": self._base + come})
            self._write(member.offset, come, inside=told)

    def _write(self, offset, come, **more):
        os.sync()
        self._noted = come
        note = dict(self._note, last=self._last, offset=self._base + offset, **more)
        write_whole(self._path, [json.dumps(note, sort_keys=True).encode("ascii")])


class Spliced:
    """A stream whose middle lies here already: `head` bytes of it come, then what `hold` named, then the rest."""

    def __init__(self, stream, head):
        self._stream, self._head, self._held = stream, head, None

    def hold(self, opened, member, done, size):
        """The middle: what this member holds of the open file's first `done` bytes, `size` in all. Raises Trouble."""
        spans = stored(member, done)
        if sum(one for _, one in spans) != size or self._head or self._held is not None:
            raise Trouble("archive_damaged", "The archive is not the one whose beginning arrived.")
        self._held = _pieces(opened, spans)

    def read(self, size):
        """The next bytes, sometimes more than asked for."""
        if self._head:
            piece = self._stream.read(min(size, self._head))
            self._head -= len(piece)
            return piece
        if self._held is None:
            raise Trouble("archive_damaged", "The archive is not the one whose beginning arrived.")
        return next(self._held, None) or self._stream.read(size)

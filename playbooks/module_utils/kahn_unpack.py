"""Unpacks the users' files on the successor from a stream, trusting neither names nor metadata of the archive.

The manifest says what may appear and how it looks; the archive only delivers contents. A file arrives beside its
place and takes it when it is whole. Python 3.9, standard library only; sent to the successor as one program together
with kahn_home, kahn_reached, kahn_tree and kahn_outcome.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tarfile

try:
    from ansible.module_utils.kahn_home import Home, checked, dress, opened_part, part_of, write_at
    from ansible.module_utils.kahn_outcome import (
        STORE,
        Trouble,
        cause_of,
        printable,
        remove_file,
        store_of,
        write_whole,
    )
    from ansible.module_utils.kahn_reached import NOTE, Keeper, Reached, Spliced, arrived, is_ordered
    from ansible.module_utils.kahn_tree import CHUNK, read_records
except ImportError:  # sent to a host as one program
    from kahn_home import Home, checked, dress, opened_part, part_of, write_at
    from kahn_outcome import STORE, Trouble, cause_of, printable, remove_file, store_of, write_whole
    from kahn_reached import NOTE, Keeper, Reached, Spliced, arrived, is_ordered
    from kahn_tree import CHUNK, read_records

MEMORY = 2 * 1024**3
_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Digesting:
    """A readable stream that keeps the SHA-256 and size of what went through."""

    def __init__(self, stream):
        self._stream, self._digest, self.size = stream, hashlib.sha256(), 0

    def read(self, size):
        """The next bytes."""
        piece = self._stream.read(size)
        self._digest.update(piece)
        self.size += len(piece)
        return piece

    def finish(self):
        """Read the rest; SHA-256 of everything."""
        while self.read(CHUNK):
            pass
        return self._digest.hexdigest()


def unpack(stream, store, home, manifest, archive, offset=0, skip=()):  # noqa: PLR0913 - each is one fact of what comes
    """Restore everything; the answer tells counts. `manifest`, `archive`: SHA-256 expected. Raises Trouble, OSError.

    With an `offset` the stream begins there: what came before it is known to be whole. What lies between both places of
    `skip` does not come: it was written, and is read from there. The archive's digest cannot be compared then; every
    file's own is, when it is written and once more when the successor is compared.
    """
    records, digest = read_records(os.path.join(store, "home.manifest"))
    if digest != manifest:
        raise Trouble("manifest_damaged", "The manifest at the successor is not the one of the vault.")
    known = checked(records)
    _own_the_tops(store, home, known, manifest)
    goes_on = bool(offset or skip)
    before = arrived(store, home, manifest, archive) if goes_on else Reached()
    if (before.offset, before.skip) != (offset, list(skip)):
        raise Trouble("archive_damaged", "What had arrived at the successor is not there any more.")
    place = Home(home)
    try:
        restored = _Restored(place, known, before, Keeper(store, manifest, archive, offset))
        wrong = restored.take_all(stream, "" if goes_on else archive)
    finally:
        place.close()
    os.sync()
    remove_file(os.path.join(store, NOTE))
    if wrong:
        says = f"{len(wrong)} entries were not saved as the manifest has them: " + "; ".join(wrong[:3])
        raise Trouble("manifest_differs", says, differences=wrong[:20], difference_count=len(wrong), side="archive")
    files = sum(one["t"] == "f" for one in known.values())
    return {"entries": len(known), "files": files, "bytes": sum(one.get("s", 0) for one in known.values())}


def _own_the_tops(store, home, known, manifest):
    """Note which top names are ours before the first is made; a name that was there before is never touched."""
    note = os.path.join(store, "restored")
    tops = sorted({path.split("/", 1)[0] for path in known})
    ours = set()
    if os.path.exists(note):
        with open(note, "rb") as opened:
            ours = set(json.load(opened)["tops"])
    taken = [one for one in tops if one not in ours and os.path.lexists(os.path.join(home, one))]
    if taken:
        names = [printable(one) for one in taken[:20]]
        raise Trouble("target_not_empty", "The successor already has " + ", ".join(names[:3]) + ".", names=names)
    kept = {"tops": sorted(ours | set(tops)), "manifest": manifest}
    write_whole(note, [json.dumps(kept, sort_keys=True).encode("ascii")])


class _Restored:
    """One restoration: directories, then contents and links as they come, then owners, modes and times."""

    def __init__(self, place, known, before, keeps):
        self._place, self._known, self._keeps, self._wrong = place, known, keeps, []
        whole = list(known)[: before.count]
        self._missing = {path for path, one in known.items() if one["t"] != "d"}.difference(whole)
        self._before, self._inside, self._splice = before, before.inside, None
        keeps.begin(whole[-1] if whole else "", before.skip[1] - before.offset if before.skip else 0)

    def take_all(self, stream, archive):
        for path, record in self._known.items():
            if record["t"] == "d":
                self._make_directory(path)
        if self._inside:
            self._splice = stream = Spliced(stream, self._inside["from"] - self._before.offset)
        source = Digesting(stream)
        try:
            with tarfile.open(fileobj=source, mode="r|", errorlevel=2) as members:
                for member in members:
                    self._take(members, member)
                    if not self._wrong and member.name in self._known:
                        self._keeps.reached(member.name, members.offset)
        except (tarfile.TarError, EOFError, MemoryError, UnicodeError, OverflowError, ValueError) as error:
            raise Trouble("archive_damaged", "The archive cannot be read: " + printable(str(error))) from None
        if source.finish() != archive and archive:
            raise Trouble("archive_damaged", "The archive is not the one that was saved.")
        for path in reversed(self._known):
            if self._known[path]["t"] == "d":
                self._finish_directory(path)
        return self._wrong + [printable(path) + ": missing" for path in sorted(self._missing)]

    def _make_directory(self, path):
        directory, name = self._place.parent(path)
        entry = self._place.entry(path)
        if entry is not None and not stat.S_ISDIR(entry.st_mode):
            os.unlink(name, dir_fd=directory)
            entry = None
        if entry is None:
            os.mkdir(name, 0o700, dir_fd=directory)

    def _take(self, members, member):
        path = member.name[2:] if member.name.startswith("./") else member.name
        record = self._known.get(path)
        if record is None:
            raise Trouble("archive_damaged", "The archive holds " + printable(path) + ", which the manifest lacks.")
        if record["t"] == "d" or path not in self._missing:
            return
        directory, name = self._place.parent(path)
        self._clear(directory, name)
        if record["t"] == "l":
            os.symlink(os.fsencode(record["l"]), name, dir_fd=directory)
            self._finish_link(directory, name, record)
        elif "n" in record:
            self._link(directory, name, record)
        elif member.isfile() and is_ordered(member):
            self._write(members, member, record)
        else:
            self._wrong.append(printable(path) + ": kind")
        self._missing.discard(path)

    def _clear(self, directory, name):
        try:
            entry = os.lstat(name, dir_fd=directory)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(entry.st_mode):
            raise Trouble("target_not_empty", "A directory stands where " + printable(name) + " belongs.")
        os.unlink(name, dir_fd=directory)

    def _link(self, directory, name, record):
        # The parent's descriptor stays open while another branch is entered.
        own = os.dup(directory)
        try:
            first, first_name = self._place.parent(record["n"])
            os.link(first_name, name, src_dir_fd=first, dst_dir_fd=own, follow_symlinks=False)
        finally:
            os.close(own)

    def _write(self, members, member, record):
        path = record["p"]
        directory, name = self._place.parent(path)
        part = os.fsencode(part_of(path, self._known).rpartition("/")[2])
        opened, done = self._opened(directory, part, path)
        try:
            if done:
                self._splice.hold(opened, member, done, self._inside["to"] - self._inside["from"])
            digest, size = self._pour(members, member, opened, record, done)
            if digest != record["h"] or size != record["s"]:
                self._wrong.append(printable(path) + ": content")
            dress(opened, record)
        finally:
            os.close(opened)
        os.rename(part, name, src_dir_fd=directory, dst_dir_fd=directory)

    def _opened(self, directory, part, path):
        """(descriptor, bytes of the file that it holds already)."""
        opened = opened_part(directory, part) if self._inside and path == self._inside["path"] else None
        if opened is not None:
            os.ftruncate(opened, self._inside["done"])
            return opened, self._inside["done"]
        self._clear(directory, part)
        return os.open(part, _NEW, 0o600, dir_fd=directory), 0

    def _pour(self, members, member, opened, record, done):
        digest, size, content = hashlib.sha256(), 0, members.extractfile(member)
        while size <= record["s"]:  # one that claims to be longer is read no further
            piece = content.read(CHUNK)
            if not piece:
                break
            digest.update(piece)
            fresh = piece[max(0, done - size) :]
            if fresh:
                write_at(opened, size + len(piece) - len(fresh), fresh, holes=True)
            size += len(piece)
            if done < size < record["s"] and not self._wrong:
                self._keeps.inside(record["p"], member, size, digest, opened)
        os.ftruncate(opened, size)
        return digest.hexdigest(), size

    @staticmethod
    def _finish_link(directory, name, record):
        os.chown(name, record["u"], record["g"], dir_fd=directory, follow_symlinks=False)
        os.utime(name, ns=(record["mt"], record["mt"]), dir_fd=directory, follow_symlinks=False)

    def _finish_directory(self, path):
        directory, name = self._place.parent(path)
        opened = os.open(name, _DIR, dir_fd=directory)
        try:
            dress(opened, self._known[path])
        finally:
            os.close(opened)


def answer(stream, words):
    """The program's one JSON line, whatever happens: {"kahn": {...}} and, on failure, "msg"."""
    try:
        store = store_of(words["asset"], words.get("base", STORE))
        sealed = words["manifest"], words["archive"]
        if words.get("where"):
            found = arrived(store, words["home"], *sealed)
            return {"kahn": {"offset": found.offset, "skip": found.skip}}
        begins = words.get("offset", 0), words.get("skip", ())
        return {"kahn": unpack(stream, store, words["home"], *sealed, *begins)}
    except Trouble as trouble:
        return {"kahn": dict(trouble.facts, cause=trouble.cause), "msg": printable(trouble.says)}
    except OSError as error:
        return {"kahn": {"cause": cause_of(error)}, "msg": "The successor: " + os.strerror(error.errno or 0)}

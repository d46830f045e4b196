"""Unpacks the users' files on the successor from a stream, trusting neither names nor metadata of the archive.

The manifest says what may appear and how it looks; the archive only delivers contents. Every directory is opened
relative to its parent without following links, so that nothing lands outside the home directory. Python 3.9,
standard library only; sent to the successor as one program together with kahn_tree and kahn_outcome.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import stat
import tarfile

try:
    from ansible.module_utils.kahn_outcome import (
        STORE,
        Trouble,
        cause_of,
        printable,
        remove_file,
        store_of,
        write_whole,
    )
    from ansible.module_utils.kahn_tree import CHUNK, carried, is_carried_attribute, read_records
except ImportError:  # sent to a host as one program
    from kahn_outcome import STORE, Trouble, cause_of, printable, remove_file, store_of, write_whole
    from kahn_tree import CHUNK, carried, is_carried_attribute, read_records

MEMORY = 2 * 1024**3
NOTE = "restored.at"
STRIDE = 128 * 1024 * 1024
"""Bytes of the archive between two notes of how far it came."""
_KIND = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l"}
_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ID_LIMIT = 2**32 - 2


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


def arrived(store, home, manifest, archive):
    """Byte of the archive behind the last file that is whole here; 0 where nothing is, or anything looks otherwise."""
    try:
        with open(os.path.join(store, NOTE), "rb") as opened:
            note = json.load(opened)
        records, digest = read_records(os.path.join(store, "home.manifest"))
    except (OSError, ValueError, Trouble):
        return 0, 0
    if (note["manifest"], note["archive"]) != (manifest, archive) or digest != manifest:
        return 0, 0
    known = checked(records)
    place, count = Home(home), 0
    try:
        for path, record in known.items():
            count += 1
            if not _is_whole(place.entry(path), record):
                return 0, 0
            if path == note["last"]:
                return note["offset"], count
    finally:
        place.close()
    return 0, 0


def _is_whole(entry, record):
    """Whether a file has the size and the time that it is given last of all."""
    if entry is None or _KIND.get(stat.S_IFMT(entry.st_mode)) != record["t"]:
        return False
    is_same = entry.st_mtime_ns // 10**9 == record["mt"] // 10**9
    return record["t"] == "d" or (is_same and (record["t"] == "l" or entry.st_size == record["s"]))


def unpack(stream, store, home, manifest, archive, offset=0):  # noqa: PLR0913 - each is one fact of what comes
    """Restore everything; the answer tells counts. `manifest`, `archive`: SHA-256 expected. Raises Trouble, OSError.

    With an `offset` the stream begins there: what came before it is known to be whole. The archive's digest cannot be
    compared then; every file's own is, when it is written and once more when the successor is compared.
    """
    records, digest = read_records(os.path.join(store, "home.manifest"))
    if digest != manifest:
        raise Trouble("manifest_damaged", "The manifest at the successor is not the one of the vault.")
    known = checked(records)
    _own_the_tops(store, home, known, manifest)
    before = arrived(store, home, manifest, archive) if offset else (0, 0)
    if before[0] != offset:
        raise Trouble("archive_damaged", "What had arrived at the successor is not there any more.")
    place = Home(home)
    try:
        restored = _Restored(place, known, list(known)[: before[1]])
        restored.keeps = _Keeper(store, manifest, archive, offset)
        wrong = restored.take_all(stream, "" if offset else archive)
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


class _Keeper:
    """Notes now and then how far it came, after everything before that is on the disk."""

    def __init__(self, store, manifest, archive, offset):
        self._path, self._base, self._noted = os.path.join(store, NOTE), offset, 0
        self._note = {"manifest": manifest, "archive": archive}

    def reached(self, path, offset):
        """This member is whole; the next one begins there, counted from where the stream began."""
        if offset - self._noted < STRIDE:
            return
        os.sync()
        self._noted = offset
        note = dict(self._note, last=path, offset=self._base + offset)
        write_whole(self._path, [json.dumps(note, sort_keys=True).encode("ascii")])


class _Restored:
    """One restoration: directories, then contents and links as they come, then owners, modes and times."""

    def __init__(self, place, known, before=()):
        self._place, self._known = place, known
        self._missing = {path for path, one in known.items() if one["t"] != "d"}.difference(before)
        self._wrong = []
        self.keeps = None

    def take_all(self, stream, archive):
        for path, record in self._known.items():
            if record["t"] == "d":
                self._make_directory(path)
        source = Digesting(stream)
        try:
            with tarfile.open(fileobj=source, mode="r|", errorlevel=2) as members:
                for member in members:
                    self._take(members, member)
                    if self.keeps and not self._wrong and member.name in self._known:
                        self.keeps.reached(member.name, members.offset)
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
        elif member.isfile():
            self._write(members.extractfile(member), directory, name, record)
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

    def _write(self, content, directory, name, record):
        opened = os.open(name, _NEW, 0o600, dir_fd=directory)
        try:
            digest, size = self._pour(content, opened)
            if digest != record["h"] or size != record["s"]:
                self._wrong.append(printable(record["p"]) + ": content")
            dress(opened, record)
        finally:
            os.close(opened)

    @staticmethod
    def _pour(content, opened):
        digest, size = hashlib.sha256(), 0
        while True:
            piece = content.read(CHUNK)
            if not piece:
                os.ftruncate(opened, size)
                return digest.hexdigest(), size
            digest.update(piece)
            size += len(piece)
            if not piece.strip(b"\0"):  # keep holes
                os.lseek(opened, len(piece), os.SEEK_CUR)
                continue
            view = memoryview(piece)
            while view:
                view = view[os.write(opened, view) :]

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
            return {"kahn": {"offset": arrived(store, words["home"], *sealed)[0]}}
        return {"kahn": unpack(stream, store, words["home"], *sealed, words.get("offset", 0))}
    except Trouble as trouble:
        return {"kahn": dict(trouble.facts, cause=trouble.cause), "msg": printable(trouble.says)}
    except OSError as error:
        return {"kahn": {"cause": cause_of(error)}, "msg": "The successor: " + os.strerror(error.errno or 0)}

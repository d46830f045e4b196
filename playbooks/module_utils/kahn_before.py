"""What lay on the new host before anything was brought: kept so that it can be put back exactly. Python 3.9.

Before a path is written to, what lies there is noted; a file is kept beside the notes (as a second name of the same
inode where that is possible: what arrives never writes into a file, it replaces it).
"""

from __future__ import annotations

import base64
import errno
import json
import os
import shutil
import stat
from contextlib import contextmanager, suppress

try:
    from ansible.module_utils import kahn_parcel as parcel
    from ansible.module_utils.kahn_home import Home, dress
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, write_whole
    from ansible.module_utils.kahn_tree import is_carried_attribute
except ImportError:  # sent to a host as one program
    import kahn_parcel as parcel
    from kahn_home import Home, dress
    from kahn_outcome import Trouble, printable, remove_file, write_whole
    from kahn_tree import is_carried_attribute


class Before:
    """The notes of one asset on the new host."""

    def __init__(self, store, root):
        self._root, self._shelf = root, os.path.join(store, "before")
        self._book, self._there = os.path.join(self._shelf, "book"), os.path.join(self._shelf, "there")
        self._noted, self._out = None, None

    @property
    def begun(self):
        """Whether anything was noted."""
        return os.path.exists(self._there)

    @property
    def tops(self):
        """Everything at and below which something may have been brought."""
        return self._names()["tops"]

    def begin(self, tops):
        """Note every name at and below the tops, once."""
        if not os.path.isdir(self._shelf):
            os.mkdir(self._shelf, 0o700)
        known = self._names()
        fresh = [top for top in tops if top not in known["tops"]]
        if fresh or not self.begun:
            names = sorted({*known["names"], *parcel.states(self._root, fresh)})
            told = {"tops": sorted({*known["tops"], *fresh}), "names": names}
            write_whole(self._there, [json.dumps(told).encode("ascii")])

    def own(self):
        """Names that lay here before and that nothing was brought for: not the server's that moves."""
        return frozenset(self._names()["names"]) - self._noted_so_far().keys()

    def names(self):
        """Every name that lay here at and below the tops, sorted."""
        return self._names()["names"]

    def _names(self):
        with suppress(FileNotFoundError), open(self._there, "rb") as opened:
            return json.load(opened)
        return {"tops": [], "names": []}

    def watching(self, line):
        """The line, but what lies where something arrives is noted before it is passed on."""
        return _Watched(line, self)

    def note(self, path):
        """Note what lies at a path, unless it was noted before."""
        noted = self._noted_so_far()
        if path in noted:
            return
        with self._home() as home:
            entry = home.entry(path)
            told = {"p": path, "t": ""} if entry is None else self._told(home.parent(path), path, entry)
        noted[path] = told
        if self._out is None:
            self._out = _continued(self._book)
        self._out.write(json.dumps(told).encode("ascii") + b"\n")
        self._out.flush()
        if told["t"] == "f":  # before the file itself may go: after a power loss nobody else knows that it was kept
            os.fsync(self._out.fileno())

    def put_aside(self, paths):
        """Note these names and take them away; folders when they are empty by then."""
        for path in sorted(paths, key=lambda one: -one.count("/")):
            self.note(path)
        self.settle()
        with self._home() as home:
            for path in sorted(paths, key=lambda one: -one.count("/")):
                _remove(home, path)

    @contextmanager
    def _home(self):
        """The root, entered by descriptors: no link that was sent leads out of it."""
        home = Home(self._root)
        try:
            yield home
        finally:
            home.close()

    def _told(self, place, path, entry):
        told = {"p": path, "t": "d" if stat.S_ISDIR(entry.st_mode) else "f"}
        if told["t"] == "d":
            told.update(m=stat.S_IMODE(entry.st_mode), u=entry.st_uid, g=entry.st_gid, mt=entry.st_mtime_ns)
            with _opened(place) as opened:
                told["x"] = {one: _as_text(os.getxattr(opened, one)) for one in _carried(opened)}
        else:
            told["k"] = f"file-{len(self._noted_so_far())}"
            _keep(place, entry, os.path.join(self._shelf, told["k"]))
        return told

    def _noted_so_far(self):
        if self._noted is None:
            self._noted = {}
            with suppress(FileNotFoundError), open(self._book, "rb") as opened:
                for row in opened:
                    with suppress(ValueError):  # the last line of a program that was killed
                        told = json.loads(row)
                        self._noted[told["p"]] = told
        return self._noted

    def settle(self):
        """Whatever was noted is on the disk."""
        if self._out is not None:
            self._out.flush()
            os.fsync(self._out.fileno())
            self._out.close()
            self._out = None

    def restore(self, known):
        """Everything as it was. `known`: names that the move brought or its services made. Raises Trouble."""
        if not self.begun:
            return
        told = self._names()
        extra = sorted(parcel.states(self._root, told["tops"]).keys() - set(told["names"]))
        foreign = [one for one in extra if known is not None and one not in known and one not in self._noted_so_far()]
        if foreign:
            names = [printable("/" + one) for one in foreign[:20]]
            says = "There is what nobody brought: " + ", ".join(names[:3]) + ". Nothing was touched."
            raise Trouble("foreign_files", says, names=names)
        with self._home() as home:
            for path in reversed(extra):
                _remove(home, path)
            self._put_back(home)
        # At once: a book that outlived the rest would be believed by the next move.
        shutil.rmtree(self._shelf + ".gone", ignore_errors=True)
        os.rename(self._shelf, self._shelf + ".gone")
        shutil.rmtree(self._shelf + ".gone")

    def _put_back(self, home):
        """Folders first and their own looks last, so that everything finds its place, whatever lies there now."""
        noted = sorted(self._noted_so_far().values(), key=lambda one: one["p"].count("/"))
        for one in noted:
            if one["t"] == "d":
                _make_folder(home, one["p"])
        for one in reversed(noted):
            if one["t"] == "f":
                self._put_file_back(home, one)
            elif not one["t"]:
                _remove(home, one["p"])
        for one in reversed(noted):
            if one["t"] == "d":
                with _opened(home.parent(one["p"])) as opened:
                    dress(opened, one)

    def _put_file_back(self, home, one):
        kept = os.path.join(self._shelf, one["k"])
        if not os.path.lexists(kept):  # put back already, before this was killed
            return
        there = home.entry(one["p"])
        directory, name = home.parent(one["p"])
        if there is not None and os.path.samestat(os.lstat(kept), there):
            os.unlink(kept)  # a rename of two names of one inode does nothing
            return
        if there is not None and stat.S_ISDIR(there.st_mode):
            os.rmdir(name, dir_fd=directory)
        try:
            os.rename(kept, name, dst_dir_fd=directory)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _remove(home, one["p"])
            _copy(kept, _by_path(directory, name))


def _continued(book):
    """The book, to write on; half a line of a program that was killed is closed, or it would swallow the next one."""
    out = open(book, "a+b")  # noqa: SIM115 (closed by `settle`)
    if out.seek(0, os.SEEK_END) and (out.seek(-1, os.SEEK_END), out.read(1))[1] != b"\n":
        out.write(b"\n")
    return out


def _keep(place, entry, kept):
    directory, name = place
    remove_file(kept)
    try:
        os.link(name, kept, src_dir_fd=directory, follow_symlinks=False)
    except OSError:  # another file system
        _copy(_by_path(directory, name), kept)


def _copy(place, other):
    entry = os.lstat(place)
    shutil.copy2(place, other, follow_symlinks=False)
    os.chown(other, entry.st_uid, entry.st_gid, follow_symlinks=False)


def _by_path(directory, name):
    return f"/proc/self/fd/{directory}/{os.fsdecode(name)}"


def _make_folder(home, path):
    """A folder at that place, where something else or nothing is."""
    entry = home.entry(path)
    if entry is None or not stat.S_ISDIR(entry.st_mode):
        directory, name = home.parent(path)
        if entry is not None:
            os.unlink(name, dir_fd=directory)
        os.mkdir(name, 0o700, dir_fd=directory)


@contextmanager
def _opened(place):
    directory, name = place
    opened = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        yield opened
    finally:
        os.close(opened)


def _carried(opened):
    with suppress(OSError):  # a file system without attributes
        return [one for one in os.listxattr(opened) if is_carried_attribute(one)]
    return []


def _as_text(value):
    return base64.b64encode(value).decode("ascii")


def _remove(home, path):
    """A name that was not there before; a folder only when it is empty by then."""
    with suppress(OSError):
        entry = home.entry(path)
        if entry is not None:
            directory, name = home.parent(path)
            os.rmdir(name, dir_fd=directory) if stat.S_ISDIR(entry.st_mode) else os.unlink(name, dir_fd=directory)


class _Watched:
    """A stream whose records are noted before whoever takes them sees them."""

    def __init__(self, line, before):
        self._line, self._before = line, before

    def arriving(self):
        for kind, body in self._line.arriving():
            if kind == b"R":
                told = json.loads(body)
                for path in named(told):
                    self._before.note(path)
            yield kind, body
        self._before.settle()


def named(told):
    """The paths that a record will write to or take away."""
    if "gone" in told:
        return [path for path in told["gone"] if isinstance(path, str) and _plain(path)]
    path = told.get("file", {}).get("p") if isinstance(told.get("file"), dict) else None
    return [path] if isinstance(path, str) and _plain(path) else []


def _plain(path):
    """Whether it stays below the root; what does not is refused by whoever takes it."""
    return not any(one in ("", ".", "..") or "\0" in one for one in path.split("/"))

"""What lay on the new host before anything was brought: kept so that it can be put back exactly. Python 3.9.

Before a path is written to, what lies there is noted; a file is kept beside the notes (as a second name of the same
inode where that is possible: what arrives never writes into a file, it replaces it).
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
from contextlib import suppress

try:
    from ansible.module_utils import kahn_parcel as parcel
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, write_whole
    from ansible.module_utils.kahn_tree import attributes_of, is_carried_attribute
except ImportError:  # sent to a host as one program
    import kahn_parcel as parcel
    from kahn_outcome import Trouble, printable, remove_file, write_whole
    from kahn_tree import attributes_of, is_carried_attribute


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
        place = os.path.join(os.fsencode(self._root), os.fsencode(path))
        try:
            entry = os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            told = {"p": path, "t": ""}
        else:
            told = self._told(place, path, entry, len(noted))
        noted[path] = told
        if self._out is None:
            self._out = _continued(self._book)
        self._out.write(json.dumps(told).encode("ascii") + b"\n")
        self._out.flush()
        if told["t"] == "f":  # before the file itself may go: after a power loss nobody else knows that it was kept
            os.fsync(self._out.fileno())

    def _told(self, place, path, entry, number):
        kind = "d" if stat.S_ISDIR(entry.st_mode) else "f"
        told = {"p": path, "t": kind}
        if kind == "d":
            told.update(m=stat.S_IMODE(entry.st_mode), u=entry.st_uid, g=entry.st_gid, mt=entry.st_mtime_ns)
            told["x"] = {name: base64.b64encode(one).decode("ascii") for name, one in attributes_of(place).items()}
        else:
            told["k"] = f"file-{number}"
            self._keep(place, entry, os.path.join(self._shelf, told["k"]))
        return told

    @staticmethod
    def _keep(place, entry, kept):
        remove_file(kept)
        try:
            os.link(place, kept, follow_symlinks=False)
        except OSError:  # another file system
            shutil.copy2(os.fsdecode(place), kept, follow_symlinks=False)
            os.chown(kept, entry.st_uid, entry.st_gid, follow_symlinks=False)

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
        for path in reversed(extra):
            _remove(os.path.join(self._root, path))
        for one in sorted(self._noted_so_far().values(), key=lambda one: -one["p"].count("/")):
            self._put_back(one)
        # At once: a book that outlived the rest would be believed by the next move.
        shutil.rmtree(self._shelf + ".gone", ignore_errors=True)
        os.rename(self._shelf, self._shelf + ".gone")
        shutil.rmtree(self._shelf + ".gone")

    def _put_back(self, one):
        place = os.path.join(self._root, one["p"])
        kept = os.path.join(self._shelf, one.get("k", ""))
        if one["t"] == "f" and os.path.lexists(kept):
            _replace(kept, place)
        elif one["t"] == "d" and os.path.isdir(place) and not os.path.islink(place):
            os.chown(place, one["u"], one["g"])
            for name in os.listxattr(place):
                if is_carried_attribute(name) and name not in one["x"]:
                    os.removexattr(place, name)
            for name, value in one["x"].items():
                os.setxattr(place, name, base64.b64decode(value))
            os.chmod(place, one["m"])
            os.utime(place, ns=(one["mt"], one["mt"]))
        elif not one["t"]:
            _remove(place)


def _continued(book):
    """The book, to write on; half a line of a program that was killed is closed, or it would swallow the next one."""
    out = open(book, "a+b")  # noqa: SIM115 (closed by `settle`)
    if out.seek(0, os.SEEK_END) and (out.seek(-1, os.SEEK_END), out.read(1))[1] != b"\n":
        out.write(b"\n")
    return out


def _replace(kept, place):
    try:
        same = os.path.lexists(place) and os.path.samestat(os.lstat(kept), os.lstat(place))
        if same:  # a rename of two names of one inode does nothing
            os.unlink(kept)
        else:
            os.rename(kept, place)
    except OSError:
        entry = os.lstat(kept)
        remove_file(place)
        shutil.copy2(kept, place, follow_symlinks=False)
        os.chown(place, entry.st_uid, entry.st_gid, follow_symlinks=False)


def _remove(place):
    """A name that was not there before; a folder only when it is empty by then."""
    with suppress(FileNotFoundError, NotADirectoryError, OSError):
        os.rmdir(place) if os.path.isdir(place) and not os.path.islink(place) else os.unlink(place)


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

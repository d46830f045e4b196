"""The shares of a file server that moves: owners and ACLs by name, and who has which file open.

Numbers of owners mean something only where both servers give them the same names; an ACL is worth something only where
the new file system keeps it. Python 3.9, standard library only; sent to the hosts as one program.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import re
import stat
import struct
import subprocess
import time
from contextlib import suppress

try:
    from ansible.module_utils import kahn_parcel as parcel
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, write_whole
    from ansible.module_utils.kahn_tree import attributes_of
except ImportError:  # sent to a host as one program
    import kahn_parcel as parcel
    from kahn_outcome import Trouble, printable, remove_file, write_whole
    from kahn_tree import attributes_of

SHOWN = 100
STILL_S = 10
_ACL, _DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
_USER, _GROUP = 0x02, 0x08
_ENTRY = struct.Struct("<HHI")
_NOBODY = 0xFFFFFFFF
_NTACL = "security.NTACL"
_SID = re.compile(r"S-1-5-21(-[0-9]{1,10}){3}\b")
_TRIED = {
    _ACL: struct.pack("<I", 2)
    + b"".join(
        _ENTRY.pack(*one) for one in ((1, 6, _NOBODY), (2, 4, 0), (4, 4, _NOBODY), (16, 4, _NOBODY), (32, 0, _NOBODY))
    ),
}
"""What an attribute of that name is tried with: an ACL with one more reader; anything else takes any bytes."""


class FileServer:
    """The answers about its shares. ``user`` is an account that the move itself makes.

    Who works on which file is told to nobody but root of the old server, in a list among the notes that goes when the
    move has ended or was taken back: an answer is kept for good, so it holds folders, programs and numbered persons.
    """

    def __init__(self, root, folders, *, user, store):
        self._root, self._folders, self._user = root, folders, user
        self._list = os.path.join(store, "open-files")

    def ops(self):
        """What can be asked, by name."""
        return {name: getattr(self, name) for name in ("share", "share_fit", "opened", "still", "forget_opened")}

    # -- owners and attributes

    def share(self, line):
        """Names of everybody who owns something or stands in an ACL, and which attributes are in use."""
        users, groups, used, machine, own = set(), set(), set(), "", _own_sid()
        for path, one in parcel.states(self._root, self._folders).items():
            users.add(one[2])
            groups.add(one[3])
            place = os.path.join(os.fsencode(self._root), os.fsencode(path))
            with suppress(FileNotFoundError):
                for name, value in (attributes_of(place) if one[0] in "fd" else {}).items():
                    used.add(_ACL if name == _DEFAULT else "user." if name.startswith("user.") else name)
                    if name in (_ACL, _DEFAULT):
                        users |= _named(value, _USER)
                        groups |= _named(value, _GROUP)
                    if name == _NTACL and own and _packed(own) in value:
                        machine = own
        told = {"users": {str(one): _name_of_user(one) for one in sorted(users)}, "attributes": sorted(used)}
        return {**told, "groups": {str(one): _name_of_group(one) for one in sorted(groups)}, "machine": machine}

    def share_fit(self, line, users, groups, attributes, machine=""):
        """Whether numbers mean the same people here, and the file system keeps what is in use. Raises Trouble.

        `machine`: the old server's own SID, where its Windows ACLs name accounts by it; they are strangers to another.
        """
        if machine and machine != _own_sid():
            says = f"Windows ACLs name accounts of the old server by its own SID {machine}; the new server has another."
            raise Trouble("sid_differs", says, sid=machine)
        wrong = [_other("user", *one, _name_of_user) for one in users.items() if one[1] not in ("", self._user)]
        wrong += [_other("group", *one, _name_of_group) for one in groups.items() if one[1] not in ("", self._user)]
        wrong = [one for one in wrong if one]
        if wrong:
            says = "Owners of the files are others on the new server: " + ", ".join(wrong[:3]) + "."
            raise Trouble("owners_differ", says, owners=wrong[:SHOWN], owner_count=len(wrong))
        for top in self._folders:
            self._try(os.path.join(self._root, top), attributes)
        nameless = sorted(one for one, name in {**users, **groups}.items() if not name)
        return {"nameless": nameless[:SHOWN], "attributes": attributes}

    def _try(self, place, attributes):
        while not os.path.isdir(place):
            place = os.path.dirname(place)
        opened, named = _scratch(place)
        try:
            for name in attributes:
                whole = name + "kahn" if name.endswith(".") else name
                try:
                    os.setxattr(opened, whole, _TRIED.get(name, b"\0"))
                except OSError as error:
                    if error.errno not in (errno.EOPNOTSUPP, errno.EPERM, errno.EINVAL):
                        raise
                    what = "ACLs" if name == _ACL else "attributes " + name
                    says = f"The file system at {printable(place)} does not keep {what}."
                    raise Trouble("acl_not_supported", says, attribute=name) from None
        finally:
            os.close(opened)
            _clear(place, named)

    # -- who has what open

    def opened(self, line, proc="/proc"):
        """Open files of the share by folder, program and person, how many, and where the names are to be read."""
        words = _smbstatus()
        told = self._told(list(self._open_files(proc)), words)
        return {**told, "samba_count": len(words)} if words else told

    def _told(self, found, words=()):
        people = {one: f"person-{number}" for number, one in enumerate(dict.fromkeys(one["user"] for one in found), 1)}
        rows = {}
        for one in found:
            key = (one["folder"], one["program"], people[one["user"]])
            row = rows.setdefault(
                key, {"folder": key[0], "program": key[1], "person": key[2], "files": 0, "writers": 0}
            )
            row["files"] += 1
            row["writers"] += one["writes"]
        told = {
            "open": list(rows.values())[:SHOWN],
            "open_count": len(found),
            "list": self._listed(found, people, words),
        }
        return {**told, "writers": sum(one["writes"] for one in found)}

    def _listed(self, found, people, words):
        """The file that names paths, accounts and Samba's clients; empty where none could be written."""
        lines = ["{who} = {user}: {program} ({pid}){how} {path}".format(
            who=people[one["user"]], how=" writes" if one["writes"] else "", **one) for one in found]  # fmt: skip
        with suppress(OSError):  # a full disk must not keep anybody from being told how many
            write_whole(self._list, [(one + "\n").encode() for one in (*lines, *words)])
            return self._list
        return ""

    def forget_opened(self, line):
        """Nobody's names are kept any longer."""
        remove_file(self._list)
        return {}

    def _open_files(self, proc):
        tops = [os.path.realpath(os.path.join(self._root, one)) for one in self._folders]
        for pid in sorted((one for one in os.listdir(proc) if one.isdecimal()), key=int):
            if int(pid) == os.getpid():
                continue
            place = os.path.join(proc, pid)
            with suppress(OSError):  # it ended while it was looked at
                for number in os.listdir(os.path.join(place, "fd")):
                    path, top = _opened_path(place, number, tops)
                    if path:
                        shown = {"path": printable(path), "folder": printable(top), "pid": int(pid)}
                        yield {**shown, **_program(place, number)}

    def still(self, line, seconds=STILL_S, proc="/proc"):
        """Wait until nobody has a file of the share open. Raises Trouble naming programs and files."""
        until = time.monotonic() + seconds
        while True:
            found = list(self._open_files(proc))
            if not found:
                return {}
            if time.monotonic() > until:
                shown = ", ".join(sorted({"{program} ({pid})".format(**one) for one in found})[:3])
                raise Trouble("files_in_use", f"Files of the share are open: {shown}.", **self._told(found))
            time.sleep(0.5)


def _opened_path(place, number, tops):
    """(path, top) of an open file or folder below the tops; both empty when it is none."""
    with suppress(FileNotFoundError):
        path = os.readlink(os.path.join(place, "fd", number))
        top = next((one for one in tops if path == one or path.startswith(one + "/")), "")
        kind = os.stat(os.path.join(place, "fd", number)).st_mode if top else 0
        if stat.S_ISREG(kind) or stat.S_ISDIR(kind):
            return path, top
    return "", ""


def _program(place, number):
    """Program, its user, and whether it may write."""
    with open(os.path.join(place, "comm"), encoding="utf-8", errors="replace") as opened:
        name = printable(opened.read().strip())
    with open(os.path.join(place, "fdinfo", number)) as opened:
        flags = next((int(one.split()[1], 8) for one in opened if one.startswith("flags:")), 0)
    owner = os.stat(place).st_uid
    return {"program": name, "user": _name_of_user(owner) or str(owner), "writes": flags & os.O_ACCMODE != os.O_RDONLY}


def _smbstatus():
    """Samba's own list of open files, where Samba is: it knows its users' names and machines."""
    return [printable(one) for one in _said("smbstatus", "-L") if one.strip()][:SHOWN]


def _said(*command):
    """Lines that one of Samba's programs says; none where it is not there or did not work."""
    try:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, cwd="/")
    except (OSError, subprocess.TimeoutExpired):
        return []
    return ended.stdout.decode("utf-8", "replace").splitlines() if ended.returncode == 0 else []


def _own_sid():
    """The SID by which this machine's Samba names its own accounts; nothing where there is no Samba."""
    found = [_SID.search(line) for line in _said("net", "getlocalsid")]
    return next((one[0] for one in found if one), "")


def _packed(sid):
    """The SID as it stands in a Windows ACL, behind its count of parts: those of its accounts begin so."""
    parts = [int(one) for one in sid.split("-")[3:]]
    return (5).to_bytes(6, "big") + struct.pack(f"<{len(parts)}I", *parts)


def _named(value, tag):
    """Numbers that stand in an ACL under that tag."""
    return {number for kind, _, number in _ENTRY.iter_unpack(value[4 : 4 + (len(value) - 4) // 8 * 8]) if kind == tag}


def _other(kind, number, name, here_of):
    here = here_of(int(number))
    return "" if here == name else f"{kind} {number} is {printable(name)} there and {printable(here) or 'nobody'} here"


def _name_of_user(number):
    try:
        return pwd.getpwuid(number).pw_name
    except (KeyError, OverflowError):
        return ""


def _name_of_group(number):
    try:
        return grp.getgrgid(number).gr_name
    except (KeyError, OverflowError):
        return ""


def _scratch(place):
    """(descriptor, path or nothing) of a file that nobody sees; where there is no such thing, of a short-lived one."""
    with suppress(OSError):
        return os.open(place, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600), ""
    path = os.path.join(place, parcel.PART + "try")
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), path


def _clear(place, path):
    if path:
        os.unlink(path)

"""How a module of ours ends: a `kahn` result, or one failure with a cause code. Python 3.9, standard library only."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import time
from contextlib import contextmanager, nullcontext

STORE = "/var/lib/kahn"
PATIENCE_S = 5
_ASSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_CAUSES = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "read_only",
    errno.EIO: "disk_error",
    errno.EACCES: "not_permitted",
    errno.EPERM: "not_permitted",
    errno.ENAMETOOLONG: "path_too_long",
}


class Trouble(Exception):
    """A failure that people can act on: a cause code, one sentence, and facts for the `kahn` result."""

    def __init__(self, cause, says, **facts):
        super().__init__(says)
        self.cause, self.says, self.facts = cause, says, facts


def cause_of(error):
    """The cause code of an operating system error."""
    return _CAUSES.get(error.errno, "os_error")


def printable(text):
    """A path or message without control, direction or undecodable characters, at most 300 long."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text[:300])
    return shown.encode("utf-8", "backslashreplace").decode()


def store_of(asset, base=STORE):
    """The asset's own directory on a machine, made when it is missing (root only). Raises Trouble."""
    if not _ASSET.fullmatch(asset):
        raise Trouble("bad_asset", "The asset id is no plain word.")
    for path in (base, os.path.join(base, asset)):
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            if os.path.islink(path) or not os.path.isdir(path):
                raise Trouble("store_damaged", path + " is not a directory.") from None
    return os.path.join(base, asset)


def write_whole(path, pieces, mode=0o600):
    """Write bytes to a file that appears complete or not at all, and is there after a power loss once this returns."""
    part = path + ".part"
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with os.fdopen(handle, "wb") as out:
            os.fchmod(out.fileno(), mode)
            out.writelines(pieces)
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, path)
    except OSError:
        remove_file(part)
        raise
    _sync_directory(os.path.dirname(path) or ".")


def _sync_directory(path):
    """The names in a directory are on its disk: a note must not be younger than what it is about, elsewhere."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):  # file systems that know no such thing
            raise
    finally:
        os.close(directory)


def remove_file(path):
    """Remove a file; whether there was one."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def alone(asset, base=STORE, patience_s=PATIENCE_S):
    """Within: no other program of Kahn's works for this asset on this machine. Raises Trouble.

    A program can outlive the Ansible that started it. Whoever comes next, to claim, to probe or to undo, must not
    believe what it sees before that one has ended. The file is the one that claims are made under. Where it cannot be
    made (a full or read-only disk) the work goes on without it: an undo must not fail for want of a lock.
    """
    try:
        directory = os.path.join(store_of(asset, base), "receipts")
        os.makedirs(directory, 0o700, exist_ok=True)
        lock = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        _wait_for(lock, time.monotonic() + patience_s)
        yield
    finally:
        os.close(lock)


def _wait_for(lock, until):
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise Trouble("still_working", "A program of an earlier attempt still works on this machine.") from None
        time.sleep(0.1)


def conclude(module, act, working_for=""):
    """Run `act` and end the module with its answer: a pair (changed, kahn result).

    `working_for`: the asset for which no other program of Kahn's may work on this machine meanwhile.
    """
    try:
        with alone(working_for) if working_for else nullcontext():
            changed, kahn = act()
    except Trouble as trouble:
        module.fail_json(msg=printable(trouble.says), kahn=dict(trouble.facts, cause=trouble.cause))
    except OSError as error:
        where = printable(os.fsencode(error.filename)) if error.filename else "?"
        says = f"{where}: {os.strerror(error.errno or 0)}"
        module.fail_json(msg=says, kahn={"cause": cause_of(error), "path": where})
    else:
        module.exit_json(changed=changed, kahn=kahn)

"""A procedure's service on one server: start, stop, the barrier in front of it, its jobs, its account.

What is done is noted in the asset's directory before it is done, so that it can be taken back whoever was killed.
A job is a file such as /etc/cron.d/NAME; held back, it is called NAME.kahn-held, a name that cron leaves out.
Python 3.9, standard library only; sent to the hosts as one program.
"""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import subprocess
import tempfile
import time
from contextlib import suppress

try:
    from ansible.module_utils.kahn_books import Books, locked
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, write_whole
except ImportError:  # sent to a host as one program
    from kahn_books import Books, locked
    from kahn_outcome import Trouble, printable, remove_file, write_whole

HELD = ".kahn-held"
PATIENCE_S = 60
JOB_BYTES = 65536
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_LINE = re.compile(r"[^:\n\0]{0,300}")
# The root directory always exists, so that the condition never holds.
_BARRIER = b"# The procedure runs elsewhere: Kahn holds this service back.\n[Unit]\nConditionPathExists=!/\n"


# ---------------------------------------------------------------------------- notes


def note_of(store):
    """What is noted about this side."""
    try:
        with open(os.path.join(store, "procedure"), "rb") as opened:
            return json.load(opened)
    except FileNotFoundError:
        return {}


def note(store, **facts):
    """Note facts; None takes one away, and the last one the note."""
    found = {key: one for key, one in {**note_of(store), **facts}.items() if one is not None}
    path = os.path.join(store, "procedure")
    if found:
        write_whole(path, [json.dumps(found, sort_keys=True).encode("ascii")])
    else:
        remove_file(path)


# ---------------------------------------------------------------------------- the service


class Service:
    """How the service is started, stopped and asked: a systemd unit, or three commands."""

    def __init__(self, settings, root):
        self._settings, self._root, self.unit = settings, root, settings.get("unit", "")

    def runs(self):
        """Whether it runs."""
        return self._call("running", ["systemctl", "is-active", "--quiet", self.unit])[0] == 0

    def start(self):
        """Start it and wait until it runs. Raises Trouble."""
        if self.runs():
            return
        code, said = self._call("start", ["systemctl", "start", self.unit])
        self._wait(True, "service_not_started", "The service does not start", code, said)

    def stop(self):
        """Stop it and wait until it is still. Raises Trouble."""
        if not self.runs():
            return
        code, said = self._call("stop", ["systemctl", "stop", self.unit])
        self._wait(False, "service_not_stopped", "The service does not stop", code, said)

    def _wait(self, wanted, cause, says, code, said):
        until = time.monotonic() + PATIENCE_S
        while self.runs() is not wanted:
            if code or time.monotonic() > until:
                raise Trouble(cause, f"{says} (code {code}): {printable(said[-200:])}")
            time.sleep(0.05)

    def _call(self, which, otherwise):
        argv = otherwise if self.unit else self._settings[which]
        # A service that goes to the background keeps its outputs open: nobody must wait for the end of a pipe.
        with tempfile.TemporaryFile(dir=_room_for_words()) as said:
            try:
                ended = subprocess.run(
                    argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=PATIENCE_S, cwd="/"
                )
                code = ended.returncode
            except FileNotFoundError:
                return 127, argv[0] + ": not found"
            except subprocess.TimeoutExpired:
                return 124, f"{argv[0]} took more than {PATIENCE_S} s"
            said.seek(0)
            return code, said.read(4096).decode("utf-8", "replace")

    # -- the barrier: with it the unit cannot be started by anybody, not by a restart of the machine either

    def hold_back(self):
        """Put the barrier in front of the unit."""
        if self.unit:
            place = self._drop_in()
            if not os.path.isdir(os.path.dirname(place)):
                os.mkdir(os.path.dirname(place), 0o755)
            write_whole(place, [_BARRIER], mode=0o644)
            self._reload()

    def let_go(self):
        """Take the barrier away."""
        if self.unit and remove_file(self._drop_in()):
            self._reload()
        if self.unit and os.path.isdir(os.path.dirname(self._drop_in())):
            with suppress(OSError):  # somebody else's settings for the unit lie there too
                os.rmdir(os.path.dirname(self._drop_in()))

    def _drop_in(self):
        return os.path.join(self._root, "etc/systemd/system", self.unit + ".d", "kahn-barrier.conf")

    def _reload(self):
        subprocess.run(
            ["systemctl", "daemon-reload"], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S
        )

    def enabled(self):
        """Whether it starts with the machine."""
        return bool(self.unit) and self._unit("is-enabled") == 0

    def enable(self, wanted):
        """Let it start with the machine, or not any more."""
        if self.unit and self.enabled() is not wanted:
            self._unit("enable" if wanted else "disable")

    def _unit(self, verb):
        argv = ["systemctl", verb, "--quiet", self.unit]
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S).returncode


def _room_for_words():
    return "/dev/shm" if os.path.isdir("/dev/shm") else None


def users_of(paths, proc="/proc"):
    """Programs that have one of these files open: ["sqlite3 (4711)"]."""
    wanted = set()
    for path in paths:
        try:
            entry = os.stat(path)
        except FileNotFoundError:
            continue
        wanted.add((entry.st_dev, entry.st_ino))
    found = []
    for pid in (one for one in os.listdir(proc) if one.isdecimal() and int(one) != os.getpid()):
        if wanted & _open_files(os.path.join(proc, pid, "fd")):
            found.append(printable(_name_of(os.path.join(proc, pid))) + f" ({pid})")
    return sorted(found)


def _open_files(directory):
    found = set()
    try:
        for name in os.listdir(directory):
            entry = os.stat(os.path.join(directory, name))
            if stat.S_ISREG(entry.st_mode):
                found.add((entry.st_dev, entry.st_ino))
    except OSError:
        pass  # it ended while it was looked at
    return found


def _name_of(place):
    try:
        with open(os.path.join(place, "comm"), encoding="utf-8", errors="replace") as opened:
            return opened.read().strip()
    except OSError:
        return "?"


# ---------------------------------------------------------------------------- jobs


def jobs_read(root, paths):
    """The jobs as they stand here, held back or not: [{path, mode, text}]. Raises Trouble."""
    found = []
    for path in paths:
        place = _job_place(root, path)
        if place is None:
            raise Trouble("job_missing", "There is no job " + printable(path) + ".")
        with open(place, "rb") as opened:
            text = opened.read(JOB_BYTES + 1)
        if len(text) > JOB_BYTES:
            raise Trouble("job_missing", printable(path) + " is too large for a job.")
        mode = stat.S_IMODE(os.stat(place).st_mode)
        found.append({"path": path, "mode": mode, "text": base64.b64encode(text).decode("ascii")})
    return found


def _job_place(root, path):
    place = os.path.join(root, path.lstrip("/"))
    return next((one for one in (place, place + HELD) if os.path.isfile(one) and not os.path.islink(one)), None)


def jobs_bring(root, jobs, allowed):
    """Write jobs that came from the other side, held back."""
    for job in jobs:
        if job["path"] not in allowed:
            raise Trouble("parcel_damaged", "A job was sent that nobody asked for.")
        place = os.path.join(root, job["path"].lstrip("/")) + HELD
        write_whole(place, [base64.b64decode(job["text"])], mode=job["mode"] & 0o755)


def jobs_held(root, paths, held):
    """Hold the jobs back, or let them run."""
    for path in paths:
        place = os.path.join(root, path.lstrip("/"))
        before, after = (place, place + HELD) if held else (place + HELD, place)
        if os.path.lexists(before):
            os.rename(before, after)


# ---------------------------------------------------------------------------- the account


def account_read(name, root):
    """The service account and its group: {"passwd": row, "group": row}, without a password. Raises Trouble."""
    books = Books(os.path.join(root, "etc"))
    row = books.entries("passwd").get(name)
    if row is None:
        raise Trouble("account_missing", "The old server has no account " + printable(name) + ".")
    groups = [one for one in books.entries("group").values() if one[2] == row[3]]
    if not groups:
        raise Trouble("account_missing", "The account " + printable(name) + " has no group of its own.")
    return {"passwd": [row[0], "x", *row[2:]], "group": [groups[0][0], "x", groups[0][2], ""]}


def account_make(account, root, store):
    """Make account and group with the same numbers unless they are there. Raises Trouble when others have them."""
    wanted = _checked(account)
    etc = os.path.join(root, "etc")
    with locked(etc):
        books = Books(etc)
        made = note_of(store).get("account", {})
        for kind, row in (("group", wanted["group"]), ("passwd", wanted["passwd"])):
            if _conflict(books, kind, row):
                raise Trouble("accounts_differ", f"The new server has another account or group {row[0]} ({row[2]}).")
            if row[0] not in books.entries(kind):
                books.rows[kind].append(row)
                made[kind] = row[:3]
        if made.get("passwd") and wanted["passwd"][0] not in books.entries("shadow"):
            books.rows["shadow"].append([wanted["passwd"][0], "!", "", "", "", "", "", "", ""])
        if made.get("group") and books.rows["gshadow"] and wanted["group"][0] not in books.entries("gshadow"):
            books.rows["gshadow"].append([wanted["group"][0], "!", "", ""])
        note(store, account=made or None)
        return books.write()


def _checked(account):
    try:
        person, group = account["passwd"], account["group"]
        good = len(person) == 7 and len(group) == 4 and all(_LINE.fullmatch(one) for one in [*person, *group])
        good = good and all(_NAME.fullmatch(one[0]) for one in (person, group))
        numbers = [person[2], person[3], group[2]]
        good = good and all(re.fullmatch("[1-9][0-9]{0,8}", one) for one in numbers) and person[3] == group[2]
    except (LookupError, TypeError, ValueError):
        good = False
    if not good:  # number 0 would make it a second root
        raise Trouble("accounts_invalid", "The old server's account of the procedure is not usable.")
    return {"passwd": [person[0], "x", *person[2:]], "group": [group[0], "x", group[2], ""]}


def _conflict(books, kind, row):
    here = books.entries(kind)
    same = here.get(row[0])
    differs = same is not None and (same[2] != row[2] or (kind == "passwd" and same[3] != row[3]))
    return differs or any(one[2] == row[2] and one[0] != row[0] for one in here.values())


def account_unmake(root, store):
    """Take away what was made, where it still is that."""
    made = note_of(store).get("account", {})
    etc = os.path.join(root, "etc")
    if made:
        with locked(etc):
            books = Books(etc)
            for kind, secret in (("passwd", "shadow"), ("group", "gshadow")):
                row = made.get(kind)
                if row and [one[:3] for one in books.rows[kind] if one[0] == row[0]] == [row]:
                    books.rows[kind] = [one for one in books.rows[kind] if one[0] != row[0]]
                    books.rows[secret] = [one for one in books.rows[secret] if one[0] != row[0]]
            books.write()
    note(store, account=None)

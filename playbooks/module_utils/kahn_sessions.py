"""Who is logged on at a machine or leaves programs running there. Python 3.9, standard library only.

People are named by the numbers of their accounts: names do not belong into a record that nobody can erase.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import time

PEOPLE = range(1000, 60000)
"""Numbers of ordinary local accounts."""
_SYSTEMS = range(61184, 65536)
"""Numbers that systemd gives out. Those of containers are no reason to pass a session over: sssd gives accounts of a
directory numbers from 200000 to 2000200000, in the midst of them, and a container has no session here."""
UTMP = "/run/utmp"
_RECORD = struct.Struct("<h2xi32s4s32s256shhiii4i20x")
_USER, _MOST, _ANSWER_S = 7, 4096, 5


def people(proc="/proc", utmp=UTMP, now=None, ask=None):
    """[{"uid", "since", "on"}]: every ordinary account that is logged on or has programs, the earliest first.

    `since` is in seconds since 1970 by this machine's clock, `on` a terminal, "desk", "ssh" or "program".
    """
    found = {}
    for one in (*sessions(ask), *terminals(utmp, proc)):
        _add(found, one)
    for one in programs(proc, time.time() if now is None else now):
        if one["uid"] not in found:
            _add(found, one)
    return sorted(found.values(), key=lambda one: (one["since"], one["uid"]))


def _add(found, one):
    known = found.get(one["uid"])
    if known is None or one["since"] < known["since"]:
        found[one["uid"]] = one


def is_person(uid):
    """Whether a session of that number is a person's: of this machine, or of a directory."""
    return uid in PEOPLE or (uid >= PEOPLE.stop and uid not in _SYSTEMS)


def sessions(ask=None):
    """Sessions of people as logind knows them; none where it does not run. A session that is closing is over."""
    ask = ask or _ask
    found = []
    for line in ask("list-sessions", "--no-legend").splitlines():
        words = line.split()
        if len(words) < 2 or not words[1].isdecimal() or not is_person(int(words[1])):
            continue
        told = dict(
            one.split("=", 1)
            for one in ask("show-session", words[0], "-p", "Class", "-p", "State", "-p", "Remote",
                           "-p", "TTY", "-p", "TimestampMonotonic").splitlines()
            if "=" in one
        )  # fmt: skip
        if told.get("Class", "user").startswith("user") and told.get("State", "active") != "closing":
            started = told.get("TimestampMonotonic", "")
            age = time.clock_gettime(time.CLOCK_MONOTONIC) - int(started) / 1e6 if started.isdecimal() else 0
            on = "ssh" if told.get("Remote") == "yes" else _plain(told.get("TTY", "")) or "desk"
            found.append({"uid": int(words[1]), "since": int(time.time() - max(0, age)), "on": on})
    return found


def _ask(*words):
    if not os.path.isdir("/run/systemd/sessions") or shutil.which("loginctl") is None:
        return ""
    try:
        ended = subprocess.run(
            ["loginctl", "--no-pager", *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=_ANSWER_S,
            check=False, env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.decode("utf-8", "replace") if ended.returncode == 0 else ""


def terminals(utmp=UTMP, proc="/proc"):
    """Logons that utmp holds and whose program still runs under a person's number."""
    try:
        with open(utmp, "rb") as opened:
            text = opened.read(_MOST * _RECORD.size)
    except OSError:
        return []
    found = []
    for at in range(0, len(text) - _RECORD.size + 1, _RECORD.size):
        one = _RECORD.unpack_from(text, at)
        if one[0] != _USER:
            continue
        uid = _number_of(one[4].rstrip(b"\0"))
        if uid is not None and is_person(uid) and os.path.isdir(os.path.join(proc, str(one[1]))):
            found.append(
                {"uid": uid, "since": max(0, one[9]), "on": _plain(one[2].rstrip(b"\0").decode("ascii", "replace"))}
            )
    return found


def _number_of(name):
    import pwd

    try:
        return pwd.getpwnam(name.decode("utf-8", "surrogateescape")).pw_uid
    except (KeyError, ValueError):
        return None


def _plain(name):
    return name if re.fullmatch(r"[A-Za-z0-9/:._-]{1,32}", name) else ""


def programs(proc, now):
    """Ordinary local accounts that have programs, with the start of the first of them; Kahn's own do not count."""
    booted, found = _booted(proc, now), {}
    for pid in os.listdir(proc):
        if not pid.isdecimal():
            continue
        try:
            uid = os.stat(os.path.join(proc, pid)).st_uid
        except OSError:
            continue
        if uid in PEOPLE:
            since = _started(proc, pid, booted, now)
            found[uid] = min(found.get(uid, since), since)
    return [{"uid": uid, "since": since, "on": "program"} for uid, since in found.items()]


def _booted(proc, now):
    try:
        with open(os.path.join(proc, "uptime")) as opened:
            return now - float(opened.read().split()[0])
    except (OSError, ValueError, IndexError):
        return now


def _started(proc, pid, booted, now):
    try:
        with open(os.path.join(proc, pid, "stat"), "rb") as opened:
            ticks = int(opened.read().rsplit(b")", 1)[1].split()[19])
        return int(booted + ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, IndexError, ValueError):
        return int(now)


def says(found):
    """One sentence about them: numbers, never names."""
    shown = ", ".join(
        "number {} since {} UTC ({})".format(
            one["uid"], time.strftime("%Y-%m-%d %H:%M", time.gmtime(one["since"])), one["on"] or "?"
        )
        for one in found[:5]
    )
    return "Somebody works on the old host: account " + shown + (" and more." if len(found) > 5 else ".")

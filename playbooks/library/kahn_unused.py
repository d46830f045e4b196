#!/usr/bin/python
"""Whether anybody still uses a machine, as far as the machine itself can tell: logons, connections, changed files."""

from __future__ import annotations

import os
import socket
import stat
import struct
import time
from contextlib import suppress

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude, printable

DOCUMENTATION = """
module: kahn_unused
short_description: Whether anybody still uses a machine
description: >-
  Looks and changes nothing. Logons are read from wtmp as far as it goes back; connections are those that stand while
  it looks; files are those below `data` whose contents changed. `not_seen` names what it could not look at.
options:
  asset: {type: str, required: true, description: Asset id}
  days: {type: int, default: 30, description: How long nobody may have used it}
  seconds: {type: float, default: 20, description: How long connections are watched}
  data: {type: list, elements: str, description: Folders whose files count}
  except_users: {type: list, elements: str, description: Accounts whose logons are told but are no use}
  now: {type: float, required: true, description: The controller's time, seconds since 1970}
"""
DATA = ["/home", "/srv", "/opt", "/var/www", "/var/mail"]
SKEW_S, EVERY_S, DAY_S = 300, 0.5, 86400
SHOWN = 20
_RECORD = struct.Struct("<h2xi32s4s32s256shhiii4i20x")
"""A record of wtmp: kind, process, line, id, user, host, exit status (2), session, seconds, microseconds, address."""
_USER = 7
_MOST = 174_000 * _RECORD.size
"""Bytes of one file of records that are read, the newest: about 64 MiB."""
_ESTABLISHED, _LISTENS = "01", "0A"


def logons(since, places=("/var/log/wtmp.1", "/var/log/wtmp")):
    """({user: latest second} since then, second from which on they are recorded or None)."""
    found, oldest = {}, None
    for place in places:
        try:
            with open(place, "rb") as opened:
                size = os.fstat(opened.fileno()).st_size
                opened.seek(max(0, size // _RECORD.size * _RECORD.size - _MOST))
                text = opened.read(_MOST)
        except OSError:
            continue
        with suppress(OSError):
            begun = os.stat(place).st_mtime if not text else None
            oldest = begun if begun is not None and oldest is None else oldest
        for at in range(0, len(text) - _RECORD.size + 1, _RECORD.size):
            one = _RECORD.unpack_from(text, at)
            oldest = one[9] if oldest is None else min(oldest, one[9])
            if one[0] == _USER and one[9] >= since:
                user = printable(one[4].rstrip(b"\0"))
                found[user] = max(found.get(user, 0), one[9])
    return found, oldest


def connections(directory="/proc/net"):
    """Established TCP connections to ports that something listens on: {(port, remote address)}, from elsewhere."""
    rows = [row for name in ("tcp", "tcp6") for row in _rows(os.path.join(directory, name))]
    ports = {_place(row[1])[1] for row in rows if row[3] == _LISTENS}
    found = set()
    for row in rows:
        port, remote = _place(row[1])[1], _place(row[2])
        if row[3] == _ESTABLISHED and port in ports and not remote[0].startswith(("127.", "::1")):
            found.add((port, *remote))
    return found


def listening_udp(directory="/proc/net"):
    """UDP ports that are open and not given out by chance: whether anybody uses them cannot be seen."""
    rows = [row for name in ("udp", "udp6") for row in _rows(os.path.join(directory, name))]
    return sorted({port for port in (_place(row[1])[1] for row in rows) if port < 32768})


def _rows(path):
    try:
        with open(path) as opened:
            return [line.split() for line in opened][1:]
    except OSError:
        return []


def _place(text):
    address, port = text.split(":")
    if len(address) == 8:
        return socket.inet_ntop(socket.AF_INET, struct.pack("<I", int(address, 16))), int(port, 16)
    words = struct.pack("<4I", *(int(address[at : at + 8], 16) for at in range(0, 32, 8)))
    shown = socket.inet_ntop(socket.AF_INET6, words)
    return shown[7:] if shown.startswith("::ffff:") else shown, int(port, 16)


def own_connections(proc="/proc"):
    """Connections by which Kahn itself came in: {(port, remote address, remote port)}, as the programs above know."""
    found, pid = set(), os.getpid()
    while pid > 1:
        try:
            with open(os.path.join(proc, str(pid), "environ"), "rb") as opened:
                words = dict(one.split(b"=", 1) for one in opened.read().split(b"\0") if b"=" in one)
            with open(os.path.join(proc, str(pid), "stat"), "rb") as opened:
                pid = int(opened.read().rsplit(b")", 1)[1].split()[1])
        except (OSError, IndexError, ValueError):
            break
        told = words.get(b"SSH_CONNECTION", b"").decode("ascii", "replace").split()
        if len(told) == 4:
            found.add((int(told[3]), told[0], int(told[1])))
    return found


def watched(seconds, own, directory="/proc/net"):
    """Connections that stood at some moment of so many seconds, without our own: ["port 445 from 10.0.0.7"]."""
    until, found = time.monotonic() + seconds, set()
    while True:
        found |= connections(directory) - own
        if time.monotonic() >= until:
            return sorted({f"port {port} from {remote}" for port, remote, _ in found})
        time.sleep(EVERY_S)


def changed_files(tops, since):
    """(at most SHOWN names of files changed since then, how many there are)."""
    names, count = [], 0
    for top in tops:
        waiting = [os.fsencode(top)]
        while waiting:
            place = waiting.pop()
            try:
                entry = os.lstat(place)
                if stat.S_ISDIR(entry.st_mode):
                    waiting.extend(os.path.join(place, one) for one in os.listdir(place))
            except FileNotFoundError:
                continue
            if stat.S_ISREG(entry.st_mode) and entry.st_mtime >= since:
                count += 1
                names += [printable(place)] if len(names) < SHOWN else []
    return sorted(names), count


def look(asked, wtmp=("/var/log/wtmp.1", "/var/log/wtmp"), net="/proc/net"):
    """All that can be seen. Raises Trouble(still_used) naming what speaks for use."""
    now = time.time()
    if abs(now - asked["now"]) > SKEW_S:
        raise Trouble("clock_wrong", f"The clock is {now - asked['now']:.0f} s off.")
    since = now - asked["days"] * DAY_S
    people, oldest = logons(since, wtmp)
    seen = watched(asked["seconds"], own_connections(), net)
    files, count = changed_files(asked["data"], since)
    told = {
        "days": asked["days"],
        "logons": sorted(one for one in people if one not in asked["except_users"])[:SHOWN],
        "logons_of_administrators": sorted(one for one in people if one in asked["except_users"]),
        "connections": seen[:SHOWN],
        "changed_files": files,
        "changed_file_count": count,
        "not_seen": _not_seen(oldest, since, asked, net),
    }
    why = [
        word for word, found in (("logons", told["logons"]), ("connections", seen), ("changed files", files)) if found
    ]
    if why:
        says = f"Somebody used it within {asked['days']} days: {', '.join(why)}; such as {_first(told)}."
        raise Trouble("still_used", says, **told)
    return False, told


def _first(told):
    return next(str(told[one][0]) for one in ("logons", "connections", "changed_files") if told[one])


def _not_seen(oldest, since, asked, net):
    """In words, what this look cannot exclude."""
    found = [f"connections but for {asked['seconds']:g} s", "programs that only send", "files that are only read"]
    if oldest is None:
        found.append("logons: none are recorded")
    elif oldest > since + DAY_S:
        found.append(f"logons more than {max(0, int((time.time() - oldest) // DAY_S))} days ago")
    ports = listening_udp(net)
    if ports:
        found.append("use of UDP ports " + ", ".join(map(str, ports[:SHOWN])))
    missing = [one for one in asked["data"] if not os.path.isdir(one)]
    return found + [printable(one) + ": there is no such folder" for one in missing]


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "asset": {"type": "str", "required": True},
            "days": {"type": "int", "default": 30},
            "seconds": {"type": "float", "default": 20},
            "data": {"type": "list", "elements": "str", "default": DATA},
            "except_users": {"type": "list", "elements": "str", "default": ["root"]},
            "now": {"type": "float", "required": True},
        },
        supports_check_mode=True,
    )
    conclude(module, lambda: look(module.params))


if __name__ == "__main__":
    main()

"""Accounts and groups of ordinary people: read from the old host, made on the new one, taken away again exactly.

Python 3.9, standard library only; sent to the hosts as one program too.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import ExitStack, contextmanager

try:
    from ansible.module_utils.kahn_books import RIGHTS, Books, locked
    from ansible.module_utils.kahn_outcome import Trouble, alone, printable, remove_file, store_of, write_whole
    from ansible.module_utils.kahn_talk import Talk, answer_all
except ImportError:  # sent to a host as one program
    from kahn_books import RIGHTS, Books, locked
    from kahn_outcome import Trouble, alone, printable, remove_file, store_of, write_whole
    from kahn_talk import Talk, answer_all

FIRST, LAST = 1000, 59999
# System groups that only open devices of the seat. Groups that give rights (sudo, adm, docker) are never taken over.
SEAT_GROUPS = frozenset(
    ("audio", "bluetooth", "cdrom", "dialout", "dip", "floppy", "lp", "netdev", "plugdev", "scanner", "users", "video")
)
# Room that `present` keeps occupied, so that `absent` can rewrite the account files on a disk that is full by then.
RESERVE_BYTES = 512 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_HASH = re.compile(r"[!*]{0,2}[A-Za-z0-9./$,=_-]{0,300}")
_TEXT = re.compile(r"[^:\n\0]{0,300}")


def read(books):
    """The ordinary accounts of this machine, their groups, and what is not taken over."""
    people, left = {}, []
    shadow = books.entries("shadow")
    for name, row in books.entries("passwd").items():
        if not row[2].isdecimal() or not FIRST <= int(row[2]) <= LAST:
            continue
        if not row[5].startswith("/home/") or ".." in row[5].split("/"):
            left.append(printable(name) + ": home is not below /home")
            continue
        people[name] = {"passwd": row, "shadow": shadow.get(name, [name, "!", "", "", "", "", "", "", ""])}
    groups, seats = _groups_of(books, people, left)
    return {"people": people, "groups": groups, "seats": seats, "left": sorted(left)}


def _groups_of(books, people, left):
    groups, seats = {}, {}
    for name, row in books.entries("group").items():
        members = [one for one in row[3].split(",") if one in people]
        if name in RIGHTS:
            left.extend(printable(f"{one}: member of {name}") for one in members)
        elif row[2].isdecimal() and FIRST <= int(row[2]) <= LAST:
            groups[name] = [name, "x", row[2], ",".join(members)]
        elif members and name in SEAT_GROUPS:
            seats[name] = members
        elif members:
            left.extend(printable(f"{one}: member of {name}") for one in members)
    return groups, seats


def checked(wanted):
    """The list that came from the old host, refused when a field could break an account file. Raises Trouble."""
    try:
        for name, person in wanted["people"].items():
            _check_person(name, person["passwd"], person["shadow"])
        for name, row in wanted["groups"].items():
            _demand(_NAME.fullmatch(name) and name not in RIGHTS and row[0] == name and len(row) == 4, name)
            _demand(_is_number(row[2], FIRST, LAST), name)
            _demand(all(one in wanted["people"] for one in row[3].split(",") if one), name)
        wanted["left"] = [printable(str(one)) for one in list(wanted["left"])[:20]]
        for name, members in wanted["seats"].items():
            _demand(name in SEAT_GROUPS and all(one in wanted["people"] for one in members), name)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Trouble("accounts_invalid", "The old host's list of accounts is damaged.") from None
    return wanted


def _check_person(name, row, shadow):
    _demand(_NAME.fullmatch(name) and row[0] == shadow[0] == name and len(row) == 7 and len(shadow) == 9, name)
    _demand(_is_number(row[2], FIRST, LAST) and _is_number(row[3], 100, LAST), name)
    _demand(row[5].startswith("/home/") and ".." not in row[5].split("/"), name)
    _demand(all(_TEXT.fullmatch(one) for one in row) and _HASH.fullmatch(shadow[1]), name)
    _demand(all(re.fullmatch(r"-?[0-9]{0,9}", one) for one in shadow[2:]), name)


def _is_number(text, lowest, highest):
    return bool(re.fullmatch("[0-9]{1,9}", text)) and lowest <= int(text) <= highest


def _demand(holds, name):
    if not holds:
        raise Trouble("accounts_invalid", f"The old host's account or group {printable(str(name))} is not usable.")


def conflicts(books, wanted):
    """Where an account or group of this machine has the same name or number but is not the same.

    One that administers this machine is never the seat's: what the old host sends would become an administrator's.
    """
    found = []
    for kind, rows in (("passwd", {n: p["passwd"] for n, p in wanted["people"].items()}), ("group", wanted["groups"])):
        here = books.entries(kind)
        numbers = {row[2]: name for name, row in here.items()}
        for name, row in rows.items():
            same = here.get(name)
            differs = same is not None and (same[2] != row[2] or (kind == "passwd" and same[3] != row[3]))
            if differs or numbers.get(row[2], name) != name:
                found.append("{} {} ({})".format("account" if kind == "passwd" else "group", printable(name), row[2]))
            elif kind == "passwd" and same is not None and books.rights_of(name):
                rights = printable(books.rights_of(name)[0])
                found.append(f"account {printable(name)} ({row[2]}), which is in {rights} here")
    return sorted(found)


def add(books, wanted, note):
    """Add what is missing and note it."""
    for name, row in wanted["groups"].items():
        if name not in books.entries("group"):
            books.rows["group"].append(list(row))
            if books.rows["gshadow"]:
                books.rows["gshadow"].append([name, "!", "", row[3]])
            note["groups"][name] = row[2]
    for name, person in wanted["people"].items():
        if name not in books.entries("passwd"):
            books.rows["passwd"].append([*person["passwd"][:1], "x", *person["passwd"][2:]])
            # An account without a password would be open to everybody.
            secret = person["shadow"][1] or "!"
            books.rows["shadow"] = [row for row in books.rows["shadow"] if row[0] != name]
            books.rows["shadow"].append([name, secret, *person["shadow"][2:]])
            note["people"][name] = person["passwd"][2]
    for group, people in wanted["seats"].items():
        for name in people:
            if _join(books, group, name):
                note["seats"].append([group, name])
    return note


def _join(books, group, name):
    joined = False
    for kind in ("group", "gshadow"):
        for row in books.rows[kind]:
            members = [one for one in row[3].split(",") if one] if len(row) == 4 and row[0] == group else None
            if members is not None and name not in members:
                row[3] = ",".join([*members, name])
                joined = True
    return joined


def take_away(books, note):
    """Remove what was noted, where it still is what was made."""
    for group, name in note["seats"]:
        for kind in ("group", "gshadow"):
            for row in books.rows[kind]:
                if len(row) == 4 and row[0] == group:
                    row[3] = ",".join(one for one in row[3].split(",") if one and one != name)
    people = {name for name, row in books.entries("passwd").items() if note["people"].get(name) == row[2]}
    groups = {name for name, row in books.entries("group").items() if note["groups"].get(name) == row[2]}
    for kind, names in (("passwd", people), ("shadow", people), ("group", groups), ("gshadow", groups)):
        books.rows[kind] = [row for row in books.rows[kind] if row[0] not in names]


def make(asset, etc="/etc", base="/var/lib/kahn"):
    """All or, when anything conflicts, nothing."""
    store = store_of(asset, base)
    wanted = checked(_load(os.path.join(store, "accounts")))
    with locked(etc):
        books = Books(etc)
        found = conflicts(books, wanted)
        if found:
            names = found[:20]
            raise Trouble("accounts_differ", "The successor has another " + ", ".join(names[:3]) + ".", names=names)
        path = os.path.join(store, "accounts.made")
        note = _load(path) if os.path.exists(path) else {"people": {}, "groups": {}, "seats": []}
        note = add(books, wanted, note)
        write_whole(path, [json.dumps(note, sort_keys=True).encode("ascii")])
        write_whole(os.path.join(store, "reserve"), [b"\0" * RESERVE_BYTES])
        changed = books.write()
    return changed, told(wanted)


def check(asset, etc="/etc", base="/var/lib/kahn"):
    """Every account is in this machine's files with its numbers. Raises Trouble."""
    wanted = checked(_load(os.path.join(store_of(asset, base), "accounts")))
    books = Books(etc)
    people, groups = books.entries("passwd"), books.entries("group")
    missing = [*(wanted["people"].keys() - people.keys()), *(wanted["groups"].keys() - groups.keys())]
    wrong = conflicts(books, wanted) + sorted(map(printable, missing))
    if wrong:
        raise Trouble("accounts_differ", "Not as on the old host: " + ", ".join(wrong[:3]), names=wrong[:20])
    return told(wanted)


def unmake(asset, etc="/etc", base="/var/lib/kahn"):
    """Back to the accounts from before; the notes go last."""
    store = store_of(asset, base)
    path, changed = os.path.join(store, "accounts.made"), False
    remove_file(os.path.join(store, "reserve"))
    if os.path.exists(path):
        with locked(etc):
            books = Books(etc)
            take_away(books, _load(path))
            changed = books.write()
        remove_file(path)
    return remove_file(os.path.join(store, "accounts")) or changed, {"restored": True}


def told(wanted):
    """Counts for the result: never the accounts themselves."""
    return {"people": len(wanted["people"]), "groups": len(wanted["groups"]), "left": wanted["left"][:20]}


def _load(path):
    try:
        with open(path, "rb") as opened:
            return json.load(opened)
    except FileNotFoundError:
        raise Trouble("accounts_missing", "The list of accounts is missing: " + path) from None
    except ValueError:
        raise Trouble("accounts_invalid", "The list of accounts is damaged: " + path) from None


def serve(incoming, outgoing, words):
    """Answer the controller until it is gone. `words`: the asset, and the root directory below which all lies."""
    answer_all(incoming, outgoing, _opening(words["asset"], words["root"]))


@contextmanager
def _opening(asset, root):
    """Within: no other program of Kahn's works for this asset on this machine."""
    etc, base = os.path.join(root, "etc"), os.path.join(root, "var/lib/kahn")
    with alone(asset, base):
        yield {
            "read": lambda line: read(Books(etc)),
            "make": lambda line, accounts: _made(asset, accounts, etc=etc, base=base),
        }


def _made(asset, accounts, etc, base):
    write_whole(os.path.join(store_of(asset, base), "accounts"), [json.dumps(accounts, sort_keys=True).encode("ascii")])
    changed, _ = make(asset, etc, base)
    return {"changed": changed, "told": check(asset, etc, base)}


def take_over(ssh, asset, modules, roots=None):
    """Read the accounts of the machine behind `ssh["source"]`, make them on the one behind `ssh["target"]`, and compare
    its files with the list: (changed, counts). What is read passes through the controller's memory and lies on neither
    its disk nor the source's."""
    with ExitStack() as held:
        talks = {}
        for role in ("source", "target"):
            words = {"asset": asset, "root": (roots or {}).get(role, "/")}
            talks[role] = Talk(ssh[role], role, modules, words)
            held.callback(talks[role].close)
        made = talks["target"].ask("make", accounts=talks["source"].ask("read"))
    return made["changed"], made["told"]

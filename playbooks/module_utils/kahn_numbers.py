"""Local accounts and groups of a server, with their numbers: told, made where they are missing, taken away exactly.

Numbers below 100 are the same on every Debian. Those of packages' accounts, below 1000, are given by each host as it
comes: they may differ, and owners of carried files are translated. A person's account that both hosts know by another
number is left alone, unless files that are carried belong to it: then nothing begins.

Python 3.9, standard library only.
"""

from __future__ import annotations

import json
import os
import re

try:
    from ansible.module_utils.kahn_books import FILES, RIGHTS, Books, locked
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, write_whole
except ImportError:  # sent to a host as one program
    from kahn_books import FILES, RIGHTS, Books, locked
    from kahn_outcome import Trouble, printable, remove_file, write_whole

FIRST, LAST, PEOPLE = 100, 59999, 1000
FILES_OF = ("passwd", "group")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_HASH = re.compile(r"[!*]{0,2}[A-Za-z0-9./$,=_-]{0,300}")
_TEXT = re.compile(r"[^:\n\0]{0,300}")


def told(root):
    """{"people": {name: {passwd, shadow}}, "groups": {name: row}} of this host."""
    books = Books(os.path.join(root, "etc"))
    shadow = books.entries("shadow")
    people = {
        name: {"passwd": row, "shadow": shadow.get(name, [name, "!", "", "", "", "", "", "", ""])}
        for name, row in books.entries("passwd").items()
        if _is_number(row[2])
    }
    groups = {name: row for name, row in books.entries("group").items() if _is_number(row[2]) or row[3]}
    return {"people": people, "groups": groups}


def _is_number(text):
    return bool(re.fullmatch("[0-9]{1,9}", text)) and FIRST <= int(text) <= LAST


def checked(wanted):
    """The list of the other host, refused when a field could break an account file. Raises Trouble."""
    try:
        for name, one in wanted["people"].items():
            row, secret = one["passwd"], one["shadow"]
            good = _NAME.fullmatch(name) and row[0] == secret[0] == name and len(row) == 7 and len(secret) == 9
            good = good and _is_number(row[2]) and re.fullmatch("[0-9]{1,9}", row[3]) and _HASH.fullmatch(secret[1])
            good = good and all(_TEXT.fullmatch(field) for field in row)
            _demand(good and all(re.fullmatch(r"-?[0-9]{0,9}", field) for field in secret[2:]), name)
        for name, row in wanted["groups"].items():
            good = _NAME.fullmatch(name) and row[0] == name and len(row) == 4 and re.fullmatch("[0-9]{1,9}", row[2])
            _demand(good and all(_TEXT.fullmatch(field) for field in row), name)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise Trouble("accounts_invalid", "The old host's list of accounts is damaged.") from None
    return wanted


def _demand(holds, name):
    if not holds:
        raise Trouble("accounts_invalid", f"The old host's account or group {printable(str(name))} is not usable.")


def conflicts(root, wanted, owners):
    """Where carried files would belong to somebody else, or a number is taken: sentences.

    `owners`: {"users": [numbers], "groups": [numbers]} of what is carried.
    """
    books = Books(os.path.join(root, "etc"))
    found = []
    for kind, rows in _sorts(wanted):
        here, owning = books.entries(kind), owners["users" if kind == "passwd" else "groups"]
        numbers = {row[2]: name for name, row in here.items()}
        word = "account" if kind == "passwd" else "group"
        for name, row in rows.items():
            if not _is_number(row[2]) or int(row[2]) < PEOPLE:
                continue
            taken = name not in here and row[2] in numbers
            moved = name in here and here[name][2] != row[2] and int(row[2]) in owning
            if taken or moved:
                found.append(f"{word} {printable(name)} ({row[2]})")
    return sorted(found)


def _sorts(wanted):
    return ("passwd", {name: one["passwd"] for name, one in wanted["people"].items()}), ("group", wanted["groups"])


def numbering(root, wanted):
    """{"users": {number there: number here}, "groups": ...} of packages' accounts that differ, or will.

    Raises Trouble.
    """
    return {"users" if kind == "passwd" else "groups": one for kind, one in _numbered(root, wanted).items()}


def _numbered(root, wanted):
    books = Books(os.path.join(root, "etc"))
    found = {}
    for kind, rows in _sorts(wanted):
        here = {name: int(row[2]) for name, row in books.entries(kind).items() if row[2].isdecimal()}
        there = {name: int(row[2]) for name, row in rows.items() if _is_number(row[2]) and int(row[2]) < PEOPLE}
        taken = {*here.values(), *(int(row[2]) for row in rows.values() if _is_number(row[2]))}
        free = (number for number in range(PEOPLE - 1, FIRST - 1, -1) if number not in taken)
        found[kind], given = {}, {}
        for name, number in sorted(there.items()):
            own = here.get(name, number if number not in here.values() else None)
            own = next(free, None) if own is None else own
            if own is None:
                raise Trouble("accounts_differ", f"The new host has no number left for {printable(name)}.")
            if given.setdefault(number, own) != own:  # whose files would they be there, and on the way back?
                says = f"{printable(name)} shares its number {number} with another account, and not on the new host."
                raise Trouble("accounts_differ", says)
            if own != number:
                found[kind][number] = own
    return found


def left_alone(wanted):
    """Memberships in groups that give rights: people decide about these on the new host."""
    found = []
    for name, row in wanted["groups"].items():
        if name in RIGHTS:
            found += [printable(f"{one}: member of {name}") for one in row[3].split(",") if one in wanted["people"]]
    return sorted(found)


def make(root, wanted, store):
    """Make what is missing, and memberships that give no rights; noted before it is done. Whether anything was made."""
    wanted, etc = checked(wanted), os.path.join(root, "etc")
    with locked(etc):
        books, numbered = Books(etc), _numbered(root, wanted)
        users, groups = ({str(there): str(here) for there, here in numbered[kind].items()} for kind in FILES_OF)
        note = _note(store) or {"people": {}, "groups": {}, "joined": []}
        for name, row in wanted["groups"].items():
            if _is_number(row[2]) and name not in books.entries("group"):
                row = [name, "x", groups.get(row[2], row[2]), ""]
                books.rows["group"].append(row)
                if books.rows["gshadow"]:
                    books.rows["gshadow"].append([name, "!", "", ""])
                note["groups"][name] = row[2]
        for name, one in wanted["people"].items():
            if name not in books.entries("passwd"):
                user, group, *rest = one["passwd"][2:]
                books.rows["passwd"].append([name, "x", users.get(user, user), groups.get(group, group), *rest])
                books.rows["shadow"] = [row for row in books.rows["shadow"] if row[0] != name]
                # An account without a password would be open to everybody.
                books.rows["shadow"].append([name, one["shadow"][1] or "!", *one["shadow"][2:]])
                note["people"][name] = users.get(user, user)
        note["numbering"] = {"users": users, "groups": groups}
        _join_all(books, wanted, note)
        write_whole(os.path.join(store, "numbers"), [json.dumps(note, sort_keys=True).encode("ascii")])
        return books.write()


def _join_all(books, wanted, note):
    here = books.entries("passwd")
    for name, row in wanted["groups"].items():
        for member in row[3].split(",") if name not in RIGHTS else ():
            if member in here and (member in wanted["people"]) and _join(books, name, member):
                note["joined"].append([name, member])


def _join(books, group, member):
    joined = False
    for kind in ("group", "gshadow"):
        for row in books.rows[kind]:
            if len(row) != FILES[kind] or row[0] != group:
                continue
            members = [one for one in row[3].split(",") if one]
            if member not in members:
                row[3] = ",".join([*members, member])
                joined = True
    return joined


def unmake(root, store):
    """Take away what was made, where it still is that; the note goes last."""
    note = _note(store)
    if note:
        etc = os.path.join(root, "etc")
        with locked(etc):
            books = Books(etc)
            _take_away(books, note)
            books.write()
        remove_file(os.path.join(store, "numbers"))


def _take_away(books, note):
    for group, member in note["joined"]:
        for kind in ("group", "gshadow"):
            for row in books.rows[kind]:
                if len(row) == FILES[kind] and row[0] == group:
                    row[3] = ",".join(one for one in row[3].split(",") if one and one != member)
    people = {name for name, row in books.entries("passwd").items() if note["people"].get(name) == row[2]}
    groups = {name for name, row in books.entries("group").items() if note["groups"].get(name) == row[2]}
    for kind, names in (("passwd", people), ("shadow", people), ("group", groups), ("gshadow", groups)):
        books.rows[kind] = [row for row in books.rows[kind] if row[0] not in names]


def noted(store):
    """The numbering that counts since accounts were made; empty before."""
    return (_note(store) or {}).get("numbering", {})


def _note(store):
    try:
        with open(os.path.join(store, "numbers"), "rb") as opened:
            return json.load(opened)
    except FileNotFoundError:
        return None

#!/usr/bin/python
"""What belongs to a seat besides its files: printers, network shares and people's own scheduled jobs."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import stat

from ansible.module_utils import kahn_printers, kahn_shares
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_books import Books
from ansible.module_utils.kahn_outcome import Trouble, conclude, printable, remove_file, store_of, write_whole
from ansible.module_utils.kahn_seat_services import mount, printing_stopped, reread, unmount

DOCUMENTATION = """
module: kahn_equipment
short_description: Printers, shares and scheduled jobs of a seat
description: >-
  `read` writes them to /var/lib/kahn/ASSET/equipment (root only: it holds passwords, which never appear in a result);
  `present` adds what is missing and notes it; `checked` compares; `absent` takes exactly that away. What is not taken
  over is named under `left`, with the reason.
options:
  asset: {type: str, required: true, description: Asset id; names the directory below /var/lib/kahn}
  state: {type: str, choices: [read, present, checked, absent], required: true, description: What to do}
"""
PRINTERS, FSTAB, JOBS = "etc/cups/printers.conf", "etc/fstab", "var/spool/cron/crontabs"
AUTHORITIES = "usr/local/share/ca-certificates"
LARGEST = 4 * 1024 * 1024
LEFT = 200
"""Things left to people that are carried by name; all are counted."""
_MOST_LEFT, _MOST_NAMES = 100_000, 5_000
_FIRST, _LAST = 1000, 59999


def read(root="/"):
    """What this machine has, and what is not taken over."""
    drivers = os.path.join(root, "etc/cups/ppd")
    printers, left = kahn_printers.read(
        _text(os.path.join(root, PRINTERS)) or "",
        lambda name: _text(os.path.join(drivers, name + ".ppd"), most=kahn_printers.LARGEST_DRIVER),
    )
    shares, others = kahn_shares.read(
        _text(os.path.join(root, FSTAB)) or "",
        lambda path: _text(os.path.join(root, path.lstrip("/")), most=kahn_shares.LARGEST_SECRET),
    )
    jobs, more = _jobs_of(root)
    trusted = [f"certificate authority {one}: trust is given anew" for one in _names(os.path.join(root, AUTHORITIES))]
    left = [*left, *others, *more, *map(printable, trusted)]
    return {"printers": printers, "shares": shares, "jobs": jobs, "left": left[:LEFT], "left_count": len(left)}


def _jobs_of(root):
    jobs, left = [], []
    people = _people(root)
    for name in _names(os.path.join(root, JOBS)):
        text = _text(os.path.join(root, JOBS, name), most=65536)
        if name in people and text is not None and _is_table(text):
            jobs.append({"user": name, "text": text})
        else:
            left.append(printable(f"scheduled jobs of {name}: not an ordinary account, or not usable"))
    return jobs, left


def _people(root):
    """{name: uid} of the ordinary accounts."""
    rows = Books(os.path.join(root, "etc")).entries("passwd")
    return {name: int(row[2]) for name, row in rows.items() if row[2].isdecimal() and _FIRST <= int(row[2]) <= _LAST}


def _is_table(text):
    return len(text) <= 65536 and "\0" not in text and "\r" not in text


def checked(wanted):
    """The list that came from the old host, judged again by the same rules. Raises Trouble."""
    try:
        for one in wanted["printers"]:
            _demand(one["default"] in (True, False) and not kahn_printers.wrong(one), one["name"])
        for one in wanted["shares"]:
            _demand(not kahn_shares.wrong(one), one["source"])
        for one in wanted["jobs"]:
            _demand(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}", one["user"]) and _is_table(one["text"]), one["user"])
        _demand(type(wanted["left_count"]) is int and 0 <= wanted["left_count"] <= _MOST_LEFT, "left_count")
        wanted["left"] = [printable(str(one)) for one in list(wanted["left"])[:LEFT]]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Trouble("equipment_invalid", "The old host's list of printers and shares is damaged.") from None
    return wanted


def _demand(holds, name):
    if not holds:
        raise Trouble("equipment_invalid", f"What the old host says of {printable(str(name))} is not usable.")


def plan(wanted, root="/"):
    """({path below root: (bytes, mode, uid, gid)}, places to make, what is left) for this machine."""
    files, left = {}, list(wanted["left"])
    names = _plan_printers(wanted["printers"], root, files, left)
    shares = _plan_shares(wanted["shares"], root, files, left)
    for one in wanted["jobs"]:
        _plan_jobs(one, root, files, left)
    return files, names, shares, left


def _plan_printers(printers, root, files, left):
    if printers and not os.path.isdir(os.path.join(root, "etc/cups")):
        left.extend("printer {}: the successor has no CUPS".format(one["name"]) for one in printers)
        return []
    text = _text(os.path.join(root, PRINTERS)) or ""
    known = {name.lower() for name, _, _ in kahn_printers.blocks(text)}
    fresh = []
    for one in printers:
        lacks = [name for name in kahn_printers.filters(one["driver"] or "") if not _has_filter(root, name)]
        if one["name"].lower() in known:
            left.append("printer {}: the successor has one of that name".format(one["name"]))
        elif lacks:
            left.append("printer {}: the successor lacks the filter {}".format(one["name"], ", ".join(lacks)))
        else:
            fresh.append(one)
            known.add(one["name"].lower())
    if fresh:
        files[PRINTERS] = _like(os.path.join(root, PRINTERS), kahn_printers.added(text, fresh), 0o600)
        for one in fresh:
            if one["driver"] is not None:
                files["etc/cups/ppd/" + one["name"] + ".ppd"] = (_bytes(one["driver"]), 0o640, 0, _group(root, "lp"))
    return [one["name"] for one in fresh]


def _has_filter(root, name):
    return os.path.exists(os.path.join(root, "usr/lib/cups/filter", name))


def _plan_shares(shares, root, files, left):
    text = _text(os.path.join(root, FSTAB)) or ""
    taken = {line.split()[1] for line in text.splitlines() if len(line.split()) > 1}
    fresh = []
    for one in shares:
        place = os.path.join(root, one["place"].lstrip("/"))
        if one["place"] in taken or (os.path.lexists(place) and not os.path.isdir(place)):
            left.append("share {}: the successor has something else at {}".format(one["source"], one["place"]))
        else:
            taken.add(one["place"])
            fresh.append(one)
            if one["secret"]:
                files[kahn_shares.secret_path(one).lstrip("/")] = (_bytes(one["secret"]), 0o600, 0, 0)
    if fresh:
        lines = [kahn_shares.line_of(one) for one in fresh]
        files[FSTAB] = _like(os.path.join(root, FSTAB), kahn_shares.added(text, lines), 0o644)
    return fresh


def _plan_jobs(one, root, files, left):
    name, directory = one["user"], os.path.join(root, JOBS)
    people, rights = _people(root), Books(os.path.join(root, "etc")).rights_of(one["user"])
    if not os.path.isdir(directory):
        left.append(f"scheduled jobs of {name}: the successor has no cron")
    elif name not in people:
        left.append(f"scheduled jobs of {name}: no such account on the successor")
    elif rights:
        left.append(f"scheduled jobs of {name}: that account is in {rights[0]} on the successor")
    elif os.path.lexists(os.path.join(directory, name)):
        left.append(f"scheduled jobs of {name}: there are some on the successor")
    else:
        files[JOBS + "/" + name] = (_bytes(one["text"]), 0o600, people[name], os.stat(directory).st_gid)


def make(asset, root="/", base="/var/lib/kahn"):
    """`present`: adds what is missing; again when what was added is not as it was noted."""
    store = store_of(asset, base)
    wanted = checked(_load(os.path.join(store, "equipment")))
    note = _noted(store)
    if note is not None:
        if all(_digest(os.path.join(root, path)) == one["wrote"] for path, one in note["files"].items()):
            return False, told(wanted, note)
        unmake(asset, root, base, keep_list=True)
    files, printers, shares, left = plan(wanted, root)
    note = {
        "files": {path: _before(os.path.join(root, path), one[0]) for path, one in files.items()},
        "directories": _missing(root, [os.path.dirname(path) for path in files], [one["place"] for one in shares]),
        "printers": printers,
        "lines": [kahn_shares.line_of(one) for one in shares],
        "places": [one["place"] for one in shares],
        "jobs": len([path for path in files if path.startswith(JOBS)]),
        "left": left,
        "more": max(0, wanted["left_count"] - len(wanted["left"])),
    }
    _keep(store, note)
    for path in note["directories"]:
        os.mkdir(os.path.join(root, path), 0o755)
    with printing_stopped(bool(printers) and root == "/"):
        for path in sorted(files):
            _put(os.path.join(root, path), *files[path])
    if shares and root == "/":
        reread()
        note["left"] = [*left, *(one for one in map(mount, shares) if one)]
        _keep(store, note)
    return bool(files), told(wanted, note)


def check(asset, root="/", base="/var/lib/kahn"):
    """`checked`: all that was added is there. Raises Trouble."""
    store = store_of(asset, base)
    wanted, note = checked(_load(os.path.join(store, "equipment"))), _noted(store)
    if note is None:
        raise Trouble("equipment_missing", "Nothing was added to the successor.")
    printers = {name for name, _, _ in kahn_printers.blocks(_text(os.path.join(root, PRINTERS)) or "")}
    lines = (_text(os.path.join(root, FSTAB)) or "").splitlines(keepends=True)
    missing = [f"printer {name}" for name in note["printers"] if name not in printers]
    missing += [line.split()[0] for line in note["lines"] if line not in lines]
    missing += [
        path
        for path, one in note["files"].items()
        if path not in (PRINTERS, FSTAB) and _digest(os.path.join(root, path)) != one["wrote"]
    ]
    if missing:
        names = [printable(one) for one in missing[:20]]
        raise Trouble("equipment_missing", "Not on the successor: " + ", ".join(names[:3]), names=names)
    return False, told(wanted, note)


def unmake(asset, root="/", base="/var/lib/kahn", *, keep_list=False):
    """`absent`: back to what was there before; what people changed since is kept beside the notes."""
    store = store_of(asset, base)
    note, changed = _noted(store), False
    if note is not None:
        if root == "/":
            unmount(note["places"])
        with printing_stopped(bool(note["printers"]) and root == "/"):
            for number, path in enumerate(sorted(note["files"])):
                changed = _take_back(os.path.join(root, path), note["files"][path], note, store, number) or changed
        for path in reversed(note["directories"]):
            _remove_empty(os.path.join(root, path))
        if note["lines"] and root == "/":
            reread()
        remove_file(os.path.join(store, "equipment.made"))
    if not keep_list:
        changed = remove_file(os.path.join(store, "equipment")) or changed
    return changed, {"restored": True}


def _take_back(path, one, note, store, number):
    now = _digest(path)
    if now is None:
        return False
    if now == one["wrote"]:
        if one["was"] is None:
            return remove_file(path)
        _put(path, base64.b64decode(one["was"]), one["mode"], one["uid"], one["gid"])
    elif path.endswith("/" + PRINTERS):
        text = kahn_printers.without(_text(path) or "", note["printers"])
        if one["was"] is None and not kahn_printers.blocks(text):
            return remove_file(path)
        _put(path, _bytes(text), *_owner(path))
    elif path.endswith("/" + FSTAB):
        _put(path, _bytes(kahn_shares.without(_text(path) or "", note["lines"])), *_owner(path))
    elif base64.b64encode(_raw(path) or b"").decode() != one["was"]:
        write_whole(os.path.join(store, f"kept.{number}"), [_raw(path) or b""])
        return remove_file(path)
    return True


def _owner(path):
    entry = os.stat(path)
    return stat.S_IMODE(entry.st_mode), entry.st_uid, entry.st_gid


def _before(path, content):
    raw = _raw(path)
    mode, uid, gid = _owner(path) if raw is not None else (0, 0, 0)
    was = base64.b64encode(raw).decode() if raw is not None else None
    return {"was": was, "wrote": hashlib.sha256(content).hexdigest(), "mode": mode, "uid": uid, "gid": gid}


def _missing(root, parents, places):
    """Directories below root to make, upper ones first."""
    found = set()
    for path in [*parents, *(one.lstrip("/") for one in places)]:
        while path and not os.path.isdir(os.path.join(root, path)):
            found.add(path)
            path = os.path.dirname(path)
    return sorted(found)


def _remove_empty(path):
    try:
        os.rmdir(path)
    except OSError:
        return


def _put(path, content, mode, uid, gid):
    write_whole(path, [content], mode=mode)
    if os.geteuid() == 0:
        os.chown(path, uid, gid)


def _like(path, text, mode):
    """(bytes, mode, uid, gid) as the file has them now, else root's."""
    return (_bytes(text), *(_owner(path) if os.path.isfile(path) else (mode, 0, 0)))


def _group(root, name):
    row = Books(os.path.join(root, "etc")).entries("group").get(name)
    return int(row[2]) if row and row[2].isdecimal() else 0


def _names(directory):
    try:
        return sorted(one for one in os.listdir(directory) if not one.startswith("."))[:_MOST_NAMES]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _raw(path, most=LARGEST):
    """A plain file's content; None where there is none of that size. Links are not followed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as opened:
        entry = os.fstat(handle)
        return opened.read() if stat.S_ISREG(entry.st_mode) and entry.st_size <= most else None


def _text(path, most=LARGEST):
    raw = _raw(path, most)
    return None if raw is None else raw.decode("utf-8", "surrogateescape")


def _bytes(text):
    return text.encode("utf-8", "surrogateescape")


def _digest(path):
    raw = _raw(path)
    return None if raw is None else hashlib.sha256(raw).hexdigest()


def _load(path):
    try:
        with open(path, "rb") as opened:
            return json.load(opened)
    except FileNotFoundError:
        raise Trouble("equipment_missing", "The list of printers and shares is missing: " + path) from None
    except ValueError:
        raise Trouble("equipment_invalid", "The list of printers and shares is damaged: " + path) from None


def _noted(store):
    path = os.path.join(store, "equipment.made")
    return _load(path) if os.path.exists(path) else None


def _keep(store, note):
    write_whole(os.path.join(store, "equipment.made"), [json.dumps(note, sort_keys=True).encode("ascii")])


def told(wanted, note=None):
    """Counts and what is left for people: never a password."""
    made = note or {"printers": wanted["printers"], "lines": wanted["shares"], "jobs": len(wanted["jobs"])}
    left = (note or wanted)["left"]
    count = len(left) + note["more"] if note else wanted["left_count"]
    facts = {"printers": len(made["printers"]), "shares": len(made["lines"]), "jobs": made["jobs"]}
    return dict(facts, left=[printable(one) for one in left[:20]], left_count=count)


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "asset": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["read", "present", "checked", "absent"], "required": True},
        }
    )
    asset, state = module.params["asset"], module.params["state"]

    def act():
        if state == "read":
            wanted = read()
            write_whole(
                os.path.join(store_of(asset), "equipment"), [json.dumps(wanted, sort_keys=True).encode("ascii")]
            )
            return False, told(wanted)
        return {"present": make, "checked": check, "absent": unmake}[state](asset)

    conclude(module, act, working_for=asset)


if __name__ == "__main__":
    main()

#!/usr/bin/python
"""A machine's own name, as its inventory record has it: set, checked, and given back exactly."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import stat

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude, remove_file, store_of, write_whole

DOCUMENTATION = """
module: kahn_hostname
short_description: A machine's own name
description: >-
  `present` writes /etc/hostname, the line 127.0.1.1 of /etc/hosts and the name that the kernel has, and notes what was
  there; `checked` compares; `absent` gives back exactly that. A record's name that is no host name changes nothing.
options:
  asset: {type: str, required: true, description: Asset id; names the directory below /var/lib/kahn}
  state: {type: str, choices: [present, checked, absent], required: true, description: What to do}
  name: {type: str, default: "", description: The record's name of this machine}
"""
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){0,5}")
_OWN = "127.0.1.1"


class Names:
    """The places of a machine's name below a root; `live` is what the kernel has."""

    def __init__(self, root="/", get=socket.gethostname, put=socket.sethostname):
        self.hostname, self.hosts = os.path.join(root, "etc/hostname"), os.path.join(root, "etc/hosts")
        self.get, self.put = get, put


def usable(name):
    """The record's name as a host name of at most 64 letters, or nothing."""
    found = name.strip().lower()
    return found if len(found) <= 64 and _NAME.fullmatch(found) else ""


def make(asset, name, places, base="/var/lib/kahn"):
    """`present`. What was there is noted before the first byte changes."""
    wanted, store = usable(name), store_of(asset, base)
    if not wanted:
        return False, {"hostname": places.get(), "kept": True}
    note = os.path.join(store, "hostname.made")
    if not os.path.exists(note):
        was = {"hostname": _kept(places.hostname), "hosts": _kept(places.hosts), "live": places.get(), "name": wanted}
        write_whole(note, [json.dumps(was, sort_keys=True).encode("ascii")])
    changed = _written(places.hostname, wanted + "\n")
    changed = _written(places.hosts, with_name(_text(places.hosts), wanted)) or changed
    if places.get() != wanted:
        places.put(wanted)
        changed = True
    return changed, {"hostname": wanted, "kept": False}


def check(name, places):
    """`checked`. Raises Trouble(hostname_differs)."""
    wanted = usable(name)
    if wanted and (_text(places.hostname).strip() != wanted or places.get() != wanted):
        raise Trouble("hostname_differs", "The successor does not bear the name of its record.")
    return False, {"hostname": places.get(), "kept": not wanted}


def unmake(asset, places, base="/var/lib/kahn"):
    """`absent`: the name from before; a file that people changed since keeps their change, without our line."""
    note = os.path.join(store_of(asset, base), "hostname.made")
    if not os.path.exists(note):
        return False, {"hostname": places.get()}
    with open(note, "rb") as opened:
        was = json.load(opened)
    before = _bytes_of(was["hosts"]).decode("utf-8", "surrogateescape")
    _put_back(places.hostname, was["hostname"], was["name"] + "\n")
    if _text(places.hosts) == with_name(before, was["name"]):
        _put_back(places.hosts, was["hosts"], _text(places.hosts))
    elif before != with_name(before, was["name"]):
        old = next((line for line in before.splitlines() if line.split()[:1] == [_OWN]), "")
        _written(places.hosts, _replaced(_text(places.hosts), old))
    if places.get() == was["name"]:
        places.put(was["live"])
    remove_file(note)
    return True, {"hostname": places.get()}


def with_name(text, name):
    """/etc/hosts in which some line names the machine, else its own; the short form stands behind a long one."""
    if any(name in line.split("#", 1)[0].split()[1:] for line in text.splitlines()):
        return text
    short = name.split(".", 1)[0]
    return _replaced(text, _OWN + "\t" + (name if short == name else f"{name} {short}"))


def _replaced(text, line):
    """The text with its own line replaced by this one, or with it at the end; without the line when it is empty."""
    lines = text.splitlines()
    at = next((number for number, one in enumerate(lines) if one.split()[:1] == [_OWN]), len(lines))
    if at < len(lines) and line and lines[at].split() == line.split():
        return text
    kept = [*lines[:at], *([line] if line else []), *lines[at + 1 :]]
    return "".join(one + "\n" for one in kept)


def _put_back(path, kept, ours):
    if _text(path) != ours:
        return
    if kept is None:
        remove_file(path)
    else:
        _written(path, _bytes_of(kept).decode("utf-8", "surrogateescape"))


def _bytes_of(kept):
    return b"" if kept is None else base64.b64decode(kept)


def _kept(path):
    try:
        with open(path, "rb") as opened:
            return base64.b64encode(opened.read()).decode()
    except FileNotFoundError:
        return None


def _text(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as opened:
            return opened.read()
    except FileNotFoundError:
        return ""


def _written(path, text):
    """Write it where it differs, with the mode that the file has; whether it did."""
    if os.path.exists(path) and _text(path) == text:
        return False
    mode = stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else 0o644
    write_whole(path, [text.encode("utf-8", "surrogateescape")], mode=mode)
    return True


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "asset": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "checked", "absent"], "required": True},
            "name": {"type": "str", "default": ""},
        }
    )
    asset, state, places = module.params["asset"], module.params["state"], Names()
    acts = {
        "present": lambda: (make(asset, module.params["name"], places)[0], check(module.params["name"], places)[1]),
        "checked": lambda: check(module.params["name"], places),
        "absent": lambda: unmake(asset, places),
    }
    conclude(module, acts[state], working_for=asset)


if __name__ == "__main__":
    main()

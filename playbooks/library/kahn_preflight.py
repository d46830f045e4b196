#!/usr/bin/python
"""Whether a machine is fit for the replacement: reachable as root, right time, enough room."""

from __future__ import annotations

import os
import sys
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import STORE, Trouble, conclude, printable
from ansible.module_utils.kahn_tree import filled, walk

DOCUMENTATION = """
module: kahn_preflight
short_description: Whether a machine is fit for the replacement
options:
  part: {type: str, choices: [source, vault, target], required: true, description: The machine's role}
  asset: {type: str, required: true, description: Asset id}
  now: {type: float, required: true, description: The controller's time, seconds since 1970}
  tops: {type: list, elements: str, description: Names in /home of the source (target)}
  need_bytes: {type: int, default: 0, description: Bytes that will arrive}
  need_entries: {type: int, default: 0, description: Files that will arrive}
"""
SKEW_S = 300
SPARE = 16 * 1024 * 1024


def at_source(home="/home"):
    """Root is let in as root, and how much there is to carry; holes of files count nothing."""
    if os.environ.get("SUDO_USER", "root") != "root":
        raise Trouble(
            "access_not_root", "Locking logins would lock Kahn out too: let its access profile log in as root."
        )
    tops, size, entries = set(), 0, 0
    for record in walk(home, skip=frozenset({os.path.join(home, "lost+found")}), deep=(), one_device=True):
        tops.add(record["p"].split("/", 1)[0])
        entries += 1
        size += filled(os.path.join(home, record["p"])) if record["t"] == "f" and "n" not in record else 0
    return {"tops": [shown(one) for one in sorted(tops)], "bytes": size, "entries": entries}


def shown(name):
    """A name without undecodable bytes, as it travels in results."""
    return name.encode("utf-8", "backslashreplace").decode()


def at_target(store, tops, need, home="/home"):
    """Nothing of the same name, and room."""
    here = {shown(one) for one in os.listdir(home)}
    ours = os.path.exists(os.path.join(store, "restored"))
    taken = sorted(here.intersection(tops))
    if taken and not ours:
        says = "The successor already has " + ", ".join(map(printable, taken[:3])) + "."
        raise Trouble("target_not_empty", says, names=[printable(one) for one in taken[:20]])
    return {"free_bytes": None if ours else room(home, need, "successor", "not_enough_space")}


def room(path, need, name, cause):
    """Free bytes there; `need` is (bytes, entries). Raises Trouble when they, or the free inodes, are not enough."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    found = os.statvfs(path)
    free = found.f_bavail * found.f_frsize
    # A file takes half a block more than its bytes on average; give it a whole one.
    need_bytes = need[0] + need[1] * 4096 + SPARE
    if free < need_bytes:
        says = f"The {name} has {free >> 20} MiB free and needs {need_bytes >> 20}."
        raise Trouble(cause, says, free_bytes=free, need_bytes=need_bytes)
    if found.f_files and found.f_favail < need[1]:
        raise Trouble(cause, f"The {name} has too few free inodes.", free_inodes=found.f_favail)
    return free


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "part": {"type": "str", "choices": ["source", "vault", "target"], "required": True},
            "asset": {"type": "str", "required": True},
            "now": {"type": "float", "required": True},
            "tops": {"type": "list", "elements": "str", "default": []},
            "need_bytes": {"type": "int", "default": 0},
            "need_entries": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    asked = module.params
    need = asked["need_bytes"], asked["need_entries"]

    def act():
        if sys.version_info < (3, 9):  # noqa: UP036 (the machine decides)
            raise Trouble("python_too_old", f"Python {sys.version[:6]} is here, 3.9 is needed.")
        skew = time.time() - asked["now"]
        if abs(skew) > SKEW_S:
            raise Trouble("clock_wrong", f"The clock of the {asked['part']} is {skew:.0f} s off.")
        if asked["part"] == "source":
            return False, at_source()
        if asked["part"] == "vault":
            return False, {"free_bytes": room("/srv/kahn-vault", need, "vault", "vault_full")}
        return False, at_target(os.path.join(STORE, asked["asset"]), asked["tops"], need)

    conclude(module, act)


if __name__ == "__main__":
    main()

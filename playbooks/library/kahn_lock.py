#!/usr/bin/python
"""Keeps ordinary people from logging in to a machine, and lets them in again."""

from __future__ import annotations

import json
import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude, remove_file, store_of, write_whole
from ansible.module_utils.kahn_sessions import people, says

DOCUMENTATION = """
module: kahn_lock
short_description: Keeps ordinary people from logging in
description: >-
  Writes /etc/nologin unless there is one already; what was found is noted first, and taken back exactly. Who is logged
  on by then is not thrown out: the lock is taken off again, and the cause is source_busy.
options:
  asset: {type: str, required: true, description: Asset id; names the directory below /var/lib/kahn}
  state: {type: str, choices: [locked, checked, unlocked], required: true, description: What to do}
"""
NOLOGIN = "/etc/nologin"
TEXT = b"This workstation is being replaced. Please use its successor.\nDieser Arbeitsplatz wird ersetzt.\n"


def lock(asset, path=NOLOGIN, base="/var/lib/kahn"):
    """Lock; a lock of somebody else stays as it is and is not ours to open."""
    note = os.path.join(store_of(asset, base), "lock")
    if not os.path.exists(note):
        write_whole(note, [json.dumps({"was_locked": os.path.lexists(path)}).encode("ascii")])
    if os.path.lexists(path):
        return False, {"locked": True}
    write_whole(path, [TEXT], mode=0o644)
    return True, {"locked": True}


def lock_out_nobody(asset, path=NOLOGIN, base="/var/lib/kahn", who=people):
    """Lock, unless somebody logged on meanwhile: nobody is thrown out later, so the lock is taken off again at once.

    Raises Trouble(source_busy).
    """
    changed, told = lock(asset, path, base)
    found = who()
    if found:
        unlock(asset, path, base)
        raise Trouble("source_busy", says(found), people=found[:20], people_count=len(found))
    return changed, told


def check(path=NOLOGIN):
    """It is locked. Raises Trouble."""
    if not os.path.exists(path):
        raise Trouble("not_locked", "People can log in to the old host.")
    return False, {"locked": True}


def unlock(asset, path=NOLOGIN, base="/var/lib/kahn"):
    """Take our own lock away, and only ours."""
    note = os.path.join(store_of(asset, base), "lock")
    if not os.path.exists(note):
        return False, {"locked": os.path.lexists(path)}
    with open(note, "rb") as opened:
        was_locked = json.load(opened)["was_locked"]
    changed = not was_locked and _is_ours(path) and remove_file(path)
    remove_file(note)
    return changed, {"locked": os.path.lexists(path)}


def _is_ours(path):
    try:
        with open(path, "rb") as opened:
            return opened.read(len(TEXT) + 1) == TEXT
    except FileNotFoundError:
        return False


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "asset": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["locked", "checked", "unlocked"], "required": True},
        }
    )
    asset, state = module.params["asset"], module.params["state"]
    acts = {"locked": lambda: lock_out_nobody(asset), "checked": check, "unlocked": lambda: unlock(asset)}
    conclude(module, acts[state], working_for=asset)


if __name__ == "__main__":
    main()

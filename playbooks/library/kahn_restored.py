#!/usr/bin/python
"""Takes the restored files away from the successor again: those, and only those."""

from __future__ import annotations

import json
import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_home import Home, checked, part_of
from ansible.module_utils.kahn_outcome import Trouble, conclude, printable, remove_file, store_of
from ansible.module_utils.kahn_reached import NOTE
from ansible.module_utils.kahn_tree import read_records, walk

DOCUMENTATION = """
module: kahn_restored
short_description: Takes restored files away again
description: >-
  What the manifest does not name is foreign: then nothing is touched and the foreign paths are told. A restored file
  that was changed since is set aside below /home/.kahn-kept instead of being removed.
options:
  asset: {type: str, required: true, description: Asset id; names the directory below /var/lib/kahn}
  home: {type: str, default: /home, description: Directory of the users' files}
"""
KEPT = ".kahn-kept"


def take_away(asset, home="/home", base="/var/lib/kahn"):
    """Remove everything that was restored. Raises Trouble(foreign_files)."""
    store = store_of(asset, base)
    note = os.path.join(store, "restored")
    if not os.path.exists(note):
        return remove_file(os.path.join(store, "home.manifest")), {"removed": 0, "kept": []}
    with open(note, "rb") as opened:
        noted = json.load(opened)
    records, digest = read_records(os.path.join(store, "home.manifest"))
    if digest != noted["manifest"]:
        raise Trouble("manifest_damaged", "The manifest at the successor is not the one that was restored.")
    known = checked(records)
    parts = {part_of(path, known) for path, one in known.items() if one["t"] == "f"}
    _refuse_foreign(home, noted["tops"], known, parts)
    place = Home(home)
    try:
        _remove_parts(place, parts)
        kept = [path for path in reversed(known) if _remove(place, home, asset, path, known[path])]
    finally:
        place.close()
    for path in (note, os.path.join(store, NOTE), os.path.join(store, "home.manifest")):
        remove_file(path)
    return True, {"removed": len(known) - len(kept), "kept": [printable(one) for one in kept[:20]]}


def _remove_parts(place, parts):
    """What arrived of files that broke off."""
    for part in parts:
        if place.entry(part) is not None:
            directory, name = place.parent(part)
            os.unlink(name, dir_fd=directory)


def _refuse_foreign(home, tops, known, parts):
    foreign = []
    for top in tops:
        path = os.path.join(home, top)
        found = walk(path, deep=(), prefix=top) if os.path.lexists(path) else ()
        foreign.extend(
            one["p"] for one in found if one["p"] not in known and not (one["t"] == "f" and one["p"] in parts)
        )
    if foreign:
        names = [printable(one) for one in foreign[:20]]
        says = f"{len(foreign)} files on the successor were not restored by Kahn: " + ", ".join(names[:3])
        raise Trouble("foreign_files", says, names=names, count=len(foreign))


def _remove(place, home, asset, path, record):
    """Remove one entry; True when it was changed since and was set aside instead."""
    entry = place.entry(path)
    if entry is None:
        return False
    directory, name = place.parent(path)
    if record["t"] == "d":
        try:
            os.rmdir(name, dir_fd=directory)
        except NotADirectoryError:
            return _set_aside(home, asset, path, directory, name)
        return False
    # A half-written file of ours has a newer time too, but then its owner is still root.
    changed = record["t"] == "f" and (entry.st_size, entry.st_mtime_ns // 10**9) != (record["s"], record["mt"] // 10**9)
    if changed and entry.st_uid == record["u"] and entry.st_size:
        return _set_aside(home, asset, path, directory, name)
    os.unlink(name, dir_fd=directory)
    return False


def _set_aside(home, asset, path, directory, name):
    shelf = os.path.join(home, KEPT, asset)
    os.makedirs(shelf, 0o700, exist_ok=True)
    os.chmod(os.path.join(home, KEPT), 0o700)
    flat = os.fsencode(path.replace("/", "%"))[-200:]
    os.rename(name, os.path.join(os.fsencode(shelf), flat), src_dir_fd=directory)
    return True


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={"asset": {"type": "str", "required": True}, "home": {"type": "str", "default": "/home"}}
    )
    asset = module.params["asset"]
    conclude(module, lambda: take_away(asset, module.params["home"]), working_for=asset)


if __name__ == "__main__":
    main()

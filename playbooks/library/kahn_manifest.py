#!/usr/bin/python
"""Manifest of the users' files: taken where they are saved, compared wherever they should be the same."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude, store_of, write_whole
from ansible.module_utils.kahn_tree import carried, differences, digest_of_lines, filled, line_of, read_records, walk

DOCUMENTATION = """
module: kahn_manifest
short_description: Manifest of the users' files
options:
  asset: {type: str, required: true, description: Asset id; names the directory below /var/lib/kahn}
  state: {type: str, choices: [taken, compared], required: true, description: What to do}
  home: {type: str, default: /home, description: Directory of the users' files}
  expected: {type: str, description: Digest that the manifest must have (compared)}
  side: {type: str, default: here, description: Word for this machine in messages}
  limit: {type: int, default: 20, description: Differences named at most}
"""
NOT_CARRIED = frozenset({"b", "c", "p", "s", "?"})


def records_of(home, tops=None):
    """(records to carry, how many of each kind are left out); only below the given top names when there are any."""
    kept, left_out = [], {}
    for record in walk(home, skip=frozenset({os.path.join(home, "lost+found")}), one_device=True):
        if tops is not None and record["p"].split("/", 1)[0] not in tops:
            continue
        if record["t"] in NOT_CARRIED:
            left_out[record["t"]] = left_out.get(record["t"], 0) + 1
        else:
            kept.append(carried(record))
    return kept, left_out


def take(asset, home):
    """Write the manifest and the list of names for tar; tell digest and sizes."""
    kept, left_out = records_of(home)
    lines = [line_of(one) for one in kept]
    store = store_of(asset)
    names = (one["p"].encode("utf-8", "surrogateescape") + b"\0" for one in kept)
    write_whole(os.path.join(store, "home.names"), names)
    write_whole(os.path.join(store, "home.manifest"), lines)
    told = {"manifest": digest_of_lines(lines), "entries": len(kept), "left_out": left_out}
    told["files"] = sum(one["t"] == "f" for one in kept)
    plain = [one for one in kept if one["t"] == "f" and "n" not in one]
    told["bytes"] = sum(one["s"] for one in plain)
    told["filled"] = sum(filled(os.path.join(home, one["p"])) for one in plain)
    return told


def compare(asset, home, expected, side, limit):
    """Compare the files with the kept manifest, whose digest must be the expected one. Raises Trouble."""
    wanted, digest = read_records(os.path.join(store_of(asset), "home.manifest"))
    if expected and digest != expected:
        raise Trouble("manifest_damaged", f"The manifest kept at the {side} is not the one of the vault.")
    tops = {one["p"].split("/", 1)[0] for one in wanted}
    found = records_of(home, tops if side == "target" else None)[0]
    said, count = differences([_seconds(one) for one in wanted], [_seconds(one) for one in found], limit)
    if count:
        shown = "; ".join(said[:3])
        says = f"{count} of {len(wanted)} entries at the {side} differ from what was saved: {shown}"
        raise Trouble("manifest_differs", says, differences=said, difference_count=count, side=side)
    return {"equal": True, "manifest": digest, "entries": len(wanted)}


def _seconds(record):
    # Some file systems keep whole seconds only.
    return dict(record, mt=record["mt"] // 10**9) if "mt" in record else record


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "asset": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["taken", "compared"], "required": True},
            "home": {"type": "str", "default": "/home"},
            "expected": {"type": "str", "default": ""},
            "side": {"type": "str", "default": "here"},
            "limit": {"type": "int", "default": 20},
        },
        supports_check_mode=False,
    )
    asked = module.params

    def act():
        if asked["state"] == "taken":
            return False, take(asked["asset"], asked["home"])
        return False, compare(asked["asset"], asked["home"], asked["expected"], asked["side"], asked["limit"])

    conclude(module, act, working_for=asked["asset"])


if __name__ == "__main__":
    main()

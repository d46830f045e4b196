#!/usr/bin/python
"""Moves a server as a whole to its new host, and back. Runs on the controller, acts through ssh."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress

from ansible.module_utils import (
    kahn_arrival,
    kahn_before,
    kahn_books,
    kahn_carried,
    kahn_end,
    kahn_home,
    kahn_host,
    kahn_mirror,
    kahn_never,
    kahn_numbering,
    kahn_numbers,
    kahn_outcome,
    kahn_packages,
    kahn_parcel,
    kahn_service,
    kahn_switch,
    kahn_talk,
    kahn_tree,
    kahn_units,
    kahn_versions,
)
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude
from ansible.module_utils.kahn_talk import Talk, patiently, relay

DOCUMENTATION = """
module: kahn_server
short_description: Moves a server as a whole to its new host, and back
description: >-
  Runs on the controller and keeps one session to each host for the whole step. `fit` looks only; `prepared` makes
  accounts, installs packages and holds the new host's services back; `copied` carries files while users work; `moved`
  stops the services, carries the rest, compares, and starts them on the new host; `proven` looks whether they run.
  `returned`, `uncopied` and `unprepared` are their inverses.
options:
  asset: {type: str, required: true, description: Asset id; names the directory below /var/lib/kahn}
  state:
    type: str
    choices: [fit, prepared, unprepared, copied, uncopied, moved, returned, proven]
    required: true
    description: What to do
  ssh: {type: dict, required: true, description: "ssh argument lists of source and target"}
  machines: {type: dict, required: true, description: "Their addresses and names"}
"""
_HOST = (
    kahn_outcome, kahn_tree, kahn_talk, kahn_switch, kahn_home, kahn_books, kahn_parcel, kahn_arrival, kahn_end,
    kahn_service, kahn_never, kahn_packages, kahn_mirror, kahn_versions, kahn_carried, kahn_before, kahn_numbers,
    kahn_numbering, kahn_units, kahn_host,
)  # fmt: skip
"""What is sent to a host, the parts before what uses them; the last one answers."""
TOLD, AT_ONCE = 50, 10_000


class Pair:
    """The sessions to both hosts, opened when first wanted. `roots` are for tests: another root directory per role."""

    def __init__(self, asked, roots=None):
        self.asked, self._roots = asked, roots or {}
        self._open, self._talks = ExitStack(), {}

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self._open.close()

    def session(self, role):
        """The session to the host in that role."""
        if role not in self._talks:
            words = {"asset": self.asked["asset"], "part": role, "root": self._roots.get(role, "/")}
            self._talks[role] = Talk(self.asked["ssh"][role], role, _HOST, words)
            self._open.callback(self._talks[role].close)
        return self._talks[role]

    def anew(self):
        """End every session: the next question opens it again."""
        self._open.close()
        self._talks.clear()

    source = property(lambda self: self.session("source"))
    target = property(lambda self: self.session("target"))

    @property
    def pairs(self):
        """Addresses that differ: [(old, new)]."""
        machines = self.asked["machines"]
        old, new = machines["source"]["address"], machines["target"]["address"]
        return [(old, new)] if old and new and old != new else []


def fit(pair):
    """Nothing is touched: can it move, and what is left to people?"""
    found = pair.source.ask("survey", now=time.time())
    told = pair.target.ask("fit", now=time.time(), found=found)
    return False, {
        "bytes": found["bytes"],
        "entries": found["entries"],
        "data": ["/" + one for one in found["tops"]["data"]],
        "configuration": ["/" + one for one in found["tops"]["configuration"]][:TOLD],
        "configuration_count": len(found["tops"]["configuration"]),
        "services": sorted(found["units"])[:TOLD],
        "install": told["install"][:TOLD],
        "not_to_be_had": told["not_to_be_had"][:TOLD],
        "databases": [f"{one['kind']} {one['series']}" for one in found["databases"]],
        "other_version": dict(sorted(told["other_version"].items())[:TOLD]),
        "renumbered": sum(len(one) for one in told["renumbered"].values()),
        "left": [*(f"package {one}: not to be had" for one in told["not_to_be_had"]), *told["left_to_people"]][:TOLD],
        "left_count": len(told["not_to_be_had"]) + len(told["left_to_people"]),
    }


def prepared(pair):
    """Accounts, packages and services of the new host."""
    found = pair.source.ask("survey", now=time.time())
    told = pair.target.ask("fit", now=time.time(), found=found)
    made = pair.target.ask("prepare", accounts=found["accounts"], install=told["install"], names=sorted(found["units"]))
    return made["changed"], {"installed": told["install"][:TOLD], "held_back": len(found["units"])}


def unprepared(pair):
    """The new host has its own packages, accounts and services again."""
    _refuse_opened(pair)
    pair.target.ask("unprepare")
    return True, {}


def copied(pair):
    """The bulk is on the new host; users go on working. What falls silent in the midst is tried again."""
    _refuse_opened(pair)
    pair.source.ask("look")
    return patiently(lambda: _copied(pair), anew=pair.anew)


def _copied(pair):
    found = pair.source.ask("survey", now=time.time())
    if not pair.target.ask("look")["brought"]:
        pair.source.ask("anew")
    told = carry(pair.source, pair.target, found["tops"], drains=False)
    _put_aside(pair, found["tops"])
    pair.target.ask("address", tops=found["tops"], pairs=pair.pairs)
    _agree(pair.source, pair.target, found["tops"])
    return True, told


def _put_aside(pair, tops):
    """A folder of one program (a database's) holds what the old host's held, and nothing of a fresh installation."""
    lying = pair.target.ask("lying", tops=tops)["names"]
    for start in range(0, len(lying), AT_ONCE):
        lacking = pair.source.ask("lacks", names=lying[start : start + AT_ONCE])["names"]
        if lacking:
            pair.target.ask("put_aside", names=lacking, tops=tops)


def uncopied(pair):
    """The new host holds nothing of it any more."""
    _refuse_opened(pair)
    pair.target.ask("remove")
    with suppress(Trouble):  # a lost old host must not keep the new one from being cleaned
        pair.source.ask("anew")
    return True, {}


def _refuse_opened(pair):
    if pair.target.ask("look")["opened"]:
        raise Trouble("already_moved", "The server runs on its new host already: take the switch back first.")


def moved(pair):
    """The new host serves, and only it; a failure before that opens the old one again at once."""
    began = time.monotonic()
    pair.source.request("look")
    there, here = pair.source.answer(), pair.target.ask("look")
    if here["opened"] and not there["fenced"]:
        raise Trouble("two_writers", "Both hosts serve. Stop the services of the wrong one; nothing was touched.")
    try:
        told = _cut_over(pair, carried=here["opened"])
    except Trouble as trouble:
        trouble.facts["restored"] = _restored(pair)
        raise
    return True, dict(told, outage_s=round(time.monotonic() - began, 2))


def _cut_over(pair, carried):
    """Services stop, the rest is carried, both are compared, services start on the new host."""
    wanted = pair.source.ask("fence")["units"]
    told = {}
    if not carried:
        found = pair.source.ask("survey", now=time.time())
        pair.target.ask("fence", names=sorted(wanted))
        before = pair.source.ask("prints", tops=found["tops"])
        told = carry(pair.source, pair.target, found["tops"])
        if before != pair.target.ask("prints", tops=found["tops"]):
            raise Trouble("fingerprint_differs", "Data differ between the two hosts.")
        told["addresses"] = pair.target.ask("address", tops=found["tops"], pairs=pair.pairs)["files"]
        _agree(pair.source, pair.target, found["tops"])
        pair.target.ask("rename", hostname=found["hostname"])
    pair.source.ask("hand")
    pair.target.ask("open", wanted=wanted)
    pair.target.ask("proven", wanted=wanted)
    return told


def _restored(pair):
    """Open the old host again after a failed switch; whether it serves."""
    try:
        returned(pair)
    except Trouble:
        return False
    return True


def returned(pair):
    """The old host serves, and only it; what was written on the new one meanwhile is carried back."""
    told, seen = {}, {"opened": False}
    try:
        seen = pair.target.ask("look")
        pair.target.ask("fence")
    except Trouble as trouble:
        lost = trouble.cause in ("target_unreachable", "target_failed")
        if not lost or pair.source.ask("look")["handed"]:
            raise
        # Nobody was ever served there: a new host that is lost must not keep the old one from serving.
        told["target"] = "not reached"
    if seen["opened"]:
        pair.source.ask("fence")
        tops = dict(pair.source.ask("survey", now=None)["tops"], configuration=[])  # a way back waits for no clock
        before = pair.target.ask("prints", tops=tops)
        told = carry(pair.target, pair.source, tops)
        if before != pair.source.ask("prints", tops=tops):
            raise Trouble("fingerprint_differs", "Data differ between the two hosts.")
        _agree(pair.target, pair.source, tops)
        pair.target.ask("closed")
    pair.source.ask("open")
    return True, told


def proven(pair):
    """Services run on the new host, and are held back on the old one."""
    if not pair.source.ask("look")["fenced"]:
        raise Trouble("two_writers", "The old host's services are not held back.")
    pair.target.ask("proven", wanted=pair.source.ask("fence")["units"])
    return False, {}


def carry(giver, taker, tops, *, drains=True):
    """Stream what changed from one to the other; large files by their changed blocks."""
    seen = giver.ask("changes", tops=tops)
    known = taker.ask("known", tops=tops, paths=seen["large"])["known"] if seen["large"] else {}
    give = {"what": "give", "tops": tops, "known": known}
    gave, took = relay(giver, taker, give, {"what": "take", "tops": tops}, drains=drains)
    return {"changed": gave["changed"], "gone": gave["gone"], "bytes": gave["bytes"], "files": took["files"]}


def _agree(giver, taker, tops):
    giver.ask("agree", tops=tops, gave=True)
    taker.ask("agree", tops=tops, gave=False)


STATES = {
    "fit": fit, "prepared": prepared, "unprepared": unprepared, "copied": copied, "uncopied": uncopied,
    "moved": moved, "returned": returned, "proven": proven,
}  # fmt: skip


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "asset": {"type": "str", "required": True},
            "state": {"type": "str", "choices": sorted(STATES), "required": True},
            "ssh": {"type": "dict", "required": True},
            "machines": {"type": "dict", "required": True},
        }
    )

    def act():
        with Pair(module.params) as pair:
            return STATES[module.params["state"]](pair)

    conclude(module, act)


if __name__ == "__main__":
    main()

#!/usr/bin/python
"""Releases a machine's disk to the boot server that this module runs on, asks how far it is, and takes it back."""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import re
import socket
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude, write_whole

DOCUMENTATION = """
module: kahn_netboot
short_description: Places, asks and withdraws the order to install a machine by network boot
description: Works on the folder of `kahn netboot serve`. One order a hardware address; nothing is installed without.
options:
  state: {type: str, choices: [fresh, ordered, asked, withdrawn, free], required: true, description: What to do}
  place: {type: str, default: /var/lib/kahn-netboot, description: The boot server's folder}
  asset: {type: str, required: true, description: Asset id of the move}
  order: {type: str, required: true, description: Id of the attempt; the release is known by it}
  epoch: {type: int, required: true, description: The driver's term; a lower one than the last is refused}
  machine: {type: dict, required: true, description: The machine as kahn_machines tells it}
  valid_s: {type: int, default: 3600, description: Seconds for which the disk stays released}
"""
PLACE = "/var/lib/kahn-netboot"
FOLDERS = ("keys", "orders", "told", "withdrawn")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DONE = ("installed", "failed")
LONGEST = 64 * 1024
GREETS_S = 5


class Shelf:
    """The files of one hardware address in the boot server's folder; held alone while in use. Raises Trouble."""

    def __init__(self, place, mac):
        if not _MAC.fullmatch(mac):
            raise Trouble("no_mac", "The machine has no hardware address to boot by.")
        self.place, self.mac = place, mac
        for name in FOLDERS:
            if os.path.islink(os.path.join(place, name)) or not os.path.isdir(os.path.join(place, name)):
                raise Trouble(
                    "no_boot_server", place + " is no boot server's folder: make it with `kahn netboot init`."
                )
        self._lock = None

    def __enter__(self):
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._lock = os.open(os.path.join(self.place, "lock"), flags, 0o600)
        self._give_away(os.path.join(self.place, "lock"))
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        return self

    def __exit__(self, *what):
        os.close(self._lock)

    def path(self, folder, ending=".json"):
        """Where that record of the machine lies."""
        return os.path.join(self.place, folder, self.mac.replace(":", "-") + ending)

    def read(self, folder):
        """A record, or an empty one. Raises Trouble."""
        try:
            with open(self.path(folder), "rb") as opened:
                found = json.loads(opened.read(LONGEST))
        except FileNotFoundError:
            return {}
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Trouble("boot_record_damaged", self.path(folder) + " cannot be read.")
        return found

    def write(self, folder, record):
        """Write a record; it is the boot server's to read, and on disk when this returns."""
        write_whole(self.path(folder), [json.dumps(record, sort_keys=True).encode("ascii")])
        self._give_away(self.path(folder))

    def _give_away(self, path):
        owner = os.stat(self.place)
        if os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)

    def stands(self):
        """(order, what is told of it, whether it was withdrawn); all of it empty when nothing was ordered."""
        order, told, gone = self.read("orders"), self.read("told"), self.read("withdrawn")
        mine = order.get("id", "")
        told = told if told.get("order") == mine else {"phase": "released", "percent": 0}
        return order, told, bool(mine) and gone.get("order") == mine


def mac_of(machine):
    """The one hardware address by which it boots. Raises Trouble."""
    macs = machine.get("mac") or []
    if len(macs) != 1:
        says = "it has none" if not macs else "it has several: keep the one that it boots by"
        raise Trouble("no_mac", "The machine to install needs one hardware address in the inventory, but " + says + ".")
    return str(macs[0])


def order(words, now):
    """Release the disk. The same attempt twice is one order; one of another asset that is still open is refused."""
    machine = words["machine"]
    record = {
        "id": words["order"],
        "asset": words["asset"],
        "mac": mac_of(machine),
        "name": _host_name(machine),
        "address": _ip(machine),
        "host_key": " ".join(str(machine.get("host_key", "")).split()[:2]),
        "epoch": words["epoch"],
        "until": int(now) + words["valid_s"],
    }
    with Shelf(words["place"], record["mac"]) as shelf:
        _check_key(shelf, record["host_key"])
        before, told, is_gone = shelf.stands()
        if before.get("id") == record["id"]:
            return False, {"order": record["id"], "phase": told["phase"]}
        if before and record["epoch"] < before["epoch"]:
            raise Trouble("epoch_refused", "A later driver placed an order for this machine already.")
        _refuse_others(before, told, is_gone, record["asset"], now)
        if before and not is_gone and told["phase"] == "writing":
            raise Trouble("still_working", "An installer still writes to this machine's disk.")
        shelf.write("orders", record)
        return True, {"order": record["id"], "phase": "released", "until": record["until"]}


def _check_key(shelf, wanted):
    """The host key that the machine will show is the one that was approved. Raises Trouble."""
    try:
        with open(shelf.path("keys", ".pub"), "rb") as opened:
            kept = " ".join(opened.read(LONGEST).decode("ascii", "replace").split()[:2])
    except FileNotFoundError:
        kept = ""
    if not kept:
        raise Trouble("no_prepared_key", "The boot server has no host key for " + shelf.mac + ".")
    if kept != wanted:
        raise Trouble(
            "prepared_key_differs", "The boot server's host key for " + shelf.mac + " is not the approved one."
        )


def _host_name(machine):
    name = str(machine.get("name", "")).lower()
    if not _NAME.fullmatch(name):
        raise Trouble("bad_host_name", "The machine's name cannot be a host name (a-z, 0-9 and -).")
    return name


def _ip(machine):
    try:
        return str(ipaddress.ip_address(str(machine.get("address", ""))))
    except ValueError:
        raise Trouble("bad_address", "The machine to install needs an IP address in the inventory.") from None


def ask(words, now):
    """How far the installation is: the answer of a probe."""
    with Shelf(words["place"], mac_of(words["machine"])) as shelf:
        found, told, is_gone = shelf.stands()
    if not found or found["asset"] != words["asset"]:
        return False, {"answer": "not_done"}
    phase = str(told.get("phase", ""))
    kahn = {"order": found["id"], "phase": phase, "percent": told.get("percent", 0)}
    if is_gone:
        return False, dict(kahn, answer="partial" if phase in ("writing", "failed") else "not_done")
    if phase == "installed":
        return False, dict(kahn, answer="done" if _answers(words["machine"]) else "running")
    if phase == "failed":
        return False, dict(kahn, answer="failed", cause=told.get("cause") or "installer_failed")
    if phase != "writing" and now >= found["until"]:
        return False, dict(kahn, answer="failed", cause="never_booted")
    return False, dict(kahn, answer="running")


def _answers(machine):
    """Whether the installed machine came up from its own disk: something greets as SSH at its address."""
    try:
        with socket.create_connection((str(machine["address"]), int(machine["port"])), timeout=GREETS_S) as line:
            line.settimeout(GREETS_S)
            return line.recv(4) == b"SSH-"
    except OSError:
        return False


def withdraw(words):
    """Take the release back. What was begun is not stopped by that, but told; what was written stays on the disk."""
    with Shelf(words["place"], mac_of(words["machine"])) as shelf:
        found, told, is_gone = shelf.stands()
        if not found or found["asset"] != words["asset"]:
            return False, {"withdrawn": False}
        if not is_gone:
            shelf.write("withdrawn", {"order": found["id"]})
        return not is_gone, {"withdrawn": True, "phase": told.get("phase", "")}


def fresh(words, now):
    """Before anything of a wave: what an earlier one left for this asset is withdrawn, so that no probe takes its end
    for that of an order that was never placed. Raises Trouble."""
    with Shelf(words["place"], mac_of(words["machine"])) as shelf:
        found, told, is_gone = shelf.stands()
        _refuse_others(found, told, is_gone, words["asset"], now)
        is_left = bool(found) and not is_gone and found["asset"] == words["asset"]
        if is_left and words["epoch"] < found["epoch"]:
            raise Trouble("epoch_refused", "A later driver placed an order for this machine already.")
        if is_left and told["phase"] == "writing":
            raise Trouble("still_working", "An installer still writes to this machine's disk.")
        if is_left:
            shelf.write("withdrawn", {"order": found["id"]})
    return is_left, {"withdrawn": is_left}


def free(words, now):
    """Afterwards: nobody holds an open release of this disk, as before. Raises Trouble."""
    with Shelf(words["place"], mac_of(words["machine"])) as shelf:
        found, told, is_gone = shelf.stands()
    _refuse_others(found, told, is_gone, words["asset"], now)
    state = "released" if _is_open(found, told, is_gone, now) else "not_released"
    return False, {"baseline": "not_released", "now": state}


def _is_open(found, told, is_gone, now):
    return bool(found) and not is_gone and told.get("phase") not in _DONE and now < found["until"]


def _refuse_others(found, told, is_gone, asset, now):
    if _is_open(found, told, is_gone, now) and found["asset"] != asset:
        says = "Another asset's order for this hardware address is open."
        raise Trouble("busy_elsewhere", says, other=found["asset"])


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["fresh", "ordered", "asked", "withdrawn", "free"], "required": True},
            "place": {"type": "str", "default": PLACE},
            "asset": {"type": "str", "required": True},
            "order": {"type": "str", "required": True},
            "epoch": {"type": "int", "required": True},
            "machine": {"type": "dict", "required": True},
            "valid_s": {"type": "int", "default": 3600},
        }
    )
    words, now = module.params, time.time()
    acts = {
        "fresh": lambda: fresh(words, now),
        "ordered": lambda: order(words, now),
        "asked": lambda: ask(words, now),
        "withdrawn": lambda: withdraw(words),
        "free": lambda: free(words, now),
    }
    conclude(module, acts[words["state"]])


if __name__ == "__main__":
    main()

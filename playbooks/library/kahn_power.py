#!/usr/bin/python
"""Switches a machine off, wakes it again, and tells which it is. Runs on the controller, acts through ssh."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude, printable

DOCUMENTATION = """
module: kahn_power
short_description: Switches a machine off, wakes it again, and tells which it is
description: >-
  It leaves a note at the witness (the machine that takes its place, or the vault) before it orders the machine off,
  and completes it when the order was taken: with the complete note and without an answer the machine counts as off;
  otherwise nobody can tell off from cut off.
options:
  asset: {type: str, required: true, description: Asset id; names the directory below /var/lib/kahn}
  state: {type: str, choices: ["off", "on", asked, checked], required: true, description: What to do}
  machine: {type: list, elements: str, required: true, description: ssh arguments of the machine}
  witness: {type: list, elements: str, required: true, description: ssh arguments of the machine that keeps the note}
  witness_name: {type: str, choices: [target, vault], default: target, description: "Its role, for causes"}
  wakers: {type: list, elements: raw, description: "ssh arguments of machines that send the wake-up packet (on)"}
  mac: {type: list, elements: str, description: Network addresses to wake (on)}
  seconds: {type: int, default: 120, description: How long to wait for off or on}
"""
_SHELL = 'if [ "$(id -u)" = 0 ]; then exec "$@"; else exec sudo -n "$@"; fi'
# The order must outlive the ssh session that gives it, and the session must end before the machine does.
_OFF = (
    "cat /proc/sys/kernel/random/boot_id; PATH=$PATH:/usr/sbin:/sbin; "
    "setsid sh -c 'sleep 1; exec poweroff' </dev/null >/dev/null 2>&1 & sleep 0.1"
)
_ASK = "cat /proc/sys/kernel/random/boot_id"
_NOTE = 'umask 077; mkdir -p "$1" && cat > "$1/power.part" && mv "$1/power.part" "$1/power" && sync "$1"'
_WAKE = """
import socket, sys
sent = 0
for _, name in socket.if_nameindex():
    # Bound to one interface the packet needs no route and no configured broadcast address.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode() + bytes(1))
        for mac in sys.argv[1:]:
            for port in (9, 7):
                try:
                    sock.sendto(bytes([255] * 6) + bytes.fromhex(mac) * 16, ("255.255.255.255", port))
                    sent += name != "lo"
                except OSError:
                    pass
sys.exit(0 if sent else 1)
"""
# A machine that is off does not answer, and each try costs some seconds; a probe must be surer than a step.
_PROBE_TRIES = 3
# Behind a jump host nothing tells "off" from "slow"; a machine that just took an order answers well within this.
_ANSWER_S, _OFF_S = 15, 7


def fresh(ssh, argv):
    """The local argument list for a connection of its own: a shared one would hang behind a machine that went off."""
    own = ["-o", "ControlMaster=no", "-o", "ControlPath=none", "-o", "ConnectTimeout=4", "-o", "ConnectionAttempts=1"]
    return [ssh[0], *own, *ssh[1:], shlex.join(["sh", "-c", _SHELL, "sh", *argv])]


def call(ssh, argv, stdin=b"", seconds=15):
    """(exit code, output) of a command at a machine; 255 when it does not answer in time."""
    try:
        ended = subprocess.run(fresh(ssh, argv), input=stdin, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return 255, ""
    return ended.returncode, ended.stdout[:4096].decode("utf-8", "replace").strip()


def boot_of(machine, seconds=_ANSWER_S):
    """The machine's boot id, `?` when it answers otherwise; empty when it does not answer in time."""
    code, said = call(machine, ["sh", "-c", _ASK], seconds=seconds)
    return "" if code == 255 else said if code == 0 else "?"


WORD = {"target": "successor", "vault": "vault"}


def _silent(name):
    return Trouble(name + "_unreachable", f"The {WORD[name]}, which keeps the receipt, does not answer.")


def note_at(witness, directory, name="target"):
    """What the witness keeps: {"ordered": boot id, "taken": whether}, or nothing. Raises Trouble."""
    code, said = call(witness, ["sh", "-c", 'test ! -e "$1/power" || cat "$1/power"', "sh", directory])
    if code:
        raise _silent(name)
    try:
        note = json.loads(said) if said else {}
    except ValueError:
        note = {}
    return note if isinstance(note, dict) else {}


def leave_note(witness, directory, note, name="target"):
    """Leave a note at the witness, or take it away when it is empty."""
    if note:
        argv, text = ["sh", "-c", _NOTE, "sh", directory], json.dumps(note).encode("ascii")
    else:
        argv, text = ["rm", "-f", directory + "/power"], b""
    if call(witness, argv, stdin=text)[0]:
        raise _silent(name)


def switch_off(asked, directory):
    """Note, order, wait."""
    boot = boot_of(asked["machine"])
    if not boot:
        if note_at(asked["witness"], directory, asked["witness_name"]).get("taken"):
            return False, {"off": True}
        raise Trouble("source_unreachable", "The old host does not answer, so it cannot be switched off.")
    leave_note(asked["witness"], directory, {"ordered": boot, "taken": False}, asked["witness_name"])
    code, said = call(asked["machine"], ["sh", "-c", _OFF])
    if code == 255:
        raise Trouble("source_unreachable", "The old host was lost while it was ordered off.")
    if code:
        raise Trouble("power_off_failed", "The old host refused to switch off: " + printable(said[:200]))
    leave_note(asked["witness"], directory, {"ordered": boot, "taken": True}, asked["witness_name"])
    wait_off(asked["machine"], asked["seconds"])
    return True, {"off": True, "boot": boot}


def wait_off(machine, seconds):
    """Wait until it does not answer any more. Raises Trouble."""
    until = time.monotonic() + seconds
    while boot_of(machine, seconds=_OFF_S):
        if time.monotonic() > until:
            raise Trouble("still_on", f"The old host is still on {seconds} s after it was ordered off.")
        time.sleep(0.5)


def switch_on(asked, directory):
    """Wake it, wait for ssh, take the note away."""
    if boot_of(asked["machine"]):
        leave_note(asked["witness"], directory, {}, asked["witness_name"])
        return False, {"on": True}
    macs = [one.lower() for one in asked["mac"] if re.fullmatch(r"(?i)[0-9a-f]{2}(:[0-9a-f]{2}){5}", one)]
    if not macs:
        _ask_a_person("its network address is not known")
    until = time.monotonic() + asked["seconds"]
    while time.monotonic() < until:
        codes = [
            call(one, ["python3", "-c", _WAKE, *[mac.replace(":", "") for mac in macs]])[0] for one in asked["wakers"]
        ]
        if codes and all(codes):
            _ask_a_person("no machine could send the wake-up packet")
        pause = time.monotonic() + min(15, asked["seconds"])
        while time.monotonic() < pause:
            if boot_of(asked["machine"]):
                leave_note(asked["witness"], directory, {}, asked["witness_name"])
                return True, {"on": True}
            time.sleep(0.5)
    _ask_a_person(f"it did not answer the wake-up packet within {asked['seconds']} s")


def _ask_a_person(why):
    raise Trouble(
        "old_host_stays_off",
        f"The old host does not come back: {why}.",
        needs_person="Press the power button of the old host, wait until it answers, then roll back again.",
    )


def ask(asked, directory, tries=_PROBE_TRIES, seconds=_ANSWER_S):
    """The probe: done, not_done or cannot_tell."""
    for _ in range(tries):
        boot = boot_of(asked["machine"], seconds=seconds)
        if boot:
            return False, {"answer": "not_done", "boot": boot}
    if note_at(asked["witness"], directory, asked["witness_name"]).get("taken"):
        return False, {"answer": "done"}
    return False, {"answer": "cannot_tell"}


def check(asked, directory):
    """It is off, as ordered. Raises Trouble."""
    changed, told = ask(asked, directory, tries=1, seconds=_OFF_S)
    if told["answer"] != "done":
        raise Trouble("still_on", "The old host is not off.", **told)
    return changed, told


def main():
    """Entry point."""
    ends = {"type": "list", "elements": "str", "required": True}
    module = AnsibleModule(
        argument_spec={
            "asset": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["off", "on", "asked", "checked"], "required": True},
            "machine": ends,
            "witness": ends,
            "witness_name": {"type": "str", "choices": ["target", "vault"], "default": "target"},
            "wakers": {"type": "list", "elements": "raw", "default": []},
            "mac": {"type": "list", "elements": "str", "default": []},
            "seconds": {"type": "int", "default": 120},
        }
    )
    asked = module.params
    directory = "/var/lib/kahn/" + asked["asset"]
    acts = {"off": switch_off, "on": switch_on, "asked": ask, "checked": check}
    conclude(module, lambda: acts[asked["state"]](asked, directory))


if __name__ == "__main__":
    main()

"""What of systemd's units goes with a server: which are switched on and which run, held back and let go. Python 3.9."""

from __future__ import annotations

import os
import subprocess

try:
    from ansible.module_utils.kahn_never import unit_reason
    from ansible.module_utils.kahn_outcome import Trouble, printable
    from ansible.module_utils.kahn_service import Service
except ImportError:  # sent to a host as one program
    from kahn_never import unit_reason
    from kahn_outcome import Trouble, printable
    from kahn_service import Service

KINDS = "service,timer,socket,path"
ASK_S = 60


def is_systemd(root="/"):
    """Whether systemd runs this host."""
    return os.path.isdir(os.path.join(root, "run/systemd/system"))


def carried(root="/"):
    """{unit: {"enabled": bool, "active": bool}} of what goes with the server; empty where systemd does not run."""
    if not is_systemd(root):
        return {}
    enabled = _names(["list-unit-files", "--state=enabled"])
    active = _names(["list-units", "--state=active"])
    units = sorted(one for one in {*enabled, *active} if not unit_reason(one) and "@." not in one)
    return {one: {"enabled": one in enabled, "active": one in active} for one in units}


def _names(words):
    argv = ["systemctl", *words, "--no-legend", "--plain", "--no-pager", "-t", KINDS]
    ended = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=ASK_S)
    if ended.returncode:
        raise Trouble("units_not_read", "systemctl: " + printable(ended.stderr[-200:]))
    return {line.split()[0] for line in ended.stdout.decode("utf-8", "replace").splitlines() if line.split()}


def states(names, root="/"):
    """The same of these units, whatever they are."""
    found = {}
    for one in names:
        found[one] = {"enabled": _starts(one), "active": Service({"unit": one}, root).runs()}
    return found


def hold_back(names, root="/"):
    """Nobody can start them, not by a restart of the machine either; those that run are stopped, timers first."""
    for one in _in_order(names):
        Service({"unit": one}, root).hold_back()
    for one in _in_order(names):
        Service({"unit": one}, root).stop()


def let_go(wanted, root="/"):
    """As they are wanted: {unit: {"enabled", "active"}}; sockets and services before timers. Raises Trouble."""
    for one in reversed(_in_order(wanted)):
        Service({"unit": one}, root).let_go()
    for one in reversed(_in_order(wanted)):
        _switch(one, wanted[one]["enabled"])
        if wanted[one]["active"]:
            Service({"unit": one}, root).start()


def switch(wanted, root="/"):
    """Whether they start with the machine, as wanted; nothing is started."""
    for one in wanted:
        _switch(one, wanted[one]["enabled"])


def _starts(name):
    """Whether people switched it on: what a generator or another unit pulls in (PostgreSQL's clusters) is no switch."""
    return _systemctl("is-enabled", name).stdout.strip() == b"enabled"


def _switch(name, wanted):
    if _starts(name) is not wanted:
        _systemctl("enable" if wanted else "disable", name)


def _systemctl(verb, name):
    argv = ["systemctl", verb, "--quiet", name] if verb != "is-enabled" else ["systemctl", verb, name]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=ASK_S)


def differing(wanted, root="/"):
    """What is not as wanted: sentences."""
    now = states(wanted, root)
    said = []
    for one, state in wanted.items():
        for word, shown in (("enabled", "starts with the machine"), ("active", "runs")):
            if now[one][word] != state[word]:
                said.append(f"{printable(one)} {shown if now[one][word] else 'no longer ' + shown}")
    return said


def _in_order(names):
    """Timers and sockets, which start others, before services."""
    order = {"timer": 0, "path": 1, "socket": 2}
    return sorted(names, key=lambda one: (order.get(one.rsplit(".", 1)[-1], 3), one))

#!/usr/bin/python
"""For tests: where users are led, as one file for each asset, and the relay that must read it before it counts."""

from __future__ import annotations

import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude, remove_file, write_whole

FILES, ACTIVE = "/etc/relay", "/var/lib/relay"
SLOW, ENOUGH, LONGEST_S = "/etc/kahn-test-slow", "/etc/kahn-test-enough", 900


def switch(name, side):
    """Write the file, then let the relay read it; it is slow where the test wants it until that is enough."""
    for folder in (FILES, ACTIVE):
        os.makedirs(folder, exist_ok=True)
    changed = _led(ACTIVE, name) != side
    write_whole(os.path.join(FILES, name), [side.encode()])
    end = time.monotonic() + LONGEST_S
    while os.path.exists(SLOW) and not os.path.exists(ENOUGH) and time.monotonic() < end:
        time.sleep(0.1)
    write_whole(os.path.join(ACTIVE, name), [side.encode()])
    return changed, {"side": side}


def back(name):
    """As before: no file of ours."""
    found = [remove_file(os.path.join(folder, name)) for folder in (FILES, ACTIVE)]
    for folder in (FILES, ACTIVE):
        if os.path.isdir(folder) and not os.listdir(folder):
            os.rmdir(folder)
    return any(found), {}


def asked(name):
    """The probe's answer: the file and what the relay read tell it."""
    file, active = (_led(folder, name) for folder in (FILES, ACTIVE))
    return False, {"answer": {"new": "done", "old": "not_done"}[active] if file == active else "partial"}


def checked(name):
    """Both lead to the new machine. Raises Trouble."""
    if {_led(folder, name) for folder in (FILES, ACTIVE)} != {"new"}:
        raise Trouble("gateway_differs", "The gateway does not lead to the new machine.")
    return False, {}


def _led(folder, name):
    try:
        with open(os.path.join(folder, name)) as opened:
            return opened.read().strip()
    except FileNotFoundError:
        return "old"


def main():
    """Entry point."""
    words = {"type": "str", "required": True}
    module = AnsibleModule(argument_spec={"asset": words, "name": words, "state": words})
    name, state = module.params["name"], module.params["state"]
    acts = {"new": lambda: switch(name, "new"), "old": lambda: back(name), "asked": lambda: asked(name)}
    conclude(module, acts.get(state, lambda: checked(name)), working_for=module.params["asset"])


if __name__ == "__main__":
    main()

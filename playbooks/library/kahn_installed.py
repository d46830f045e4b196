#!/usr/bin/python
"""That a freshly installed machine is the one that was meant: name, hardware address, end of the installation."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude, printable

DOCUMENTATION = """
module: kahn_installed
short_description: Checks that a machine was installed whole and is the one that was meant
description: Reads the host name, the network interfaces and the note that the installer leaves as its last act.
options:
  name: {type: str, required: true, description: The machine's name in the inventory}
  macs: {type: list, elements: str, required: true, description: Its hardware addresses in the inventory}
"""
NOTE = "etc/kahn-installed"


def check(name, macs, root="/", interfaces="/sys/class/net", uname=os.uname):
    """It is the machine that was meant, installed to the end. Raises Trouble."""
    try:
        with open(os.path.join(root, NOTE), encoding="utf-8", errors="replace") as opened:
            order = printable(opened.read(100).strip())
    except FileNotFoundError:
        raise Trouble("not_installed", "The installer's note is not there: it did not come to its end.") from None
    found = uname().nodename.split(".")[0]
    if found.lower() != name.lower():
        raise Trouble("other_name", "The machine calls itself " + printable(found) + ".")
    here = set()
    for one in os.listdir(interfaces):
        with open(os.path.join(interfaces, one, "address"), encoding="ascii") as opened:
            here.add(opened.read().strip().lower())
    if not here & {mac.lower() for mac in macs}:
        raise Trouble("other_machine", "No interface has the hardware address that the inventory names.")
    return False, {"order": order, "name": found}


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "macs": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    conclude(module, lambda: check(module.params["name"], module.params["macs"]))


if __name__ == "__main__":
    main()

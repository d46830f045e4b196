#!/usr/bin/python
"""Whether everybody is logged off at a machine. It looks; nobody is thrown out."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude
from ansible.module_utils.kahn_sessions import people, says

DOCUMENTATION = """
module: kahn_logged_off
short_description: Whether everybody is logged off at a machine
description: >-
  Fails with the cause source_busy while anybody is logged on or has programs there, and tells the numbers of the
  accounts and since when. Changes nothing and ends no session.
options: {}
"""
SHOWN = 20


def look(found):
    """Nobody is there. Raises Trouble(source_busy)."""
    if found:
        raise Trouble("source_busy", says(found), people=found[:SHOWN], people_count=len(found))
    return False, {"people": []}


def main():
    """Entry point."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    conclude(module, lambda: look(people()))


if __name__ == "__main__":
    main()

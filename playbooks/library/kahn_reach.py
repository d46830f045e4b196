#!/usr/bin/python
"""Which of the places that are used from a seat a machine reaches: by TCP, all at the same time, sending nothing."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude, printable

DOCUMENTATION = """
module: kahn_reach
short_description: Which places a machine reaches
description: >-
  Opens and closes a TCP connection to each place. With `as_before` it fails with the cause reach_lost and names the
  places that are not reached here but were reached there; what was not reached there is told and no failure.
options:
  places: {type: list, elements: dict, required: true, description: "name, address and port of each"}
  as_before: {type: list, elements: str, description: Places that the old machine reached}
  seconds: {type: float, default: 4, description: How long each is tried}
"""
MOST, AT_ONCE = 60, 20


def tried(places, seconds, connect=socket.create_connection):
    """{place in words: "" or why not}, in the order given."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = threads.map(lambda one: _tried(one, seconds, connect), places[:MOST])
        return {words(one): answer for one, answer in zip(places, answers)}  # noqa: B905 (Python 3.9)


def words(place):
    """A place as people read it."""
    return printable("{} at {} port {}".format(place["name"], place["address"], place["port"]))


def _tried(place, seconds, connect):
    try:
        connect((str(place["address"]), int(place["port"])), seconds).close()
    except (OSError, UnicodeError, ValueError, OverflowError) as error:
        return printable(str(error) or type(error).__name__)[:80]
    return ""


def look(found, as_before=None):
    """What is reached. Raises Trouble(reach_lost) when anything of before is not."""
    there = sorted(one for one, why in found.items() if not why)
    missing = {one: why for one, why in found.items() if why}
    lost = sorted(one for one in missing if one in (as_before or ()))
    told = {"reached": there, "missing": [f"{one}: {why}" for one, why in sorted(missing.items())]}
    if lost:
        says = f"The successor does not reach {len(lost)} of what the old host reaches: " + "; ".join(lost[:3])
        raise Trouble("reach_lost", says, lost=lost, **told)
    return False, told


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "places": {"type": "list", "elements": "dict", "required": True},
            "as_before": {"type": "list", "elements": "str"},
            "seconds": {"type": "float", "default": 4},
        },
        supports_check_mode=True,
    )
    asked = module.params
    conclude(module, lambda: look(tried(asked["places"], asked["seconds"]), asked["as_before"]))


if __name__ == "__main__":
    main()

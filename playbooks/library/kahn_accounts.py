#!/usr/bin/python
"""Accounts and groups of ordinary people: taken over from the old host, compared, taken away again exactly."""

from __future__ import annotations

from ansible.module_utils import kahn_books, kahn_outcome, kahn_people, kahn_talk
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import conclude

DOCUMENTATION = """
module: kahn_accounts
short_description: Accounts and groups of ordinary people
description: >-
  `taken_over` runs on the controller: it reads them on one machine, writes them to /var/lib/kahn/ASSET/accounts of the
  other (root only: it holds password hashes, which never appear in a result), makes there what is missing and notes
  it, and compares in the end. On that machine `absent` removes exactly what was made.
options:
  asset: {type: str, required: true, description: Asset id; names the directory below /var/lib/kahn}
  state: {type: str, choices: [taken_over, absent], required: true, description: What to do}
  ssh: {type: dict, description: "ssh arguments of the machines by role: source and target (taken_over)"}
"""
_SENT = (kahn_outcome, kahn_books, kahn_talk, kahn_people)


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "asset": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["taken_over", "absent"], "required": True},
            "ssh": {"type": "dict"},
        },
        required_if=[("state", "taken_over", ["ssh"])],
    )
    asset, state = module.params["asset"], module.params["state"]
    if state == "taken_over":
        conclude(module, lambda: kahn_people.take_over(module.params["ssh"], asset, _SENT))
    conclude(module, lambda: kahn_people.unmake(asset), working_for=asset)


if __name__ == "__main__":
    main()

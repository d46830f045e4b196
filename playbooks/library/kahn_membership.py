#!/usr/bin/python
"""A successor as a member of the tenant's domain, and the old machine's account there."""

from __future__ import annotations

from ansible.module_utils import (
    kahn_directory,
    kahn_kerberos,
    kahn_ldap,
    kahn_member,
    kahn_old_account,
    kahn_outcome,
    kahn_talk,
)
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import conclude

DOCUMENTATION = """
module: kahn_membership
short_description: A successor as a member of the tenant's domain, and the old machine's account there
description: >-
  Runs on the controller and works on the successor, with the join account of the domain. `fit` looks whether everything
  could be done; `joined`, `checked`, `asked`, `left` are about the successor's own account, `old_disabled`,
  `old_checked`, `old_asked`, `old_enabled` about that of the old machine. The join account's password is read from its
  file here; it never stands in a variable, in a result, or on the successor's disk.
options:
  asset: {type: str, required: true, description: Asset id; names the directory below /var/lib/kahn}
  state:
    type: str
    required: true
    choices: [fit, joined, checked, left, asked, old_disabled, old_checked, old_enabled, old_asked]
    description: What to do
  domain:
    type: dict
    required: true
    description: "The policy's domain: realm, join_account, secret_file, controllers, computers"
  ssh: {type: list, elements: str, required: true, description: Argument list that starts ssh to the successor}
  new: {type: str, required: true, description: The successor's name in the inventory}
  old: {type: str, required: true, description: The old machine's name in the inventory}
"""
_SENT = (kahn_outcome, kahn_talk, kahn_kerberos, kahn_ldap, kahn_member, kahn_old_account, kahn_directory)
"""What is sent to the successor, the parts before what uses them; the last one answers."""


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "asset": {"type": "str", "required": True},
            "state": {"type": "str", "choices": list(kahn_directory.STATES), "required": True},
            "domain": {"type": "dict", "required": True},
            "ssh": {"type": "list", "elements": "str", "required": True},
            "new": {"type": "str", "required": True},
            "old": {"type": "str", "required": True},
        }
    )
    conclude(module, lambda: kahn_directory.act(module.params, _SENT))


if __name__ == "__main__":
    main()

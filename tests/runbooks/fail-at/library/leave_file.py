#!/usr/bin/python
"""For tests: leaves a file, or fails where the machine says so."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule

FAILING, LEFT = "/etc/kahn-test-fail-at", "/root/kahn-test-{}"


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "step": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "required": True},
        }
    )
    step, state = module.params["step"], module.params["state"]
    act = step if state == "present" else "undo-" + step
    path = LEFT.format(step)
    if os.path.exists(FAILING):
        with open(FAILING) as opened:
            if act in opened.read().split():
                module.fail_json(msg="Told to fail.", kahn={"cause": "told_to_fail"})
    was_there = os.path.exists(path)
    if state == "present":
        with open(path, "w") as left:
            left.write(step + "\n")
    elif was_there:
        os.unlink(path)
    module.exit_json(changed=was_there != (state == "present"), kahn={"step": step})


if __name__ == "__main__":
    main()

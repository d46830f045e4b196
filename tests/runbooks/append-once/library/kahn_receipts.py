#!/usr/bin/python
"""For tests: a step whose effect can be counted on the machine itself."""

from __future__ import annotations

import fcntl
import os
import time

from ansible.module_utils.basic import AnsibleModule

RECEIPTS, LOCK = "/root/receipts.txt", "/run/kahn-test.lock"
SECONDS, ENOUGH = "/etc/kahn-test-seconds", "/etc/kahn-test-enough"


def append(attempt):
    """One line more, then some seconds of work under a lock, or less where somebody says that it is enough."""
    with open(LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(RECEIPTS, "a") as receipts:
            receipts.write(attempt + "\n")
            receipts.flush()
            os.fsync(receipts.fileno())
        end = time.monotonic() + float(_text(SECONDS) or 3)
        while time.monotonic() < end and not os.path.exists(ENOUGH):
            time.sleep(0.05)
    return {"receipts": len(_text(RECEIPTS).split())}


def ask():
    """The probe's answer: a step that still works cannot be judged yet."""
    with open(LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return {"answer": "cannot_tell"}
    return {"answer": "done" if _text(RECEIPTS) else "not_done"}


def _text(path):
    try:
        with open(path) as opened:
            return opened.read().strip()
    except FileNotFoundError:
        return ""


def main():
    """Entry point."""
    module = AnsibleModule(argument_spec={"state": {"type": "str", "required": True}, "attempt": {"type": "str"}})
    state, attempt = module.params["state"], module.params["attempt"]
    if state == "appended":
        module.exit_json(changed=True, kahn=append(attempt))
    if state == "asked":
        module.exit_json(changed=False, kahn=ask())
    if state == "checked" and attempt not in _text(RECEIPTS).split():
        module.fail_json(msg="The attempt left no receipt.", kahn={"cause": "no_receipt"})
    if state == "absent" and os.path.exists(RECEIPTS):
        os.unlink(RECEIPTS)
    module.exit_json(changed=state == "absent", kahn={})


if __name__ == "__main__":
    main()

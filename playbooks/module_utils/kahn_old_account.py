"""The old machine's account in the domain: disabled with a word about when and why, and enabled again as it was.

It is found by the name of the old machine's record; what that machine says of itself counts for nothing. It is never
deleted. Python 3.9, standard library only; sent to the hosts as one program too.
"""

from __future__ import annotations

import json
import os

try:
    from ansible.module_utils.kahn_ldap import DISABLED
    from ansible.module_utils.kahn_member import computer_of, read_note
    from ansible.module_utils.kahn_outcome import Trouble, remove_file, write_whole
except ImportError:  # sent to a host as one program
    from kahn_ldap import DISABLED
    from kahn_member import computer_of, read_note
    from kahn_outcome import Trouble, remove_file, write_whole

NOTE = "domain.old"
LONGEST = 1000


class OldAccount:
    """The account of the machine whose record has that name. `successor` is the account that stays."""

    def __init__(self, name, successor, store, directory):
        self.directory, self.successor = directory, successor
        self.note_path = os.path.join(store, NOTE)
        try:
            self.computer = computer_of(name)
        except Trouble:  # no computer of a domain can have that name, so it has no account
            self.computer = ""

    def find(self):
        """The account, or None; where the successor bears the same name the account is its own. Raises Trouble when it
        is none of a workplace."""
        has_own = self.computer and self.computer != self.successor
        found = self.directory.named(self.computer) if has_own else None
        if found is not None and not found.is_seat:
            raise Trouble("old_account_unfit", f"The account {self.computer} is not that of an old workplace.")
        return found

    def look(self):
        """In one word how it stands: `none`, `enabled`, `disabled`."""
        found = self.find()
        return "none" if found is None else "disabled" if found.disabled else "enabled"

    def disable(self, mark):
        """Take it out of force, and note what was there before. Whoever did it before us is not undone."""
        found, noted = self.find(), read_note(self.note_path)
        if found is None:
            return False, self._told("none")
        if noted is not None and self._is_ours(found, noted):
            return False, self._told("disabled", since=noted["mark"])
        if found.disabled:
            self._noted({"guid": found.guid, "ours": False})
            return False, self._told("disabled", by_others=True)
        was = {"control": found.control, "description": found.description}
        text = f"{mark} {found.description}".strip()[:LONGEST]
        self._noted({"guid": found.guid, "ours": True, "was": was, "mark": text, "word": mark})
        self.directory.change(found, control=found.control | DISABLED, description=text)
        return True, self._told("disabled", since=text)

    def check(self):
        """It is out of force, or there is none. Raises Trouble."""
        how = self.look()
        if how == "enabled":
            raise Trouble("old_account_enabled", f"The account {self.computer} of the old machine is still in force.")
        return self._told(how)

    def asked(self):
        """The answer of a probe: what this step wants holds, and it was this step that saw to it."""
        noted, how = read_note(self.note_path), self.look()
        done = how == "none" or (how == "disabled" and noted is not None)
        return dict(self._told(how), answer="done" if done else "not_done")

    def enable(self):
        """As before; what others changed since stays theirs. The note goes last."""
        noted = read_note(self.note_path)
        if noted is None:
            return False, {"restored": False}
        changed = noted["ours"] and self._enable(noted)
        remove_file(self.note_path)
        return changed, {"restored": changed, "computer": self.computer}

    def _enable(self, noted):
        found = self.directory.known_as(noted["guid"])
        if found is None:
            raise Trouble("old_account_gone", "Somebody deleted the old machine's account.")
        if not self._is_ours(found, noted):
            return False
        was = noted["was"]
        as_left = found.control == was["control"] | DISABLED
        control = was["control"] if as_left else found.control & ~DISABLED
        rest = found.description.replace(noted["word"], "", 1).strip()  # with what others wrote beside it since
        description = was["description"] if found.description == noted["mark"] else rest
        self.directory.change(found, control=control, description=description)
        return True

    @staticmethod
    def _is_ours(account, noted):
        """The word about it is changed together with the account: without it, it was somebody else."""
        return (
            noted["ours"]
            and account.guid == noted["guid"]
            and account.disabled
            and noted["word"] in account.description
        )

    def _noted(self, note):
        write_whole(self.note_path, [json.dumps(note, sort_keys=True).encode("ascii")])

    def _told(self, how, **more):
        return {"computer": self.computer, "account": how, **more}

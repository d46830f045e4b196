"""A machine of another procedure that leads to the one that moves: its files re-pointed, the interface tried there.

`Partner` works on that machine; `Partners` on the controller asks all of them. Python 3.9, standard library only; sent
to the host as one program.
"""

from __future__ import annotations

import os
import socket
import time

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable, store_of
    from ansible.module_utils.kahn_switch import Switch
    from ansible.module_utils.kahn_talk import called, serving
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable, store_of
    from kahn_switch import Switch
    from kahn_talk import called, serving

ANSWER_S = 5
TRIES = 20
"""Tries, half a second apart, until an interface that was re-pointed must work: its reader may still be starting."""


class Partner:
    """The answers of such a machine. `words`: asset, root, addresses of `old` and `new`, `partner` as described."""

    def __init__(self, words):
        self.described, self.addresses = words["partner"], words["addresses"]
        settings = {"switch_files": self.described["files"], "switch_reload": self.described["reload"]}
        store = store_of(words["asset"], os.path.join(words["root"], "var/lib/kahn"))
        self.switch = Switch({**words, "settings": settings}, store)

    def ops(self):
        """What can be asked, by name."""
        return {name: getattr(self, name) for name in ("fit", "turn", "works", "is_new", "forget")}

    def fit(self, line):
        """Every file is there and names the old server, or was switched before. Raises Trouble."""
        self.switch.fit()
        return {}

    def turn(self, line, to):
        """Every file names that side, and who reads them was told. Raises Trouble."""
        if to == "old" and not self.switch.begun():
            return {"changed": False}  # never touched: its readers are left alone, too
        changed = self.switch.turn(to)
        if self.switch.reload:  # also where nothing was written: an earlier try may have broken off before
            code, said = called(self.switch.reload)
            if code:
                raise Trouble("partner_refused", f"The files were not taken (code {code}): {printable(said)}")
        return {"changed": changed}

    def is_new(self, line):
        """Whether no file names the old server any more."""
        return {"is_new": self.switch.is_new()}

    def works(self, line, where, tries, gap_s=0.5):
        """The interface works from here: the described command, or a connection. Raises Trouble."""
        said = ""
        for number in range(tries):
            if number:
                time.sleep(gap_s)
            said = self._tried(where)
            if not said:
                return {"tries": number + 1}
        raise Trouble("partner_silent", "From here the procedure is not reached: " + said)

    def _tried(self, where):
        """What is wrong, or nothing."""
        if self.described["test"]:
            code, said = called(self.described["test"])
            return f"the test ended with code {code}: {printable(said)}" if code else ""
        try:
            socket.create_connection((self.addresses[where], self.described["port"]), ANSWER_S).close()
        except OSError as error:
            return f"{self.addresses[where]} port {self.described['port']}: {printable(str(error))}"
        return ""

    def forget(self, line):
        """Everything is as it was before."""
        self.switch.forget()
        return {}


serve = serving(Partner)


# ---------------------------------------------------------------------------- on the controller


class Partners:
    """All such machines of a procedure, asked at once: (name, session) of each. A failure names the machine."""

    def __init__(self, sessions):
        self._sessions = sessions

    def fit(self):
        """They can be re-pointed, and their interfaces work now. Raises Trouble."""
        self._all("fit")
        self._all("works", where="old", tries=1)

    def ready(self):
        """They are still there and can be re-pointed. Raises Trouble."""
        self._all("fit")

    def lead_to(self, where):
        """Their files name that side, and the interface works from each; whether one was written. Raises Trouble."""
        told = self._all("turn", to=where)
        self._all("works", where=where, tries=TRIES)
        return any(one["changed"] for _, one in told)

    def forget(self):
        """They are as they were before."""
        self._all("forget")

    def proven(self):
        """None leads to the old server, and the interface works from each. Raises Trouble."""
        for name, one in self._all("is_new"):
            if not one["is_new"]:
                raise Trouble("not_moved", f"{printable(name)} still leads to the old server.", machine=name)
        self._all("works", where="new", tries=1)

    def _all(self, what, **facts):
        """(name, answer) of each; every machine is asked, and the first failure counts."""
        asked, told, failed = [], [], None
        for name, session in self._sessions:
            try:
                session.request(what, **facts)
                asked.append((name, session))
            except Trouble as trouble:
                failed = failed or _named(name, trouble)
        for name, session in asked:
            try:
                told.append((name, session.answer()))
            except Trouble as trouble:
                failed = failed or _named(name, trouble)
        if failed:
            raise failed
        return told


def _named(name, trouble):
    return Trouble(trouble.cause, f"{printable(name)}: {trouble.says}", **{**trouble.facts, "machine": name})

"""The domain of a tenant, asked and changed from the successor; the join account's password passes through memory.

The controller reads the password from its file and sends it to the program on the successor, which gives it to `kinit`.
It stands on no disk of that machine, in no list of arguments, and in no answer. Python 3.9, standard library only.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from contextlib import contextmanager

try:
    from ansible.module_utils.kahn_kerberos import Kerberos, missing_tools, scratch_of
    from ansible.module_utils.kahn_ldap import Directory
    from ansible.module_utils.kahn_member import Member, computer_of
    from ansible.module_utils.kahn_old_account import OldAccount
    from ansible.module_utils.kahn_outcome import Trouble, alone, store_of
    from ansible.module_utils.kahn_talk import Talk, answer_all
except ImportError:  # sent to a host as one program
    from kahn_kerberos import Kerberos, missing_tools, scratch_of
    from kahn_ldap import Directory
    from kahn_member import Member, computer_of
    from kahn_old_account import OldAccount
    from kahn_outcome import Trouble, alone, store_of
    from kahn_talk import Talk, answer_all

SKEW_S = 300
MOST = 1024
STATES = ("fit", "joined", "checked", "left", "asked", "old_disabled", "old_checked", "old_enabled", "old_asked")


def secret_in(path):
    """The first line of a file that its owner alone may read. Raises Trouble; the secret is in none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as opened:
            entry = os.fstat(opened.fileno())
            if not stat.S_ISREG(entry.st_mode):
                raise Trouble("domain_secret_unusable", "The join account's secret " + path + " is no plain file.")
            if stat.S_IMODE(entry.st_mode) & 0o077:
                says = "Others may read the join account's secret; use chmod 600 " + path + "."
                raise Trouble("domain_secret_unusable", says)
            line = opened.read(MOST + 1).partition(b"\n")[0]
    except OSError as error:
        says = "The join account's secret " + path + " cannot be read: " + os.strerror(error.errno or 0)
        raise Trouble("domain_secret_unusable", says) from None
    try:
        secret = line.decode("utf-8").rstrip("\r")
    except UnicodeDecodeError:
        secret = ""
    if not secret or len(line) > MOST or not secret.isprintable():
        raise Trouble("domain_secret_unusable", "The join account's secret is empty, too long, or no line of text.")
    return secret


def act(asked, modules):
    """Do it on the successor: (changed, what is told). `asked`: the module's words."""
    password = secret_in(asked["domain"]["secret_file"])
    talk = Talk(asked["ssh"], "target", modules, {"asset": asked["asset"], "domain": asked["domain"]})
    try:
        told = talk.ask(
            asked["state"],
            password=password,
            names={"old": asked["old"], "new": asked["new"]},
            mark=marked(asked["state"], asked, secrets.token_hex(8)),
        )
    finally:
        talk.close()
    return told["changed"], told["told"]


def marked(state, asked, token):
    """What the directory keeps of an act: who, when, why, and a word that nobody else can know beforehand."""
    day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    if state == "old_disabled":
        return f"[Disabled by Kahn {day}: replaced by {asked['new'][:60]}; {token}]"
    return f"Made by Kahn {day} for {asked['asset'][:60]}; {token}"


class Work:
    """The answers of the program on the successor."""

    def __init__(self, asset, domain, scratch):
        self.asset, self.domain = asset, domain
        self.store = store_of(asset)
        self.kerberos = Kerberos(domain["realm"], scratch)

    def ops(self):
        """What can be asked, by name."""
        return {state: self._answer(state) for state in STATES}

    def _answer(self, state):
        def answer(line, password, names, mark):
            found = self._done(state, password, names, mark)
            changed, told = found if isinstance(found, tuple) else (False, found)
            return {"changed": changed, "told": told}

        return answer

    def _done(self, state, password, names, mark):
        computer_of(names["new"])  # a name that cannot be is told before anything else
        directory = self._opened(password)
        member = Member(names["new"], self.store, self.kerberos, directory)
        old = OldAccount(names["old"], member.computer, self.store, directory)
        acts = {
            "fit": lambda: self._fit(member, old),
            "joined": lambda: member.join(self.domain["computers"], mark),
            "checked": member.check,
            "left": member.leave,
            "asked": member.asked,
            "old_disabled": lambda: old.disable(mark),
            "old_checked": old.check,
            "old_enabled": old.enable,
            "old_asked": old.asked,
        }
        return acts[state]()

    def _opened(self, password):
        missing = missing_tools()
        if missing:
            raise Trouble("domain_tools_missing", "Missing here: " + ", ".join(missing) + ".", names=missing)
        self.kerberos.choose(self.domain["controllers"])
        directory = Directory(self.kerberos)
        skew = time.time() - directory.clock()
        if abs(skew) > SKEW_S:
            raise Trouble("domain_clock_wrong", f"The clock is {skew:.0f} s away from the domain's.")
        self.kerberos.log_in(self.domain["join_account"], password)
        return directory

    def _fit(self, member, old):
        found = member.account()
        told = {"computer": member.computer, "realm": member.realm, "controller": self.kerberos.controller}
        return dict(told, is_there=found is not None, old_account=old.look())


def serve(incoming, outgoing, words):
    """Answer the controller until it is gone."""
    answer_all(incoming, outgoing, _opening(words))


@contextmanager
def _opening(words):
    """Within: no other program of Kahn's works for this asset on this machine, and tickets lie in memory."""
    with alone(words["asset"]), scratch_of(words["asset"]) as scratch:
        yield Work(words["asset"], words["domain"], scratch).ops()

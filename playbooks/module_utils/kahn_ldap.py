"""The accounts of computers in a directory: looked up, made, changed and taken away, by LDAP with a Kerberos ticket.

The ticket proves both sides to each other and encrypts what is said, so no certificate has to be trusted. Every value
goes out in base64: none can become a line of its own. Python 3.9, standard library only; sent to the hosts too.
"""

from __future__ import annotations

import base64
import calendar
import re
import time

try:
    from ansible.module_utils.kahn_kerberos import trouble_of
    from ansible.module_utils.kahn_outcome import Trouble
except ImportError:  # sent to a host as one program
    from kahn_kerberos import trouble_of
    from kahn_outcome import Trouble

DISABLED, WORKSTATION, OTHER_TRUSTS = 0x2, 0x1000, 0x2000 | 0x800 | 0x200
NEW = WORKSTATION | 0x10000
"""A computer whose password does not run out by itself; what adcli gives."""
ATTRIBUTES = ("objectGUID", "userAccountControl", "description", "sAMAccountName")
_NOT_THERE, _NOT_PERMITTED, _TAKEN = 16, (50, 53), 68
_TIME = re.compile(r"([0-9]{14})(\.[0-9]+)?Z")


def escaped(text):
    """A value inside a filter: nothing of it can end or widen the filter."""
    return "".join(
        one if one.isalnum() and one.isascii() else "".join(f"\\{b:02x}" for b in one.encode()) for one in text
    )


def entries(text):
    """Entries of an LDIF text without folded lines: a list of {attribute in small letters: [bytes, ...]}."""
    found, entry = [], {}
    for line in [*text.splitlines(), ""]:
        if not line.strip():
            if "dn" in entry:
                found.append(entry)
            entry = {}
        elif not line.startswith("#"):
            name, colon, value = line.partition(":")
            if colon and re.fullmatch(r"[A-Za-z0-9;-]+", name):
                told = base64.b64decode(value[1:]) if value.startswith(":") else value.strip().encode("utf-8")
                entry.setdefault(name.lower(), []).append(told)
    return found


def record(name, kind, *parts):
    """An LDIF record. Of a change each part is (what, attribute, values); of a new entry (attribute, values)."""
    lines = [_line("dn", name), "changetype: " + kind]
    for part in parts:
        what, attribute, values = part if len(part) == 3 else ("", *part)
        lines += [f"{what}: {attribute}"] if what else []
        lines += [_line(attribute, value) for value in values]
        lines += ["-"] if what else []
    return "".join(line + "\n" for line in lines) + "\n"


def _line(attribute, value):
    kept = value if isinstance(value, bytes) else str(value).encode("utf-8")
    return f"{attribute}:: {base64.b64encode(kept).decode('ascii')}"


class Computer:
    """A computer's account as the directory has it. `guid` is its identity for ever, in hexadecimal."""

    def __init__(self, entry):
        self.name = entry["dn"][0].decode("utf-8", "replace")
        self.guid = entry["objectguid"][0].hex()
        self.control = int(entry.get("useraccountcontrol", [b"0"])[0])
        self.description = entry.get("description", [b""])[0].decode("utf-8", "replace")

    disabled = property(lambda self: bool(self.control & DISABLED))
    is_seat = property(lambda self: bool(self.control & WORKSTATION) and not self.control & OTHER_TRUSTS)


class Directory:
    """One controller's directory, asked with the ticket of a Kerberos session."""

    def __init__(self, kerberos):
        self._run, self._server = kerberos.run, "ldap://" + kerberos.controller
        self.base = ",".join("DC=" + part for part in kerberos.realm.lower().split("."))

    def clock(self):
        """The controller's time in seconds of Unix; it is asked before anybody logs in. Raises Trouble."""
        told = self._asked(["-x"], ["-s", "base", "-b", "", "(objectClass=*)", "currentTime"])
        read = _TIME.fullmatch(told[0].get("currenttime", [b""])[0].decode("ascii", "replace")) if told else None
        if read is None:
            raise Trouble("domain_refused", "The domain controller does not tell its time.")
        return calendar.timegm(time.strptime(read[1], "%Y%m%d%H%M%S"))

    def named(self, computer):
        """The account of that name, or None."""
        return self._one(f"(sAMAccountName={escaped(computer + '$')})")

    def known_as(self, guid):
        """The account with that identity, wherever it is by now, or None."""
        return self._one("(objectGUID=" + "".join(f"\\{one:02x}" for one in bytes.fromhex(guid)) + ")")

    def _one(self, wanted):
        found = self._asked(_SECURE, ["-b", self.base, wanted, *ATTRIBUTES])
        try:
            return Computer(found[0]) if found else None
        except (KeyError, ValueError):
            raise Trouble("domain_refused", "The directory's account of that computer cannot be read.") from None

    def _asked(self, login, words):
        argv = ["ldapsearch", *login, "-LLL", "-o", "ldif-wrap=no", "-o", "nettimeout=10", "-H", self._server, *words]
        code, said = self._run(argv)
        if code:
            raise trouble_of(said)
        try:
            return entries(said)
        except ValueError:
            raise Trouble("domain_refused", "The directory's answer cannot be read.") from None

    def add(self, computer, *, within, mark):
        """Make an account that bears our mark from its first moment on; one that is there is never touched."""
        name = f"CN={computer},{within or 'CN=Computers,' + self.base}"
        parts = [("objectClass", ["computer"]), ("sAMAccountName", [computer + "$"])]
        parts += [("userAccountControl", [NEW]), ("description", [mark])]
        self._change(record(name, "add", *parts))

    def change(self, account, *, control, description):
        """Give it another control and description, if both still are what `account` says. Raises Trouble."""
        parts = []
        if control != account.control:
            parts += [("delete", "userAccountControl", [account.control]), ("add", "userAccountControl", [control])]
        if description != account.description:
            parts += [("delete", "description", [account.description])] if account.description else []
            parts += [("add", "description", [description])] if description else []
        if parts:
            self._change(record(account.name, "modify", *parts))

    def remove(self, account):
        """Take it away."""
        self._change(record(account.name, "delete"))

    def _change(self, text):
        code, said = self._run(["ldapmodify", *_SECURE, "-o", "nettimeout=10", "-H", self._server], text)
        if code == _TAKEN:
            raise Trouble("computer_taken", "The directory has something of that name already.")
        if code == _NOT_THERE:
            raise Trouble("account_changed", "Somebody changed the account at the same moment.")
        if code in _NOT_PERMITTED:
            raise Trouble("domain_not_permitted", "The join account may not do that in the directory.")
        if code:
            raise trouble_of(said)


_SECURE = ["-Q", "-Y", "GSSAPI", "-N", "-O", "minssf=56"]
"""Kerberos on both sides, encrypted, the server's name taken as it is."""

"""A machine as a member of a domain: joined, asked, and taken out again exactly. Never an account that is not ours.

The account is made first, with a mark that only this machine's note knows; only one that bears it is ever joined, so
that nothing resets the account of another machine. Python 3.9, standard library only; sent to the hosts too.
"""

from __future__ import annotations

import base64
import json
import os
import re
import stat

try:
    from ansible.module_utils.kahn_kerberos import configuration, trouble_of
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, write_whole
except ImportError:  # sent to a host as one program
    from kahn_kerberos import configuration, trouble_of
    from kahn_outcome import Trouble, printable, remove_file, write_whole

LONGEST = 15
_COMPUTER = re.compile(r"[A-Z0-9]([A-Z0-9-]*[A-Z0-9])?")
NOTE = "domain.made"


def computer_of(name):
    """The name of the computer's account for a record's name: its first part in capitals. Raises Trouble."""
    short = name.strip().split(".", 1)[0].upper()
    if not _COMPUTER.fullmatch(short) or short.isdecimal():
        raise Trouble("computer_name_unfit", f"{printable(short)[:60]} cannot be the name of a computer in a domain.")
    if len(short) > LONGEST:
        says = f"{short[:60]} has {len(short)} characters; a computer in a domain has {LONGEST} at most."
        raise Trouble("computer_name_unfit", says)
    return short


def host_of(name, realm):
    """The whole host name of a record's name."""
    plain = name.strip().lower()
    return plain if "." in plain else f"{plain}.{realm.lower()}"


class Member:
    """This machine. `directory` and `kerberos` are open sessions with the domain; `mark` is the new account's."""

    def __init__(self, name, store, kerberos, directory, root="/"):
        self.kerberos, self.directory, self.realm = kerberos, directory, kerberos.realm
        self.computer, self.host = computer_of(name), host_of(name, kerberos.realm)
        self.note_path = os.path.join(store, NOTE)
        self.keytab, self.settings = os.path.join(root, "etc/krb5.keytab"), os.path.join(root, "etc/krb5.conf")

    # -- looking

    def note(self):
        """What was made here, or None."""
        return read_note(self.note_path)

    def account(self):
        """The account that this machine has or could have. Raises Trouble when it is somebody else's."""
        found, noted = self.directory.named(self.computer), self.note()
        if found is None or self._is_ours(found, noted) or self._is_member():
            return found
        raise Trouble(
            "computer_taken", f"The domain has a computer {self.computer} already, and it is not this machine."
        )

    def _is_ours(self, account, noted):
        return noted is not None and (account.guid == noted["guid"] or account.description == noted["mark"])

    def _is_member(self):
        return self.kerberos.works_for(self.computer, self.keytab)

    def check(self):
        """`checked`: the account is there and in force, and the machine gets a ticket with it. Raises Trouble."""
        found = self.account()
        if found is None or found.disabled or not self._is_member():
            raise Trouble("not_a_member", "The machine gets no ticket of the domain with an account of its own.")
        mode = stat.S_IMODE(os.stat(self.keytab).st_mode)
        if mode & 0o077:
            raise Trouble("keytab_open", "Others than root may read the machine's keytab.")
        return self._told()

    def asked(self):
        """The answer of a probe."""
        noted, found = self.note(), self.directory.named(self.computer)
        is_member = found is not None and not found.disabled and self._is_member()
        if is_member and (noted is None or noted["joined"]):
            return {"answer": "done", **self._told()}
        ours = noted is not None or (found is not None and self._is_ours(found, noted))
        return {"answer": "partial" if ours else "not_done", **self._told()}

    def _told(self):
        noted = self.note()
        return {"computer": self.computer, "realm": self.realm, "made": noted is not None}

    # -- joining

    def join(self, within, mark):
        """Become a member. What was there is noted before the first change, and the account before it is used."""
        found = self.account()
        if found is not None and self.note() is None:
            return False, self._told()  # it was a member before
        noted = self.note() or self._first_note(mark)
        if found is None:
            self.directory.add(self.computer, within=within, mark=noted["mark"])
            found = self.directory.named(self.computer)
            if found is None or found.description != noted["mark"]:
                raise Trouble("domain_refused", "The account that was made does not show in the directory.")
        if noted["guid"] != found.guid:
            noted = self._noted(dict(noted, guid=found.guid))
        self._write_settings()
        self._enrol()
        self._noted(dict(noted, joined=True))
        return True, self.check()

    def _first_note(self, mark):
        note = {"computer": self.computer, "realm": self.realm, "mark": mark, "guid": "", "joined": False}
        return self._noted(dict(note, keytab=kept(self.keytab), settings=kept(self.settings)))

    def _noted(self, note):
        write_whole(self.note_path, [json.dumps(note, sort_keys=True).encode("ascii")])
        return note

    def _write_settings(self):
        """/etc/krb5.conf for those who log in here, unless the machine has one of this realm already."""
        if default_realm(_text(self.settings)) != self.realm:
            write_whole(self.settings, [configuration(self.realm, []).encode("ascii")], mode=0o644)

    def _enrol(self):
        domain, controller = self.realm.lower(), self.kerberos.controller
        ticket = self.kerberos.ticket.partition(":")[2]
        words = ["adcli", "join", "--domain=" + domain, "--domain-realm=" + self.realm]
        words += ["--domain-controller=" + controller, "--login-type=user", "--login-ccache=" + ticket]
        words += ["--computer-name=" + self.computer, "--host-fqdn=" + self.host, "--host-keytab=" + self.keytab]
        code, said = self.kerberos.run(words)
        if code:
            raise trouble_of(said)
        os.chmod(self.keytab, 0o600)

    # -- back

    def leave(self):
        """As before: the account that was made here is taken away, then files are put back; the note goes last."""
        noted = self.note()
        if noted is None:
            return False, {"restored": False}
        found = self.directory.known_as(noted["guid"]) if noted["guid"] else self.directory.named(noted["computer"])
        if found is not None and self._is_ours(found, noted):
            self.directory.remove(found)
        put_back(self.keytab, noted["keytab"])
        if _text(self.settings) == configuration(self.realm, []):
            put_back(self.settings, noted["settings"])
        remove_file(self.note_path)
        return True, {"restored": True}


def default_realm(text):
    """The default realm of a krb5.conf; empty when it names none."""
    found = re.search(r"^\s*default_realm\s*=\s*(\S+)", text, re.MULTILINE)
    return found[1] if found else ""


def read_note(path):
    """A note, or None where there is none. Raises Trouble when it is damaged."""
    try:
        with open(path, "rb") as opened:
            return json.load(opened)
    except FileNotFoundError:
        return None
    except ValueError:
        raise Trouble("store_damaged", path + " is damaged.") from None


def kept(path):
    """A file as it is, for `put_back`; None where there is none."""
    try:
        with open(path, "rb") as opened:
            entry = os.fstat(opened.fileno())
            content = base64.b64encode(opened.read()).decode("ascii")
    except FileNotFoundError:
        return None
    return {"content": content, "mode": stat.S_IMODE(entry.st_mode), "owner": [entry.st_uid, entry.st_gid]}


def put_back(path, was):
    """The file as it was, or none."""
    if was is None:
        remove_file(path)
        return
    write_whole(path, [base64.b64decode(was["content"])], mode=was["mode"])
    os.chown(path, *was["owner"])


def _text(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as opened:
            return opened.read()
    except FileNotFoundError:
        return ""

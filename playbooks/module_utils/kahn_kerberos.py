"""Kerberos on a machine that is, or is to be, a member of a domain: which controller, whose ticket, and why not.

All of it happens below a directory of its own in memory, with a configuration of its own. A password is only ever
written to the input of `kinit`. Python 3.9, standard library only; sent to the hosts as one program too.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from contextlib import contextmanager

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable

MEMORY = "/dev/shm"
SECONDS, CONNECT_S = 60, 4
TICKET = "10m"
TOOLS = ("adcli", "kinit", "ldapmodify", "ldapsearch")
PORTS = (88, 389)
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*")
_CAUSES = {
    "clock skew": "domain_clock_wrong",
    "have been revoked": "domain_account_locked",
    "password incorrect": "domain_login_refused",
    "preauthentication failed": "domain_login_refused",
    "pre-authentication failed": "domain_login_refused",
    "integrity check failed": "domain_login_refused",
    "not found in kerberos database": "domain_login_refused",
    "password has expired": "domain_login_refused",
    "password expired": "domain_login_refused",
    "cannot contact any kdc": "domain_unreachable",
    "cannot find kdc": "domain_unreachable",
    "cannot resolve": "domain_unreachable",
    "unable to reach": "domain_unreachable",
    "can't contact ldap server": "domain_unreachable",
    "unknown authentication method": "domain_tools_missing",
}
"""What the programs say, in small letters; all in one language, see `run`."""


def trouble_of(said, *, otherwise="domain_refused"):
    """What a program of Kerberos or LDAP said, as a Trouble."""
    lines = [line for line in said.strip().splitlines() if line.strip()]
    last = printable(lines[-1][-200:]) if lines else "nothing was said"
    found = next((cause for words, cause in _CAUSES.items() if words in said.lower()), otherwise)
    return Trouble(found, "The domain did not do it: " + last)


def configuration(realm, controllers):
    """krb5.conf of a realm: these controllers, or those that DNS names. No name is completed or turned round by DNS."""
    domain = realm.lower()
    lines = ["[libdefaults]", f"default_realm = {realm}", f"dns_lookup_kdc = {'false' if controllers else 'true'}"]
    lines += ["dns_lookup_realm = false", "rdns = false", "dns_canonicalize_hostname = false"]
    lines += ["udp_preference_limit = 1"]
    if controllers:
        lines += ["[realms]", realm + " = {"]
        lines += [f"{key} = {name}" for name in controllers for key in ("kdc", "kpasswd_server", "admin_server")]
        lines += ["}"]
    lines += ["[domain_realm]", f".{domain} = {realm}", f"{domain} = {realm}"]
    return "".join(line + "\n" for line in lines)


def missing_tools(which=shutil.which):
    """Names of programs that a member needs and that are not there."""
    return [name for name in TOOLS if which(name) is None]


def answers(name):
    """Whether a controller takes connections where Kerberos and LDAP are."""
    try:
        for port in PORTS:
            socket.create_connection((name, port), CONNECT_S).close()
    except (OSError, UnicodeError):
        return False
    return True


class Kerberos:
    """Tickets of one realm by way of one controller. `scratch` is a directory that only root may enter."""

    def __init__(self, realm, scratch):
        self.realm, self.scratch, self.controller = realm, scratch, ""
        self.ticket = "FILE:" + os.path.join(scratch, "ticket")

    def choose(self, named):
        """Take the first controller that answers, of those named, else of those that DNS knows. Raises Trouble."""
        self._configure(named)
        for name in named or self._found():
            if answers(name):
                self.controller = name
                self._configure([name])
                return
        raise Trouble("domain_unreachable", "No domain controller answers at ports 88 and 389.")

    def _found(self):
        code, said = self.run(["adcli", "info", "--domain=" + self.realm.lower()])
        lines = [line.partition(" = ") for line in said.splitlines()] if not code else []
        names = [name for key, _, value in lines if key == "domain-controllers" for name in value.split()]
        return [name for name in names if len(name) <= 253 and _NAME.fullmatch(name)][:10]

    def _configure(self, controllers):
        with open(os.path.join(self.scratch, "krb5.conf"), "w") as opened:
            opened.write(configuration(self.realm, controllers))

    def log_in(self, account, password):
        """A ticket of the account that may change computers. Raises Trouble."""
        words = ["kinit", "-l", TICKET, "-c", self.ticket, f"{account}@{self.realm}"]
        code, said = self.run(words, password + "\n")
        if code:
            raise trouble_of(said, otherwise="domain_login_refused")

    def works_for(self, computer, keytab):
        """Whether the machine itself gets a ticket with its keytab; a refusal is no trouble, silence is."""
        if not os.path.exists(keytab):
            return False
        kept = "FILE:" + os.path.join(self.scratch, "own")
        code, said = self.run(["kinit", "-l", TICKET, "-c", kept, "-k", "-t", keytab, f"{computer}$@{self.realm}"])
        found = trouble_of(said) if code else None
        if found is not None and found.cause in ("domain_unreachable", "domain_clock_wrong"):
            raise found
        return found is None

    def run(self, argv, said=""):
        """(exit code, what it printed) of a program. Raises Trouble when it is not there or does not end."""
        surroundings = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "KRB5_CONFIG": os.path.join(self.scratch, "krb5.conf"),
            "KRB5CCNAME": self.ticket,
            "LDAPNOINIT": "1",
            "TMPDIR": self.scratch,
        }
        try:
            ended = subprocess.run(
                argv,
                input=said.encode("utf-8"),
                capture_output=True,
                timeout=SECONDS,
                env=surroundings,
                cwd="/",
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Trouble("domain_unreachable", f"{argv[0]} had no answer within {SECONDS} s.") from None
        except FileNotFoundError:
            raise Trouble("domain_tools_missing", f"There is no program {argv[0]} here.") from None
        return ended.returncode, (ended.stdout + b"\n" + ended.stderr).decode("utf-8", "replace")


@contextmanager
def scratch_of(asset, memory=MEMORY):
    """Within: an empty directory in memory that only root may enter. What one that was killed left is taken away."""
    path = os.path.join(memory, "kahn-domain-" + asset)
    shutil.rmtree(path, ignore_errors=True)
    os.mkdir(path, 0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)

"""A real Active Directory (Samba) in the lab: its controller, a join account with few rights, seats of its tenant."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from orchestrator.core.domain import DomainSettings
from orchestrator.core.outcome import Outcome, outcomes
from orchestrator.core.runbook import Direction
from orchestrator.core.wave import WaveContent, WaveMove
from orchestrator.lab.host import Host, HostSpec
from orchestrator.lab.lab import Lab, seat_specs
from tests.playbooks.seats import Seats
from tests.waiting import until

CLIENT = ("adcli", "krb5-user", "ldap-utils", "libsasl2-modules-gssapi-mit")
SERVER = ("attr", "samba", "samba-ad-provision", "samba-dsdb-modules", "samba-vfs-modules", "winbind")
PACKAGES = tuple(sorted((*CLIENT, *SERVER, "libfaketime")))
REALM, ADMIN = "AMT.TEST", "Passwort-1!x"
JOINER, SECRET = "kahn-join", 'Beitritt "2026" $(id) äx'
USER, USER_SECRET = "anna", "Sonne-2026-x"
BEGIN = f"""set -e
rm -f /etc/samba/smb.conf
samba-tool domain provision --realm={REALM} --domain=AMT --adminpass='{ADMIN}' --server-role=dc \\
  --dns-backend=SAMBA_INTERNAL --host-name=dc-1 >/dev/null 2>&1
samba -D
"""
READ = """
import json
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
settings = LoadParm()
settings.load_default()
books = SamDB(session_info=system_session(), lp=settings)
wanted = ["objectGUID", "userAccountControl", "description", "pwdLastSet", "dNSHostName", "servicePrincipalName"]
rows = books.search(expression="(objectClass=computer)", attrs=[*wanted, "sAMAccountName"])
shown = {"objectGUID": lambda value: bytes(value).hex()}
told = {str(row["sAMAccountName"]): {one: " ".join(sorted(shown.get(one, str)(value) for value in row[one]))
        for one in wanted if one in row} for row in rows}
print(json.dumps(told))
"""
HELD = """#!/bin/sh
# The program, held before or after its work while there is a file that says so.
held() {{ touch /run/held-$1; while [ -e /run/hold-$1 ]; do sleep 0.1; done; rm -f /run/held-$1; }}
case "$*" in {pattern}) [ ! -e /run/hold-before ] || held before ;; esac
"{program}.real" "$@"; code=$?
case "$*" in {pattern}) [ ! -e /run/hold-after ] || held after ;; esac
exit $code
"""


class Domain:
    """The domain on its one controller."""

    def __init__(self, host: Host) -> None:
        self.host = host
        host.run("sh", "-c", BEGIN)
        self.wait()
        self.tool("user", "create", USER, USER_SECRET)
        self.tool("user", "create", JOINER, SECRET)
        sid = self.tool("user", "show", JOINER, "--attributes=objectSid").split("objectSid: ")[1].split()[0]
        computer = "bf967a86-0de6-11d0-a285-00aa003049e2"
        rights = f"(OA;CI;CCDC;{computer};;{sid})(OA;CIIO;GA;;{computer};{sid})"
        self.tool("dsacl", "set", "--objectdn=CN=Computers,DC=amt,DC=test", f"--sddl={rights}")

    def tool(self, *words: str) -> str:
        """What samba-tool says, on the controller."""
        return self.host.run("samba-tool", *words)

    def wait(self) -> None:
        """Until Kerberos and LDAP take connections."""
        asks = "import socket; [socket.create_connection(('127.0.0.1', one), 2).close() for one in (88, 389)]"
        until(lambda: self._succeeds("python3", "-c", asks), within_s=120, every_s=0.5)

    def _succeeds(self, *words: str) -> bool:
        return self.host.run("sh", "-c", '"$@" >/dev/null 2>&1 && echo yes || true', "sh", *words).strip() == "yes"

    def computers(self) -> dict[str, dict[str, str]]:
        """Every computer with the attributes that count, read past the server."""
        return dict(json.loads(self.host.run("python3", "-c", READ)))

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Within: no controller answers."""
        self.host.run("sh", "-c", "kill $(cat /run/samba/samba.pid)")
        until(lambda: not self._succeeds("pidof", "samba"), within_s=60)
        try:
            yield
        finally:
            self.host.run("samba", "-D")
            self.wait()


class DomainSeats(Seats):
    """Seats of a tenant with that domain; ``names`` gives a seat's machines other names in their records."""

    HAS_DOMAIN = True

    def __init__(self, lab: Lab, *, tenant: str, count: int, state: Path) -> None:
        super().__init__(lab, tenant=tenant, count=count, state=state)
        self.domain = Domain(lab.host("dc-1", tenant=tenant))
        self.settings = DomainSettings(
            realm=REALM, join_account=JOINER, secret_file="domain.secret", controllers=("dc-1.amt.test",)
        )
        self.secret = state / "domains" / tenant / "domain.secret"
        self.secret.parent.mkdir(parents=True)
        self.keep_secret(SECRET)
        self.names: dict[int, tuple[str, str]] = {}
        for seat in range(1, count + 1):
            new = self.new(seat)
            (new.root / "etc/hosts").write_text(f"127.0.0.1 localhost\n{self.domain.host.address} dc-1.amt.test dc-1\n")
            (new.root / "etc/resolv.conf").write_text(f"nameserver {self.domain.host.address}\n")

    def specs(self, count: int) -> tuple[HostSpec, ...]:
        seats = seat_specs(count, init=self.INIT, disk_mib=self.DISK_MIB)
        members = (replace(one, packages=PACKAGES) if one.name.startswith("neu") else one for one in seats)
        return (*members, HostSpec(name="dc-1", kind="server", packages=PACKAGES, disk_mib=768))

    def keep_secret(self, secret: str, mode: int = 0o600) -> None:
        self.secret.unlink(missing_ok=True)
        self.secret.write_text(secret + "\n")
        self.secret.chmod(mode)

    def _content(self, seats: tuple[int, ...]) -> WaveContent:
        return replace(super()._content(seats), domain=self.settings)

    def _move(self, seat: int) -> WaveMove:
        move = super()._move(seat)
        old, new = self.names.get(seat, ("", ""))
        named = {"source": old, "target": new}
        machines = tuple(replace(one, name=named.get(one.role) or one.name) for one in move.machines)
        return replace(move, machines=machines)

    # -- a run that is killed

    @contextmanager
    def held(self, seat: int, program: str, pattern: str, *, when: str) -> Iterator[Host]:
        """Within: the successor's program waits before or after its work, as often as its arguments fit."""
        host = self.new(seat)
        host.run("mv", program, program + ".real")
        (host.root / program.lstrip("/")).write_text(HELD.format(program=program, pattern=pattern))
        host.run("chmod", "755", program)
        (host.root / f"run/hold-{when}").touch()
        try:
            yield host
        finally:
            (host.root / f"run/hold-{when}").unlink(missing_ok=True)
            host.run("mv", program + ".real", program)

    def killed(self, seat: int, step: str, *, when: str) -> Outcome:
        """The step, begun; once its program waits on the successor, Ansible and that program are killed."""
        host, order = self.new(seat), self._order(step, (seat,), Direction.DO)
        with self.lab.controller():
            self.runs.start(order)
            until(lambda: (host.root / f"run/held-{when}").exists(), within_s=120)
            self.runs.kill(order.run.id)
            host.run("sh", "-c", "pkill -KILL -f '[m][.]serve'; pkill -KILL -f '[a]dcli|[l]dapmodify'; rm /run/held-*")
            self._wait_for(order.run.id)
            assert self.runs.close(order.run.id)
        read = self.runs.read(order.run.id, offset=0)
        hosts = [str(one.asset) for one in order.run.attempts]
        found = outcomes(
            read.lines,
            hosts=hosts,
            started=read.started,
            exited=read.exited,
            last_seq=read.last_seq,
            damaged=read.damaged,
        )
        return found[hosts[0]]

    def answer(self, step: str, seat: int) -> str:
        """What the step's probe answers."""
        told = self.must(step, seat, direction=Direction.PROBE)[seat].evidence["kahn"]
        return str(told["answer"])


@contextmanager
def clock_ahead(host: Host, *, seconds: int) -> Iterator[None]:
    """Within: every Python that begins on the host sees a clock that is so far ahead."""
    library = next((host.root / "usr/lib").glob("*/faketime/libfaketime.so.1"))
    inside = "/" + os.path.relpath(library, host.root)
    real = host.run("realpath", "/usr/bin/python3").strip()
    host.run("mv", "/usr/bin/python3", "/usr/bin/python3.away")
    text = f'#!/bin/sh\nexec env LD_PRELOAD={inside} FAKETIME=+{seconds}s {real} "$@"\n'
    (host.root / "usr/bin/python3").write_text(text)
    host.run("chmod", "755", "/usr/bin/python3")
    try:
        told = float(host.run("python3", "-c", "import time; print(time.time())"))
        assert told - time.time() > seconds - 60
        yield
    finally:
        host.run("mv", "/usr/bin/python3.away", "/usr/bin/python3")


def places_with(secret: str, *tops: Path) -> list[str]:
    """Files below these directories in which the secret stands, in clear or escaped as JSON and shells do."""
    wanted = {secret.encode(), secret.encode().split(b'"')[0] + b'\\"', ascii(secret)[1:-1].encode()}
    found = []
    for top in tops:
        for path in top.rglob("*"):
            if path.is_file() and not path.is_symlink() and any(one in path.read_bytes() for one in wanted):
                found.append(str(path))
    return found

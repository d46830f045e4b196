"""move-files on a real Samba: its users, its own list of open files, and Windows ACLs before, after and taken back."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab.host import Host, HostSpec
from orchestrator.lab.lab import Lab, inventory_rows
from tests.labs import lab
from tests.playbooks.procedures import RELAY
from tests.playbooks.test_move_files import Look, _look
from tests.scenarios.story import ENGINEER, PATIENCE_S, Story, a_place, a_policy, a_tenant, an_approved_wave
from tests.waiting import until

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]
SAMBA = ("attr", "samba", "samba-vfs-modules", "smbclient")
SHARE, DEFINITION, SECRET = "srv/ablage", "etc/samba/shares.d/ablage.conf", "anna%geheim-2"
GLOBAL = """[global]
server role = standalone server
disable netbios = yes
smb ports = 445
log level = 1
include = /etc/samba/shares.d/ablage.conf
"""
SHARES = """[ablage]
path = /srv/ablage
read only = no
vfs objects = acl_xattr
acl_xattr:ignore system acls = no
map acl inherit = yes
store dos attributes = yes
"""
SETTINGS = """
[[procedure]]
name = "Ablage"
data = ["/srv/ablage"]
programs = ["/etc/samba/shares.d/ablage.conf"]
configuration = ["/etc/samba/shares.d/ablage.conf"]
unit = "smbd.service"
port = 445
gateway_file = "/etc/relay/1"
gateway_line = "proxy_pass http://{address}:445;"
gateway_reload = ["true"]
gateway_port = 445
"""


HELD = {"folder": "/srv/ablage", "program": "smbd", "person": "person-1", "files": 1, "writers": 1}


@dataclass(frozen=True)
class Office:
    """The file servers of one town and a client in front of the gateway."""

    story: Story

    def host(self, name: str) -> Host:
        return self.story.host(name)

    def client(self, command: str) -> str:
        """What smbclient says, as the user anna, to commands on the share behind the gateway."""
        argv = self.host("gate").inside("smbclient", "//127.0.0.1/ablage", "-U", SECRET, "-c", command)
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
        return done.stdout + done.stderr

    def acl(self, path: str) -> list[str]:
        """The Windows ACL of a path as a client is shown it, by numbers: names are asked of a server each time."""
        argv = self.host("gate").inside("smbcacls", "--numeric", "//127.0.0.1/ablage", path, "-U", SECRET)
        told = until(lambda: _said(argv), within_s=PATIENCE_S, every_s=1)
        return sorted(line for line in told.splitlines() if line.startswith("ACL:"))

    def opened(self, path: str) -> subprocess.Popen[str]:
        """A client that has a file of the old server open for writing until its input ends.

        It goes past the gateway, whose small relay ends connections on which nothing is said.
        """
        old, pipe = self.host("alt-1"), subprocess.PIPE
        argv = self.host("gate").inside("smbclient", f"//{old.address}/ablage", "-U", SECRET)
        made = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)
        assert made.stdin is not None
        made.stdin.write(f'open "{path}"\n')
        made.stdin.flush()
        name = path.rsplit("\\", 1)[-1]
        until(lambda: name in old.run("smbstatus", "-L"), within_s=PATIENCE_S)
        return made


def _said(argv: Sequence[str]) -> str:
    """What a program of Samba says, or nothing when it failed: the small relay ends connections that rest a while."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    return "" if done.returncode else done.stdout


def an_office(place: Path, lab: Lab, tenant: str) -> Office:
    """A share with files that clients wrote on the old server, its new server, a gateway, and wave W01 approved."""
    server: dict[str, Any] = {"kind": "server", "init": "systemd", "disk_mib": 768, "packages": SAMBA}
    old, new = HostSpec(name="alt-1", successor="rz-1", **server), HostSpec(name="rz-1", **server)
    gate = HostSpec(name="gate", kind="server", role="gateway", packages=SAMBA)
    vault = HostSpec(name="vault", kind="server", role="vault")
    lab.up(tenant=tenant, specs=(gate, vault, old, new))
    office = Office(a_place(place, lab, tenant=tenant))
    for name in ("alt-1", "rz-1"):
        host = office.host(name)
        host.run("useradd", "--uid", "2001", "--no-create-home", "anna")
        host.run("groupadd", "--gid", "2100", "kasse")
        host.run("usermod", "-aG", "kasse", "anna")
        (host.root / "etc/samba/shares.d").mkdir()
        (host.root / "etc/samba/smb.conf").write_text(GLOBAL)
        secret = "printf 'geheim-2\\ngeheim-2\\n' | smbpasswd -s -a anna"
        host.run("sh", "-c", secret)
    for name, units in (("alt-1", ["nmbd.service"]), ("rz-1", ["nmbd.service", "smbd.service"])):
        office.host(name).run("systemctl", "disable", "--quiet", "--now", *units)
    sid = office.host("alt-1").run("net", "getlocalsid").split(" is: ")[1].strip()
    office.host("rz-1").run("net", "setlocalsid", sid)
    first = office.host("alt-1")
    (first.root / DEFINITION).write_text(SHARES)
    (first.root / SHARE / "kasse").mkdir(parents=True)
    first.run("chown", "-R", "anna:kasse", "/srv/ablage")
    first.run("systemctl", "restart", "smbd.service")
    gateway = office.host("gate")
    (gateway.root / "etc/relay").mkdir()
    (gateway.root / "etc/relay/1").write_text(f"proxy_pass http://{first.address}:445;\n")
    (gateway.root / "opt/relay.py").write_text(RELAY)
    gateway.run("sh", "-c", "setsid python3 -B /opt/relay.py /etc/relay/1 445 </dev/null >/dev/null 2>&1 &")
    _work_as_a_client(office)
    text = a_policy(contacts="[]").replace("[[window]]", '[runbooks]\nserver = "move-files"\n[[window]]')
    a_tenant(office.story, policy=text + SETTINGS)
    rows: dict[str, Any] = inventory_rows(lab.access(tenant))
    rows["procedures"] = [{"name": "Ablage", "machines": ["alt-1"], "users": 12, "protection": "normal"}]
    (place / "machines.json").write_text(json.dumps({"kahn_inventory": 1, **rows}))
    office.story.kahn("asset", "import", str(place / "machines.json"), "--yes")
    an_approved_wave(office.story)
    return office


def _work_as_a_client(office: Office) -> None:
    """Files, folders, names that hurt, DOS attributes and Windows ACLs, all made through Samba itself."""
    gate = office.host("gate")
    (gate.root / "tmp/brief").write_text("Sehr geehrte Damen und Herren")
    until(lambda: "blocks available" in office.client("ls"), within_s=PATIENCE_S, every_s=0.5)
    for name in ("Bescheid für Müller.txt", "u\u0308ber NFD.txt", "kasse/geerbt.txt", "$(touch kahn-was-here).txt"):
        told = office.client(f'put /tmp/brief "{name.replace("/", chr(92))}"')
        assert "putting file" in told, told
    office.client('mkdir "kasse\\2026"')
    office.client('setmode "Bescheid für Müller.txt" +rh')
    for path, who in (("kasse", "kasse:ALLOWED/OI|CI/CHANGE"), ("Bescheid für Müller.txt", "anna:DENIED/0x0/W")):
        add = gate.inside("smbcacls", "//127.0.0.1/ablage", path, "-U", SECRET, "--add", f"ACL:{who}")
        # The small relay ends a connection on which nothing was said for a while, as on a loaded machine.
        until(lambda add=add: not subprocess.run(add, capture_output=True).returncode, within_s=PATIENCE_S, every_s=1)  # type: ignore[misc]
    office.client('put /tmp/brief "kasse\\nach der ACL.txt"')


def looks(host: Host) -> dict[str, Look]:
    top = host.root / SHARE
    return {str(one.relative_to(top)): _look(bytes(one)) for one in sorted(top.rglob("*"))} if top.exists() else {}


@pytest.fixture(scope="module")
def office(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Office:
    return an_office(tmp_path_factory.mktemp("ort"), lab, "samba")


PATHS = ("kasse", "kasse/geerbt.txt", "kasse/nach der ACL.txt", "Bescheid für Müller.txt")


def seen(office: Office) -> dict[str, object]:
    """What a client sees behind the gateway: names, DOS attributes and ACLs, and what stands in a file."""
    lines = office.client("recurse; ls").splitlines()
    listed = sorted(line for line in lines if re.search(r" [AHRSN]+ +[0-9]+ ", line))
    shown: dict[str, object] = {path: office.acl(path) for path in PATHS}
    return shown | {"listed": listed, "read": office.client('get "kasse\\geerbt.txt" -')[:29]}


def test_a_share_of_samba_moves_with_all_that_clients_see_and_comes_back(office: Office) -> None:
    old, new = office.host("alt-1"), office.host("rz-1")
    before, shown = looks(old), seen(office)
    assert any(name == "security.NTACL" for name, _ in before["kasse"][-1])  # type: ignore[attr-defined]
    holder = office.opened("kasse\\geerbt.txt")
    forward = office.story.tried("wave", "run", "W01")
    holder.communicate()
    told = next(
        one for one in office.story.facts() if one.get("step") == "open-files" and one["kind"] == "attempt.ended"
    )
    opened = told["evidence"]["kahn"]
    assert opened["open"] == [HELD], opened
    assert opened["samba_count"] > 0 and opened["list"].startswith("/var/lib/kahn/"), opened
    kept = json.dumps(office.story.facts())
    assert "geerbt" not in kept and not (old.root / opened["list"].lstrip("/")).exists()
    assert office.story.states() == {"alt-1": ("moved", "")}, forward
    assert (looks(new), looks(old)) == (before, before)
    assert seen(office) == shown
    assert old.run("sh", "-c", "systemctl is-active smbd.service || true").strip() == "inactive"
    written = office.client('put /tmp/brief "kasse\\auf dem neuen.txt"')
    assert "putting file" in written and (new.root / SHARE / "kasse/auf dem neuen.txt").exists()
    there = looks(new)
    back = office.story.tried("wave", "rollback", "W01", "--yes", "--reason", "Probe", person=ENGINEER)
    assert office.story.states() == {"alt-1": ("rolled_back", "asked")}, back
    assert (looks(old), looks(new)) == (there, {})
    assert "auf dem neuen.txt" in office.client('ls "kasse\\*"')

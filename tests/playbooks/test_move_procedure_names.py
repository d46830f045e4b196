"""move-procedure with a real authoritative name server (Knot) on the gateway: names and serials, there and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.host import Host
from orchestrator.lab.lab import Lab
from tests.labs import lab
from tests.playbooks.moving_procedures import Town, Wish, a_town
from tests.scenarios.story import ENGINEER, wait_until

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]
ZONE = """$ORIGIN stadt.example.
$TTL 60
@ SOA ns hostmaster 100 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
wohngeld A {address}
"""
KNOT = """server:
    listen: 127.0.0.1@53
    rundir: /run/knot
database:
    storage: /run/knot
zone:
  - domain: stadt.example
    storage: /etc/relay
    file: zone-1
    zonefile-sync: -1
    journal-content: none
"""
CHANGED = """#!/usr/bin/python3
import re, subprocess
path = "/etc/relay/zone-1"
text = re.sub(r"hostmaster (\\d+)", lambda found: f"hostmaster {int(found[1]) + 1}", open(path).read())
open(path, "w").write(text)
subprocess.run(["knotc", "-s", "/run/knot/knot.sock", "-b", "zone-reload", "stadt.example"], check=True)
"""
STILL = CHANGED.replace("+ 1}", "+ 0}")
MORE = 'dns_names = ["wohngeld.stadt.example"]\ndns_server = "127.0.0.1"\n'
WISH = Wish(rows=40, documents=5, gate_packages=("knot",), switch_reload='["/opt/zone-changed"]', more=MORE)


def said(gate: Host) -> tuple[str, int]:
    """Address and serial as the name server itself has them."""
    told = gate.run("sh", "-c", "knotc -s /run/knot/knot.sock zone-read stadt.example || true").splitlines()
    address = next((one.split()[-1] for one in told if " A " in one and "wohngeld" in one), "")
    return address, next((int(one.split()[-5]) for one in told if " SOA " in one), 0)


def a_named_town(lab: Lab, place: Path, tenant: str, changed: str) -> tuple[Town, Host]:
    town = a_town(place, lab, tenant=tenant, wish=WISH)
    gate, old = town.host("gate"), town.host("alt-1")
    (gate.root / "etc/relay/zone-1").write_text(ZONE.format(address=old.address))
    (gate.root / "etc/knot.conf").write_text(KNOT)
    (gate.root / "opt/zone-changed").write_text(changed)
    gate.run("chmod", "755", "/opt/zone-changed")
    gate.run("sh", "-c", "mkdir -p /run/knot && knotd -d -c /etc/knot.conf")
    wait_until(lambda: said(gate) == (old.address, 100), within_s=60, every_s=1)
    return town, gate


def test_the_name_server_leads_to_the_new_server_with_a_newer_serial_and_back_again(lab: Lab, tmp_path: Path) -> None:
    town, gate = a_named_town(lab, tmp_path / "story", "namen", CHANGED)
    forward = town.story.tried("wave", "run", "W01")
    assert town.story.states() == {"alt-1": ("moved", "")}, forward
    assert said(gate) == (town.host("rz-1").address, 101)
    back = town.story.tried("wave", "rollback", "W01", "--yes", "--reason", "Probe", person=ENGINEER)
    assert town.story.states() == {"alt-1": ("rolled_back", "asked")}, back
    assert said(gate) == (town.host("alt-1").address, 102)


def test_a_command_that_does_not_raise_the_serial_brings_the_old_server_back_at_once(lab: Lab, tmp_path: Path) -> None:
    town, gate = a_named_town(lab, tmp_path / "story", "serie", STILL)
    old = town.host("alt-1")
    forward = town.story.tried("wave", "run", "W01")
    assert town.story.states() == {"alt-1": ("rolled_back", "names_differ")}, forward
    assert said(gate) == (old.address, 100)
    assert old.run("systemctl", "is-active", "wohngeld.service").strip() == "active"

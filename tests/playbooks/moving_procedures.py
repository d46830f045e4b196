"""A procedure on lab hosts: old server, new server and gateway with a real service, and users who go on working."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.lab.host import Host, HostSpec
from orchestrator.lab.lab import Lab, inventory_rows
from orchestrator.lab.made_up_procedure import UNIT, UNIT_TEXT
from tests.playbooks.procedures import APP, CONFIGURATION, DATA, DATABASE, JOB, RELAY, fill
from tests.scenarios.story import PATIENCE_S, Story, a_place, a_policy, a_tenant, an_approved_wave

USERS = """
import json, sys, threading, time, urllib.request
url, writes, told = sys.argv[1], sys.argv[2] == "write", {"outages": [], "acknowledged": [], "asked": 0, "sites": {}}
stop = []
threading.Thread(target=lambda: stop.append(sys.stdin.read()), daemon=True).start()
down, number = None, 0
print("begun", flush=True)
while not stop:
    began = time.monotonic(); number += 1
    try:
        with urllib.request.urlopen(url, timeout=2) as answer: site = json.load(answer)["site"]
        told["sites"][site] = told["sites"].get(site, 0) + 1
        if down: told["outages"].append(round(time.monotonic() - down, 2)); down = None
    except Exception: down = down or began
    if writes and number % 4 == 0:
        mark = f"{sys.argv[3]}-{number}"
        try:
            with urllib.request.urlopen(url, data=mark.encode(), timeout=5) as answer:
                if answer.status == 201: told["acknowledged"].append(mark)
        except Exception: pass
    told["asked"] += 1
    time.sleep(max(0, 0.05 - (time.monotonic() - began)))
told["down"] = bool(down)
print(json.dumps(told), flush=True)
"""
"""Asks every 50 ms as a user does, and writes with every fourth question; tells what it saw when its input ends."""


def procedure_specs(
    count: int, disk_mib: int = 512, packages: tuple[str, ...] = (), gate_packages: tuple[str, ...] = ()
) -> tuple[HostSpec, ...]:
    """Pairs of old and new server with a real systemd, a gateway and a vault."""
    numbers = range(1, count + 1)
    server = HostSpec(name="one", kind="server", init="systemd", disk_mib=disk_mib, packages=packages)
    old = (replace(server, name=f"alt-{n}", successor=f"rz-{n}") for n in numbers)
    new = (replace(server, name=f"rz-{n}") for n in numbers)
    gate = HostSpec(name="gate", kind="server", role="gateway", disk_mib=256, packages=gate_packages)
    return (gate, HostSpec(name="vault", kind="server", role="vault", disk_mib=256), *old, *new)


@dataclass
class Town:
    """The story of one procedure or more, told through the command line."""

    story: Story
    count: int

    @property
    def lab(self) -> Lab:
        return self.story.lab

    def host(self, name: str) -> Host:
        return self.story.host(name)

    def users(self, number: int = 1, *, write: str = "") -> Users:
        """People who ask (and write) from now on."""
        url = f"http://{self.host('gate').address}:{9000 + number}/"
        return Users(self.host("vault"), url, write)

    def marks(self, name: str) -> list[str]:
        """What users wrote, as that server's database has it."""
        asked = "import sqlite3,sys;[print(r[0]) for r in sqlite3.connect(sys.argv[1]).execute(sys.argv[2])]"
        query = "select mark from payment where mark not like 'alt %' order by 1"
        return self.host(name).run("python3", "-c", asked, DATABASE, query).splitlines()


class Users:
    """People in front of the gateway, as a program on a host of the LAN."""

    def __init__(self, host: Host, url: str, write: str) -> None:
        words = ("python3", "-u", "-c", USERS, url, "write" if write else "read", write)
        self._program = subprocess.Popen(host.inside(*words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._program.stdout is not None and self._program.stdout.readline() == "begun\n"

    def ended(self) -> dict[str, Any]:
        """They stop; what they saw."""
        return dict(json.loads(self._program.communicate(timeout=PATIENCE_S)[0]))


@dataclass(frozen=True)
class Wish:
    """How many procedures of what size move, by which runbook (one in another folder, else the shipped one)."""

    count: int = 1
    rows: int = 400
    documents: int = 20
    runbook: Path | None = None
    shipped: str = "move-procedure"
    policy: Mapping[str, object] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    """Packages of the servers on top of the usual ones; their disks are larger then."""
    gate_packages: tuple[str, ...] = ()
    switch_reload: str = '["true"]'
    more: str = ""
    """More lines of each procedure's description."""


def a_town(place: Path, lab: Lab, *, tenant: str, wish: Wish = Wish()) -> Town:
    """Hosts up with their applications, inventory in, wave W01 approved."""
    disk_mib = 1536 if wish.packages else 512
    lab.up(tenant=tenant, specs=procedure_specs(wish.count, disk_mib, wish.packages, wish.gate_packages))
    story = a_place(place, lab, tenant=tenant)
    if wish.runbook is not None:
        shutil.copytree(wish.runbook, story.home / "runbooks" / wish.runbook.name)
    town = Town(story=story, count=wish.count)
    for number in range(1, wish.count + 1):
        _install(town, number, rows=wish.rows, documents=wish.documents)
    text = a_policy(**{"contacts": "[]", **wish.policy})
    tables = "".join(
        _settings(number).replace('switch_reload = ["true"]', f"switch_reload = {wish.switch_reload}")
        + wish.more.replace("NUMBER", str(number))
        for number in range(1, wish.count + 1)
    )
    # The tables of a TOML file come last.
    a_tenant(story, policy=text.replace("[[window]]", f'[runbooks]\nserver = "{wish.shipped}"\n[[window]]') + tables)
    _import(town)
    an_approved_wave(story)
    return town


def _settings(number: int) -> str:
    return f"""
[[procedure]]
name = "Wohngeld {number}"
data = ["{DATA}"]
databases = ["{DATABASE}"]
programs = ["/opt/wohngeld", "{CONFIGURATION}", "{UNIT}"]
configuration = ["{CONFIGURATION}"]
replace = {{ "site=alt" = "site=rz" }}
jobs = ["{JOB}"]
user = "wohngeld"
unit = "wohngeld.service"
port = 8080
path = "/"
expect = "payments"
gateway_file = "/etc/relay/{number}"
gateway_line = "proxy_pass http://{{address}}:8080;"
gateway_reload = ["true"]
gateway_port = {9000 + number}
switch_files = ["/etc/relay/zone-{number}"]
switch_reload = ["true"]
quiet_begin = ["sh", "-c", "echo begin >>/var/log/downtime"]
quiet_end = ["sh", "-c", "echo end >>/var/log/downtime"]
"""


def _install(town: Town, number: int, *, rows: int, documents: int) -> None:
    old, new, gate = town.host(f"alt-{number}"), town.host(f"rz-{number}"), town.host("gate")
    for host in (old, new):
        (host.root / "etc/cron.d").mkdir(exist_ok=True)
    old.run("useradd", "--system", "--no-create-home", "--uid", "990", "wohngeld")
    made = town.story.place / f"data-{number}"
    fill(made, rows=rows, documents=documents, size=20_000)  # SQLite does not open files by way of /proc
    subprocess.run(["cp", "-a", "--sparse=always", f"{made}{DATA}", str(old.root / "srv")], check=True)
    (old.root / "opt/wohngeld").mkdir()
    (old.root / "opt/wohngeld/app.py").write_text(APP)
    (old.root / CONFIGURATION.lstrip("/")).write_text(
        f"address={old.address}\nport=8080\ndatabase={DATABASE}\ndocs={DATA}/docs\npid=/run/wohngeld/pid\nsite=alt\n"
    )
    (old.root / UNIT.lstrip("/")).write_text(UNIT_TEXT)
    (old.root / JOB.lstrip("/")).write_text("* * * * * wohngeld true\n")
    old.run("chown", "-R", "wohngeld", DATA)
    old.run("systemctl", "daemon-reload")
    old.run("systemctl", "enable", "--now", "--quiet", "wohngeld.service")
    (gate.root / "etc/relay").mkdir(exist_ok=True)
    (gate.root / f"etc/relay/{number}").write_text(f"proxy_pass http://{old.address}:8080;\n")
    (gate.root / f"etc/relay/zone-{number}").write_text(f"wohngeld IN A {old.address}\nother IN A {old.address}9\n")
    (gate.root / "opt/relay.py").write_text(RELAY)
    start = f"setsid python3 -B /opt/relay.py /etc/relay/{number} {9000 + number} </dev/null >/dev/null 2>&1 &"
    gate.run("sh", "-c", start)
    _wait_for_users(town, number)


def _wait_for_users(town: Town, number: int) -> None:
    asked = "import sys,urllib.request as u; u.urlopen(sys.argv[1], timeout=5)"
    until = time.monotonic() + PATIENCE_S
    argv = town.host("gate").inside("python3", "-c", asked, f"http://127.0.0.1:{9000 + number}/")
    while subprocess.run(argv, capture_output=True).returncode:
        assert time.monotonic() < until, "the procedure does not answer"
        time.sleep(0.2)


def _import(town: Town) -> None:
    rows: dict[str, Any] = inventory_rows(town.lab.access(town.story.tenant))
    rows["procedures"] = [
        {"name": f"Wohngeld {n}", "machines": [f"alt-{n}"], "users": 12, "protection": "normal"}
        for n in range(1, town.count + 1)
    ]
    written = town.story.place / f"{town.story.tenant}-machines.json"
    written.write_text(json.dumps({"kahn_inventory": 1, **rows}))
    town.story.kahn("asset", "import", str(written), "--yes")

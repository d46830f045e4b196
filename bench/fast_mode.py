"""A town's own 12-task playbook, unchanged: by a tuned ``ansible-playbook``, and as a run of Kahn's in the fast mode.

    python -m bench.fast_mode --hosts 20 --times 2

Needs root and Linux. The hosts are real lab hosts behind a jump host. The contender is set up as an expert would: forks
from the cores, pipelining, kept connections, the same inventory and host keys. Both take turns; before each turn what
the playbook made is removed. Kahn's time is that of the whole run: directory, supervisor, first contact, receipts,
proof, judging. Compared are the ends of all tasks and the files that each left behind.

Exit code 0: the same results everywhere.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inventory.model import AssetId
from orchestrator.core.access import AccessProfile, JumpHost
from orchestrator.core.runbook import Adopted
from orchestrator.lab.host import HostSpec
from orchestrator.lab.lab import Lab
from orchestrator.lab.possible import what_lacks
from orchestrator.run_ports import RunOrder
from orchestrator.supervisor.processes import end_connections
from tests.run_orders import PLAYBOOK, Field, a_move
from tests.scenarios.outside import Seen, walked

TENANT = "bench"
MADE = ("/opt/town", "/etc/town.conf", "/etc/cron.d/town", "/var/tmp/town", "/etc/profile.d/town.sh")
"""What the playbook makes on a host, below its root; Kahn's own receipts lie elsewhere."""
BOOK = """\
- hosts: kahn_moves
  become: true
  vars: {town: Neustadt}
  tasks:
    - name: distribution
      ansible.builtin.assert: {that: "ansible_facts.os_family == 'Debian'", quiet: true}
    - name: folder
      ansible.builtin.file: {path: /opt/town, state: directory, mode: "0750"}
    - name: settings
      ansible.builtin.copy:
        dest: /etc/town.conf
        content: "town={{ town }}\\nhost={{ inventory_hostname }}\\nkernel={{ ansible_facts.kernel }}\\n"
        mode: "0640"
    - name: script
      ansible.builtin.copy: {dest: /opt/town/collect, content: "#!/bin/sh\\ncat /etc/town.conf\\n", mode: "0755"}
    - name: shell settings
      ansible.builtin.lineinfile: {path: /etc/profile.d/town.sh, line: "TOWN={{ town }}", create: true, mode: "0644"}
    - name: block in settings
      ansible.builtin.blockinfile: {path: /etc/town.conf, block: "proxy=none"}
    - name: replaced
      ansible.builtin.replace: {path: /etc/town.conf, regexp: "^proxy=none$", replace: "proxy=direct"}
    - name: scheduled
      ansible.builtin.copy: {dest: /etc/cron.d/town, content: "*/15 * * * * root /opt/town/collect\\n", mode: "0644"}
    - name: collected
      ansible.builtin.command: /opt/town/collect
      register: collected
      changed_when: false
    - name: kept
      ansible.builtin.shell: /opt/town/collect > /var/tmp/town
    - name: looked at
      ansible.builtin.stat: {path: /var/tmp/town}
      register: kept
    - name: right
      ansible.builtin.assert: {that: ["kept.stat.exists", "town in collected.stdout"], quiet: true}
"""
_RECAP = re.compile(r"^(\S+)\s+: (ok=.*)$", re.MULTILINE)
_OURS = 3
"""Tasks that a run of Kahn's plays around the playbook: claim, end receipt, proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn: seconds, host -> (ok, changed, failed) of the playbook's own tasks, and host -> what lay there then."""

    took_s: float
    ends: dict[str, tuple[int, ...]]
    left: dict[str, dict[str, Seen]]


def an_order(field: Field, lab: Lab) -> RunOrder:
    """The adopted playbook on all hosts of the lab."""
    way = lab.access(TENANT)
    jump = JumpHost(address=way.jump_address, host_key=way.jump_host_key, port=way.jump_port, user=way.jump_user)
    profile = AccessProfile(name="admin", user=way.user, key_file=str(way.key_path), port=way.port, jump=jump)
    order = field.order("- ansible.builtin.debug:", once=True, seconds=3000)
    (field.state / "trees" / order.content.runbook.tree / "try-out" / "act.yml").write_text(BOOK)
    hosts = [host for host in way.hosts if host.name.startswith("pc-")]
    moves = tuple(a_move(host.name, address=host.address, host_key=host.host_key) for host in hosts)
    attempts = tuple(
        replace(order.run.attempts[0], id=field.clock.new_id(), asset=AssetId(host.name)) for host in hosts
    )
    content = replace(
        order.content,
        moves=moves,
        access=(profile,),
        runbook=replace(order.content.runbook, adopted=Adopted(origin="the town's own", fast=True)),
        thresholds=replace(order.content.thresholds, forks=forks_for(len(hosts))),
    )
    return replace(order, run=replace(order.run, attempts=attempts), content=content)


def forks_for(hosts: int) -> int:
    """As many as the cores can feed."""
    return min(hosts, 10 * (os.cpu_count() or 1))


def by_kahn(field: Field, order: RunOrder) -> tuple[float, str]:
    """Seconds and the display of the order as a run, until it is judged."""
    began = time.monotonic()
    found = field.played(order)
    took_s = time.monotonic() - began
    assert {str(one.kind) for one in found.values()} == {"done"}, found
    return took_s, (field.directory(order) / "display.txt").read_text()


def by_an_expert(field: Field, order: RunOrder) -> tuple[float, str]:
    """Seconds and the output of ansible-playbook with the inventory of a finished run and settings of its own."""
    place = field.directory(order)
    sockets = Path(json.loads((place / "manifest.json").read_text())["sockets"])
    sockets.mkdir()
    config = place / "expert.cfg"
    forks = forks_for(len(order.run.attempts))
    config.write_text(
        f"[defaults]\nforks = {forks}\nhost_key_checking = True\nnocolor = True\n"
        f"inventory = {place / 'inventory.yml'}\n"
        "[inventory]\nenable_plugins = ansible.builtin.yaml\n[ssh_connection]\npipelining = True\n"
    )
    book = field.state / "trees" / order.content.runbook.tree / "try-out" / "act.yml"
    environment = {"ANSIBLE_CONFIG": str(config), "HOME": str(place), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    began = time.monotonic()
    done = subprocess.run([PLAYBOOK, book], env=environment, cwd=place, capture_output=True, text=True, check=False)
    took_s = time.monotonic() - began
    assert done.returncode == 0, done.stdout + done.stderr
    end_connections(order.run.id, sockets=str(sockets))
    shutil.rmtree(sockets, ignore_errors=True)
    return took_s, done.stdout


def turn(lab: Lab, took_s: float, shown: str, *, ours: int) -> Turn:
    """What is to be compared of a turn; afterwards the hosts are as before it."""
    ends = dict[str, tuple[int, ...]]()
    for host, counts in _RECAP.findall(shown):
        told = {word: int(count) for word, _, count in (one.partition("=") for one in counts.split())}
        ends[host] = (told["ok"] - ours, told["changed"], told["failed"], told["skipped"])
    left = dict[str, dict[str, Seen]]()
    for host in lab.hosts(TENANT):
        if host.name.startswith("pc-"):
            left[host.name] = {path: seen for path, seen in walked(host.upper).items() if path.startswith(MADE)}
            for path in MADE:
                subprocess.run(["rm", "-rf", f"{host.root}{path}"], check=True)
    return Turn(took_s=took_s, ends=ends, left=left)


def alike(one: Turn, other: Turn) -> bool:
    """Whether tasks ended alike and the same files were left behind; times of files are not compared."""
    names = [name for name in Seen.__slots__ if name != "mtime_ns"]
    plain = [
        {
            host: {path: tuple(getattr(seen, name) for name in names) for path, seen in tree.items()}
            for host, tree in each.left.items()
        }
        for each in (one, other)
    ]
    return one.ends == other.ends and plain[0] == plain[1] and all(one.left.values()) and bool(one.ends)


def main(words: Sequence[str]) -> int:
    """Read the command line, take turns, print medians."""
    parser = argparse.ArgumentParser(prog="python -m bench.fast_mode", description=__doc__.partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--times", type=int, default=2)
    asked = parser.parse_args(words)
    if lacks := what_lacks():
        print(f"not possible here: {'; '.join(lacks)}")
        return 1
    with tempfile.TemporaryDirectory(prefix="kahn-fast-") as folder:
        lab, field = Lab(Path(folder) / "lab"), Field(state=Path(folder) / "state")
        try:
            lab.up(tenant=TENANT, specs=[HostSpec(name=f"pc-{n:03d}", disk_mib=32) for n in range(asked.hosts)])
            with lab.controller():
                ours, theirs = turns(field, lab, times=asked.times)
        finally:
            field.leave()
            lab.down()
    return told(ours, theirs, hosts=asked.hosts)


def turns(field: Field, lab: Lab, *, times: int) -> tuple[list[Turn], list[Turn]]:
    """Kahn and the expert in turns, on the same hosts."""
    ours, theirs = list[Turn](), list[Turn]()
    for _ in range(times):
        order = an_order(field, lab)
        ours.append(turn(lab, *by_kahn(field, order), ours=_OURS))
        theirs.append(turn(lab, *by_an_expert(field, order), ours=0))
    return ours, theirs


def told(ours: Sequence[Turn], theirs: Sequence[Turn], *, hosts: int) -> int:
    """Print the comparison; the exit code."""
    fast_s, plain_s = (statistics.median(one.took_s for one in each) for each in (ours, theirs))
    same = all(alike(ours[0], one) for one in (*ours, *theirs))
    print(f"{hosts} hosts, 12 tasks and facts, {len(ours)} times each in turns, medians")
    print(f"ansible-playbook, {forks_for(hosts)} forks, pipelining  {plain_s:7.1f} s")
    print(f"as a run of Kahn's in the fast mode  {fast_s:7.1f} s  {plain_s / fast_s:.1f} x faster")
    print("results: the same" if same else "results: NOT the same")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What the engine costs beside bare Ansible on the same hosts: ``python -m bench.overhead [--hosts N] [--tasks N]``.

Both play the same playbook over real ssh to a throw-away server of this machine: once by ``ansible-playbook`` alone,
once as a run of Kahn's (directory, supervisor, first contact, spool, proof, judging). CPU seconds are those of all
processes on the controller's side, orphans included; the server's are not counted. Needs root and sshd.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.run_ports import RunOrder
from orchestrator.supervisor.processes import end_connections
from tests.run_orders import PLAYBOOK, Field
from tests.sshd import start_server, why_no_server

PR_SET_CHILD_SUBREAPER = 36
REAP_S, TICK_S, LONGEST_S = 3.0, 1.0, 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds on the wall and of CPU."""

    wall_s: float
    cpu_s: float


def cost_of(act: Callable[[], None]) -> Cost:
    """What an act and all its children cost; orphans come to this process and are waited for."""
    began, before = time.monotonic(), _cpu()
    act()
    wall = time.monotonic() - began
    until = time.monotonic() + REAP_S
    with suppress(ChildProcessError):
        while time.monotonic() < until:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.1)  # the server is a child too and stays; whoever else ended is counted
    return Cost(wall_s=wall, cpu_s=_cpu() - before)


def _cpu() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def by_kahn(field: Field, order: RunOrder) -> None:
    """The order as a run, looked at as often as the driver looks, until it is judged."""
    field.runs.start(order)
    read, until = field.runs.read(order.run.id, offset=0), time.monotonic() + LONGEST_S
    while read.alive or not read.exited:
        assert time.monotonic() < until, "the run does not end"
        time.sleep(TICK_S)
        read = field.runs.read(order.run.id, offset=read.offset)
    found = field.judged(order)
    assert {one.kind for one in found.values()} == {"done"}, found


def bare(field: Field, order: RunOrder) -> None:
    """The same playbook, inventory and settings without anything of Kahn's."""
    place = field.directory(order)
    config = place / "bare.cfg"
    lines = (place / "ansible.cfg").read_text().splitlines()
    config.write_text("\n".join(line for line in lines if not line.startswith("callback")) + "\n")
    act = field.state / "trees" / order.content.runbook.tree / "try-out" / "act.yml"
    words = (PLAYBOOK, "--inventory", place / "inventory.yml", "--limit", "kahn_moves", "--forks", "5", act)
    environment = {"ANSIBLE_CONFIG": str(config), "HOME": str(place), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    sockets = Path(json.loads((place / "manifest.json").read_text())["sockets"])
    sockets.mkdir()
    done = subprocess.run(words, env=environment, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    end_connections(order.run.id, sockets=str(sockets))
    shutil.rmtree(sockets, ignore_errors=True)


def main(words: Sequence[str]) -> int:
    """Measure in turns and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m bench.overhead", description=__doc__)
    parser.add_argument("--hosts", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args(words)
    if why_no_server():
        print(f"not possible here: {why_no_server()}")
        return 1
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    place = Path(tempfile.mkdtemp(prefix="kahn-overhead-"))
    with_kahn, alone = list[Cost](), list[Cost]()
    server = start_server(place)
    field = Field(state=place / "state", server=server)
    tasks = "".join(f"- name: task {number}\n  ansible.builtin.command: 'true'\n" for number in range(asked.tasks))
    try:
        for _ in range(asked.times):
            order = field.order(tasks, assets=tuple(f"pc-{number}" for number in range(asked.hosts)), seconds=600)
            with_kahn.append(cost_of(lambda order=order: by_kahn(field, order)))  # type: ignore[misc]
            alone.append(cost_of(lambda order=order: bare(field, order)))  # type: ignore[misc]
    finally:
        field.leave()
        server.stop()
        shutil.rmtree(place, ignore_errors=True)
    ours, theirs = (
        Cost(wall_s=statistics.median(one.wall_s for one in costs), cpu_s=statistics.median(one.cpu_s for one in costs))
        for costs in (with_kahn, alone)
    )
    print(f"{asked.hosts} hosts, {asked.tasks} tasks, {asked.times} times each, medians")
    print(f"bare ansible-playbook: {theirs.wall_s:6.2f} s, {theirs.cpu_s:6.2f} s of CPU")
    print(f"as a run of Kahn's:    {ours.wall_s:6.2f} s, {ours.cpu_s:6.2f} s of CPU")
    more = ours.cpu_s - theirs.cpu_s
    print(f"more: {ours.wall_s - theirs.wall_s:.2f} s and {more:.2f} s of CPU a run ({more / theirs.cpu_s:.1%})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

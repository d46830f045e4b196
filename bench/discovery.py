"""Discovery against ``ansible -m setup``: the same machines, the same parallelism, one after the other in one run.

    kahn lab up --tenant wien --prefix dsc --count 20 --disk-mib 32   # says how to import the hosts and reach them
    kahn lab exec -- python -m bench.discovery --at-once 20 'dsc-*'

KAHN_HOME and KAHN_TENANT say where the machines are listed. Both sides gather only: what Kahn then compares and what
Ansible prints is left out. Starting the programs is left out for Kahn (the bench itself) and part of Ansible's time,
which is printed apart.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from orchestrator.actions.discover import ask
from orchestrator.actions.scan_keys import select_machines
from orchestrator.settings import read_settings
from orchestrator.wiring import INVENTORY_PLUGINS, open_world, read_facts


def main() -> None:
    """Print what was measured."""
    given = argparse.ArgumentParser()
    given.add_argument("words", nargs="+")
    given.add_argument("--at-once", type=int, default=20)
    wanted = given.parse_args()
    settings = read_settings(None)
    with open_world(settings).store.reading() as books:
        snapshot = books.assets.snapshot(settings.tenant)  # type: ignore[arg-type]
        profiles = {one.name: one for one in books.tenants.access(settings.tenant)}  # type: ignore[arg-type]
    machines = select_machines(snapshot, wanted.words)
    began = time.monotonic()
    answers = ask(
        machines, profiles=profiles, read=lambda doors: read_facts(doors, at_once=wanted.at_once, credentials={})
    )
    ours_s = time.monotonic() - began
    answered = sum(1 for _asset, answer in answers if answer.trouble is None)
    names = [asset.name for asset in machines]
    empty_s, _reached = _ansible(names, "ping", wanted.at_once, hosts="nobody")
    theirs_s, reached = _ansible(names, "setup", wanted.at_once)
    print(f"kahn           {answered:4} of {len(names)} machines  {ours_s:7.2f} s")
    print(f"ansible setup  {reached:4} of {len(names)} machines  {theirs_s:7.2f} s  {theirs_s / ours_s:5.1f} x")
    print(f"of which starting ansible and reading the inventory  {empty_s:7.2f} s")


def _ansible(names: list[str], module: str, forks: int, hosts: str = "") -> tuple[float, int]:
    """Seconds and how many machines answered."""
    beside = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "kahn.yml"
        source.write_text(f"plugin: kahn\ncommand: {beside / 'kahn'}\n")
        words = [beside / "ansible", "-i", source, hosts or ",".join(names), "-f", str(forks), "-m", module]
        began = time.monotonic()
        done = subprocess.run(
            [str(word) for word in words],
            env={"ANSIBLE_INVENTORY_PLUGINS": str(INVENTORY_PLUGINS), **os.environ},
            capture_output=True,
            text=True,
        )
        return time.monotonic() - began, done.stdout.count(" | SUCCESS")


if __name__ == "__main__":
    main()

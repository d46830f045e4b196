"""Powering hosts on and off from outside."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from orchestrator.lab.errors import LabHostNotReady
from orchestrator.lab.host import Host
from orchestrator.lab.kernel import MOST_S, locked_directory, run
from orchestrator.lab.network import unplug

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
READY_WAIT_S = 180


def own_program(module: str, *words: str) -> tuple[str, ...]:
    """The argv of one of the lab's own small programs; ``down`` recognises them by it."""
    return ("env", f"PYTHONPATH={PACKAGE_ROOT}", sys.executable, "-m", f"orchestrator.lab.{module}", *words)


def power_on(hosts: Sequence[Host], *, wait_s: float = READY_WAIT_S) -> None:
    """Boots hosts of one tenant and waits for their ssh (0: not at all). Raises LabHostNotReady, LabToolFailed."""
    if not hosts:
        return
    names = [host.name for host in hosts]
    said = run(*own_program("boot", str(hosts[0].lab), hosts[0].tenant, str(wait_s), *names))
    silent = set(json.loads(said))
    for host in hosts:
        if host.name in silent:
            raise LabHostNotReady(name=host.name, seconds=int(wait_s), console=console(host)[-400:])


def power_off(host: Host) -> None:
    """Pulls the plug: every process of the host dies at once."""
    pid = host.pid
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        wait_off(host, seconds=MOST_S)
    silence_if_off(host)


def shut_down(host: Host) -> None:
    """Clean stop, then off."""
    pid = host.pid
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGRTMIN + 4 if host.init == "systemd" else signal.SIGTERM)
        wait_off(host, seconds=MOST_S)
    power_off(host)


def silence_if_off(host: Host) -> None:
    """Takes the signal off the cables of a host that is off; without it the kernel would still answer for it."""
    with locked_directory(host.directory, create=False):
        if not host.running:
            unplug(host)


def wait_off(host: Host, *, seconds: float) -> bool:
    """Whether the host went off in time."""
    until = time.monotonic() + seconds
    while host.running and time.monotonic() < until:
        time.sleep(0.02)
    return not host.running


def console(host: Host) -> str:
    """What the host wrote to its console."""
    path = host.directory / "console.log"
    return path.read_text(errors="replace").strip() if path.exists() else ""

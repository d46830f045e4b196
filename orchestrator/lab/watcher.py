"""One tenant's caretaker: wakes hosts named by magic packets, and unplugs those that switched themselves off.

Runs as ``python -m orchestrator.lab.watcher DIRECTORY TENANT NUMBER`` and ends by itself when the lab's record is gone.
"""

from __future__ import annotations

import os
import re
import select
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from inventory.errors import ExpectedError
from orchestrator.lab import kernel
from orchestrator.lab.background import detach
from orchestrator.lab.boot import boot
from orchestrator.lab.host import hosts_of
from orchestrator.lab.names import WAKE_PORT, LabNames
from orchestrator.lab.power import silence_if_off

LOOK_UP_EVERY_S = 2.0


def woken_macs(packet: bytes) -> tuple[str, ...]:
    """MAC addresses a magic packet names: six bytes FF, then the address sixteen times."""
    found = re.findall(rb"\xff{6}(?=(.{6})\1{15})", packet, re.DOTALL)
    return tuple(mac.hex(":") for mac in found)


class _Watch:
    """Descriptors of the first processes of all running hosts (by host name), and the tenant they belong to."""

    def __init__(self, lab: Path, tenant: str) -> None:
        self.lab, self.tenant = lab, tenant
        self.living: dict[str, tuple[int, int]] = {}

    def look(self) -> None:
        """Notices hosts that were started and unplugs those that have ended."""
        for host in hosts_of(self.lab, self.tenant):
            pid = host.pid
            known_pid, fd = self.living.get(host.name, (0, -1))
            if known_pid and known_pid != pid:
                os.close(fd)
                del self.living[host.name]
                silence_if_off(host)
            if pid and known_pid != pid:
                with suppress(ProcessLookupError):
                    self.living[host.name] = (pid, os.pidfd_open(pid))

    def wake(self, macs: Sequence[str]) -> None:
        """Powers on the hosts of these addresses; one that runs already stays as it is."""
        for host in hosts_of(self.lab, self.tenant):
            if host.mac in macs:
                boot(host)

    def serve(self, inbox: socket.socket) -> None:
        """Until the lab's record disappears."""
        while (self.lab / "lab.json").exists():
            with suppress(OSError, ExpectedError):
                self.look()
                waiting = select.poll()
                for fd in (inbox.fileno(), *(fd for _, fd in self.living.values())):
                    waiting.register(fd, select.POLLIN)
                ready = waiting.poll(LOOK_UP_EVERY_S * 1000)
                if any(fd == inbox.fileno() for fd, _ in ready):
                    self.wake(woken_macs(inbox.recv(4096)))


def main(words: Sequence[str]) -> int:
    """Binds, detaches, serves."""
    lab, tenant, number = Path(words[0]), words[1], int(words[2])
    kernel.enter_network(kernel.NETNS_DIRECTORY / LabNames(directory=lab).lan(number))
    inbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inbox.bind(("", WAKE_PORT))
    detach(lab / "tenants" / tenant / "watcher.pid")
    _Watch(lab, tenant).serve(inbox)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A slow line in user space: carries each frame between LAN and host some milliseconds late.

Runs as ``python -m orchestrator.lab.delay DIRECTORY TENANT HOST MILLISECONDS``: two TAP devices replace the cable.
"""

from __future__ import annotations

import collections
import fcntl
import os
import select
import struct
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from orchestrator.lab import kernel
from orchestrator.lab.background import detach
from orchestrator.lab.host import Host, load_host

_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x2, 0x1000


def _open_tap(network: str, name: str) -> int:
    kernel.enter_network(kernel.NETNS_DIRECTORY / network)
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return fd


def _replace_cable(host: Host) -> tuple[int, int]:
    """(LAN side, host side) of the new line."""
    names, near_name = host.names, host.names.delay_port(host.number)
    lan = names.lan(host.tenant_number)
    near, far = _open_tap(lan, near_name), _open_tap(host.network, "wan0")
    kernel.ip_batch((f"link set {near_name} master {names.bridge} up",), network=lan)
    kernel.ip_batch(
        (
            f"addr del {host.address}/16 dev eth0",
            "link set eth0 down",
            f"link set wan0 address {host.mac}",
            f"addr add {host.address}/16 dev wan0",
            "link set wan0 up",
        ),
        network=host.network,
    )
    return near, far


def _carry(near: int, far: int, delay_s: float) -> None:
    """Carries frames for ever, in order."""
    waiting: collections.deque[tuple[float, int, bytes]] = collections.deque()
    while True:
        rest = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for fd in select.select([near, far], [], [], rest)[0]:
            with suppress(BlockingIOError):
                while True:
                    waiting.append((time.monotonic() + delay_s, far if fd == near else near, os.read(fd, 65536)))
        while waiting and waiting[0][0] <= time.monotonic():
            _, way, frame = waiting.popleft()
            with suppress(OSError):
                os.write(way, frame)


def main(words: Sequence[str]) -> int:
    """Replaces the cable, detaches, carries."""
    host = load_host(lab=Path(words[0]), tenant=words[1], name=words[2])
    if host is None:
        return 1
    near, far = _replace_cable(host)
    detach(host.directory / "delay.pid")
    _carry(near, far, float(words[3]) / 1000)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The slow line: every frame comes late, both ways, and the old cable returns."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.host import Host, HostSpec
from orchestrator.lab.lab import Lab
from tests.waiting import until

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def tenant(lab: Lab) -> Lab:
    lab.up(tenant="weit", specs=(HostSpec(name="apc-0001", disk_mib=16),))
    return lab


def test_a_delayed_line_holds_every_frame_back_until_healed(tenant: Lab) -> None:
    host = tenant.host("apc-0001", tenant="weit")
    until(lambda: 0 <= _connect_s(tenant, host) < 0.15)
    tenant.fault(host, "delay", "100")
    until(lambda: _connect_s(tenant, host) >= 0.2)
    pid = int((host.directory / "delay.pid").read_text())
    tenant.fault(host, "heal")
    until(lambda: 0 <= _connect_s(tenant, host) < 0.15)
    assert not _still_carries(pid)


def test_a_delayed_line_can_be_cut_as_well(tenant: Lab) -> None:
    host = tenant.host("apc-0001", tenant="weit")
    tenant.fault(host, "delay", "10")
    tenant.fault(host, "cut")
    assert _connect_s(tenant, host) == -1
    tenant.fault(host, "heal")
    until(lambda: _connect_s(tenant, host) >= 0)


def _still_carries(pid: int) -> bool:
    place = Path(f"/proc/{pid}/cmdline")
    return place.exists() and b"orchestrator.lab.delay" in place.read_bytes()


def _connect_s(tenant: Lab, host: Host) -> float:
    """Seconds a neighbour needs to connect; -1 for no answer at all."""
    code = """
import socket, sys, time
began = time.monotonic()
try:
    socket.create_connection((sys.argv[1], 22), timeout=0.7)
    print(time.monotonic() - began)
except OSError:
    print(-1)
"""
    return float(tenant.host("jump", tenant="weit").run("python3", "-c", code, host.address))

"""Cables: who reaches whom, and that nothing leads out."""

from __future__ import annotations

import socket
import subprocess

import pytest

from orchestrator.lab.errors import LabToolFailed
from orchestrator.lab.host import HostSpec
from orchestrator.lab.lab import Lab

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def twins(lab: Lab) -> Lab:
    """Two tenants with equal host names and addresses."""
    for tenant in ("kabel-a", "kabel-b"):
        lab.up(tenant=tenant, specs=(HostSpec(name="apc-0001", disk_mib=16),))
    return lab


def test_a_host_is_reachable_only_through_its_jump_host(twins: Lab) -> None:
    with twins.controller(), pytest.raises(OSError, match="unreachable"):
        socket.create_connection((twins.host("apc-0001", tenant="kabel-a").address, 22), timeout=1)


def test_jump_hosts_of_two_tenants_do_not_see_each_other(twins: Lab) -> None:
    north, south = (twins.host("jump", tenant=tenant) for tenant in ("kabel-a", "kabel-b"))
    code = f"import socket; socket.create_connection(('{south.control_address}', 22), timeout=0.5)"
    with pytest.raises(LabToolFailed, match=r"timed out|No route"):
        north.run("python3", "-c", code)


def test_nothing_in_the_lab_has_a_way_out(twins: Lab) -> None:
    routes = subprocess.run(twins.inside("ip", "route"), capture_output=True, text=True, check=True).stdout
    assert "default" not in routes
    assert "default" not in twins.host("jump", tenant="kabel-a").run("ip", "route")
    assert twins.host("jump", tenant="kabel-a").run("cat", "/proc/sys/net/ipv4/ip_forward") == "0\n"

"""Hosts switch themselves off cleanly and are woken by a magic packet from their own LAN."""

from __future__ import annotations

import time

import pytest

from orchestrator.lab.errors import LabToolFailed
from orchestrator.lab.host import Host, HostSpec
from orchestrator.lab.lab import Lab
from orchestrator.lab.power import power_on, wait_off
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.lab
WAKE = """
import socket, sys
packet = b"\\xff" * 6 + bytes.fromhex(sys.argv[1].replace(":", "")) * 16
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
out.sendto(packet, (sys.argv[2], int(sys.argv[3])))
"""


@pytest.fixture(scope="module")
def tenant(lab: Lab) -> Lab:
    specs = (HostSpec(name="apc-0001", disk_mib=16), HostSpec(name="dc-1", init="systemd", disk_mib=64, kind="server"))
    lab.up(tenant="strom", specs=specs)
    return lab


def wake(tenant: Lab, host: Host) -> None:
    access = tenant.access("strom")
    words = (WAKE, access.host(host.name).mac, access.wake_broadcast, str(access.wake_port))
    tenant.host("jump", tenant="strom").run("python3", "-c", *words)


def unanswered(tenant: Lab, host: Host) -> bool:
    """Whether a host that is off answers nothing, not even a refusal; its line goes dead a moment after it."""
    code = "import socket, sys; socket.create_connection((sys.argv[1], 22), timeout=0.5)"

    def silent() -> bool:
        with pytest.raises(LabToolFailed) as caught:
            tenant.host("jump", tenant="strom").run("python3", "-c", code, host.address)
        return "refused" not in str(caught.value)

    return bool(until(silent))


def wait_on(host: Host) -> bool:
    until(lambda: host.running)
    power_on((host,))
    return host.running


@pytest.mark.parametrize("command", [("poweroff",), ("shutdown", "-h", "now")])
def test_a_light_host_powers_off_after_the_session_ended_and_wakes_again(tenant: Lab, command: tuple[str, ...]) -> None:
    host = tenant.host("apc-0001", tenant="strom")
    (host.root / "root/work").write_text("kept")
    assert tenant.ssh("strom", "apc-0001", *command) == ""
    assert wait_off(host, seconds=PATIENCE_S)
    assert unanswered(tenant, host)
    wake(tenant, host)
    assert wait_on(host)
    assert tenant.ssh("strom", "apc-0001", "cat", "/root/work") == "kept"


def test_a_systemd_host_powers_off_and_wakes_again(tenant: Lab) -> None:
    host = tenant.host("dc-1", tenant="strom")
    host.run("systemctl", "poweroff")
    assert wait_off(host, seconds=PATIENCE_S)
    wake(tenant, host)
    assert wait_on(host)
    assert tenant.ssh("strom", "dc-1", "hostname") == "dc-1\n"


def test_a_running_host_ignores_its_magic_packet(tenant: Lab) -> None:
    host = tenant.host("apc-0001", tenant="strom")
    pid = host.pid
    wake(tenant, host)
    time.sleep(0.2)
    assert host.pid == pid


def test_a_light_host_says_that_it_cannot_restart_itself(tenant: Lab) -> None:
    for words in (("reboot",), ("shutdown", "-r", "now")):
        with pytest.raises(LabToolFailed, match="cannot restart itself"):
            tenant.ssh("strom", "apc-0001", *words)
    assert tenant.host("apc-0001", tenant="strom").running

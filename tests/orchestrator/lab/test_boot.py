"""Booting: a process tree, name and devices of one's own; sshd or a real systemd as PID 1; never twice."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from orchestrator.lab.errors import LabHostNotReady
from orchestrator.lab.host import HostSpec
from orchestrator.lab.lab import Lab
from orchestrator.lab.power import own_program, power_on

pytestmark = pytest.mark.lab


def test_a_real_systemd_host_comes_up(lab: Lab) -> None:
    lab.up(tenant="dienste", specs=(HostSpec(name="dc-1", init="systemd", kind="server"),))
    assert lab.ssh("dienste", "dc-1", "ps", "-o", "comm=", "-p", "1") == "systemd\n"
    assert lab.ssh("dienste", "dc-1", "systemctl", "is-active", "ssh") == "active\n"


def test_a_host_sees_only_its_own_processes_and_name(lab: Lab) -> None:
    host = lab.up(tenant="eigen", specs=(HostSpec(name="apc-0001", disk_mib=16),))[1]
    assert host.run("hostname") == "apc-0001\n"
    assert host.run("ps", "-o", "comm=", "-p", "1") == "sshd\n"
    assert len(host.run("ps", "-e", "-o", "pid=").split()) <= 5
    assert host.run("sh", "-c", "echo x > /dev/null; head -c 4 /dev/urandom | wc -c").strip() == "4"
    assert "/run/netns" not in host.run("cat", "/proc/self/mounts")


def test_booting_a_host_from_five_sides_starts_it_once(lab: Lab) -> None:
    host = lab.up(tenant="eigen", specs=(HostSpec(name="apc-0002", disk_mib=16),))[-1]
    lab.fault(host, "power-off")
    words = own_program("boot", str(lab.directory), "eigen", "0", host.name)
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: subprocess.run(words, check=True, capture_output=True), range(5)))
    assert len(done) == 5
    in_its_network = subprocess.run(("ip", "netns", "pids", host.network), check=True, capture_output=True, text=True)
    assert in_its_network.stdout.split() == [str(host.pid)]


def test_a_host_whose_ssh_does_not_start_is_named_with_its_console(lab: Lab) -> None:
    host = lab.up(tenant="eigen", specs=(HostSpec(name="apc-0003", disk_mib=16),))[-1]
    lab.fault(host, "power-off")
    good = (host.upper / "etc/ssh/sshd_config").read_text()
    (host.upper / "etc/ssh/sshd_config").write_text("Nonsense yes\n")
    with pytest.raises(LabHostNotReady, match="Nonsense"):
        power_on((host,))
    (host.upper / "etc/ssh/sshd_config").write_text(good)
    power_on((host,))
    assert host.running

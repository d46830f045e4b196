"""Every fault has its effect, seen from a neighbour in the LAN, and ``heal`` takes it back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.lab.errors import LabFaultUnknown, LabHostOff, LabToolFailed
from orchestrator.lab.faults import FAULTS
from orchestrator.lab.host import Host, HostSpec
from orchestrator.lab.lab import Lab
from orchestrator.lab.seed import seed_user_files
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.lab
KNOCK = """
import socket, sys
try:
    line = socket.create_connection((sys.argv[1], 22), timeout=float(sys.argv[2]))
except ConnectionRefusedError:
    sys.exit(print("refused"))
except OSError:
    sys.exit(print("nothing"))
try:
    print("ssh" if line.recv(4) == b"SSH-" else "strange")
except OSError:
    print("silent")
"""
COUNT = """
import socket, sys
inbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
inbox.bind(("", 5000)); inbox.setblocking(False)
got = 0
print("ready", flush=True)
sys.stdin.read()
try:
    while inbox.recv(100): got += 1
except BlockingIOError: print(got)
"""
SEND = """
import socket, sys, time
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(200): out.sendto(b"x", (sys.argv[1], 5000)); time.sleep(0.001)
"""
SWALLOW = """
import socket, time
inbox = socket.create_server(("", 5001)); print("ready", flush=True)
line, _ = inbox.accept(); began = time.monotonic()
while line.recv(65536): pass
print(time.monotonic() - began)
"""
PUSH = "import socket, sys; socket.create_connection((sys.argv[1], 5001), timeout=100).sendall(bytes(262144))"


@pytest.fixture(scope="module")
def tenant(lab: Lab) -> Lab:
    hosts = lab.up(tenant="pannen", specs=(HostSpec(name="apc-0001", disk_mib=16),))
    seed_user_files(hosts[1], seed=3, files=6)
    return lab


@pytest.fixture
def host(tenant: Lab) -> Iterator[Host]:
    found = tenant.host("apc-0001", tenant="pannen")
    yield found
    tenant.fault(found, "heal")
    assert knock(tenant, patience_s=PATIENCE_S) == "ssh"


def knock(tenant: Lab, *, patience_s: float = 0.7) -> str:
    """What a neighbour gets from the host's ssh port in that time: ssh, silent, refused or nothing."""
    target = tenant.host("apc-0001", tenant="pannen").address
    return tenant.host("jump", tenant="pannen").run("python3", "-c", KNOCK, target, str(patience_s)).strip()


def receive(tenant: Lab, host: Host, *, listen: str, send: str) -> float:
    """The figure a listening program on the host prints after a neighbour sent something; its input ends then."""
    words, pipe = host.inside("python3", "-c", listen), subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as listener:
        assert listener.stdin is not None and listener.stdout is not None
        assert listener.stdout.readline() == "ready\n"
        tenant.host("jump", tenant="pannen").run("python3", "-c", send, host.address)
        listener.stdin.close()
        return float(listener.stdout.read())


def test_power_off_silences_the_host_and_power_on_brings_its_files_back(tenant: Lab, host: Host) -> None:
    (host.root / "root/note").write_text("still here")
    tenant.fault(host, "power-off")
    assert knock(tenant) == "nothing"
    assert (host.root / "root/note").read_text() == "still here"
    tenant.fault(host, "power-on")
    assert host.run("cat", "/root/note") == "still here"


def test_shut_down_ends_the_host(tenant: Lab, host: Host) -> None:
    tenant.fault(host, "shut-down")
    assert not host.running


def test_cut_gives_no_answer_and_join_mends_it(tenant: Lab, host: Host) -> None:
    tenant.fault(host, "cut")
    assert knock(tenant) == "nothing"
    assert host.running
    tenant.fault(host, "join")
    assert knock(tenant, patience_s=PATIENCE_S) == "ssh"


def test_refuse_resets_connections(tenant: Lab, host: Host) -> None:
    tenant.fault(host, "refuse")
    assert knock(tenant, patience_s=PATIENCE_S) == "refused"


def test_hang_takes_connections_but_never_answers_until_thaw(tenant: Lab, host: Host) -> None:
    tenant.fault(host, "hang")
    assert knock(tenant) == "silent"
    tenant.fault(host, "thaw")
    assert knock(tenant, patience_s=PATIENCE_S) == "ssh"


def test_hang_without_the_freezer_says_so(tenant: Lab, host: Host) -> None:
    hide = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"', "sh")
    command = (sys.executable, "-m", "orchestrator.cli.lab", "fault", "--dir", str(tenant.directory))
    words = (*hide, *command, "--tenant", "pannen", host.name, "hang")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 7
    assert "LAB-002" in done.stderr
    assert knock(tenant, patience_s=PATIENCE_S) == "ssh"


def test_fill_leaves_no_byte_and_empty_gives_them_back(tenant: Lab, host: Host) -> None:
    tenant.fault(host, "fill")
    assert host.run("df", "--output=avail", "-B1", "/").split()[-1] == "0"
    with pytest.raises(LabToolFailed, match="No space left"):
        host.run("dd", "if=/dev/zero", "of=/root/more", "bs=1", "count=1", "status=none")
    tenant.fault(host, "empty")
    host.run("dd", "if=/dev/zero", "of=/root/more", "bs=1", "count=1", "status=none")


def test_rate_slows_the_line(tenant: Lab, host: Host) -> None:
    until(lambda: receive(tenant, host, listen=SWALLOW, send=PUSH) < 0.5)
    tenant.fault(host, "rate", "2mbit")
    assert receive(tenant, host, listen=SWALLOW, send=PUSH) > 0.7


def test_loss_drops_about_the_wished_share(tenant: Lab, host: Host) -> None:
    assert receive(tenant, host, listen=COUNT, send=SEND) == 200
    tenant.fault(host, "loss", "50")
    assert 60 <= receive(tenant, host, listen=COUNT, send=SEND) <= 140


def test_rekey_is_noticed_by_strict_host_keys_and_heal_restores_the_old_key(tenant: Lab, host: Host) -> None:
    tenant.fault(host, "rekey")
    with pytest.raises(LabToolFailed, match="Host key verification failed"):
        tenant.ssh("pannen", "apc-0001", "true")
    tenant.fault(host, "heal")
    assert tenant.ssh("pannen", "apc-0001", "hostname") == "apc-0001\n"


def test_restless_work_goes_on_until_healed(tenant: Lab, host: Host) -> None:
    tenant.fault(host, "restless")
    first = _home_bytes(host.root)
    until(lambda: _home_bytes(host.root) > first)
    owner = host.run("ps", "-o", "uid=", "-C", "sh").split()
    assert owner and all(int(uid) >= 1001 for uid in owner)
    tenant.fault(host, "heal")
    calm = _home_bytes(host.root)
    time.sleep(0.2)
    assert _home_bytes(host.root) == calm


def _home_bytes(root: Path) -> int:
    return sum(path.lstat().st_size for path in (root / "home").rglob("*"))


def test_an_unknown_fault_or_value_is_refused_with_what_is_known(tenant: Lab, host: Host) -> None:
    for kind, value in (("explode", ""), ("rate", "fast"), ("loss", "100"), ("delay", "-1"), ("rate", "1mbit; reboot")):
        with pytest.raises(LabFaultUnknown, match="LAB-008"):
            tenant.fault(host, kind, value)


def test_a_fault_that_needs_a_running_host_says_so(tenant: Lab, host: Host) -> None:
    tenant.fault(host, "power-off")
    for kind in ("hang", "restless"):
        with pytest.raises(LabHostOff):
            tenant.fault(host, kind)


def test_all_faults_at_once_are_healed(tenant: Lab, host: Host) -> None:
    for kind in ("fill", "refuse", "loss", "rate", "restless", "delay", "cut", "hang"):
        tenant.fault(host, kind)
    tenant.fault(host, "heal")
    assert tenant.ssh("pannen", "apc-0001", "hostname") == "apc-0001\n"
    assert "kahn" not in host.run("ip", "-o", "link")
    assert len(FAULTS) == 17
    assert replace(host) == host

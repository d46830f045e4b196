"""Real hosts: who reaches whom, and that tenants and labs stay apart although names and addresses are equal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.lab.errors import LabDirectoryTaken, LabHostUnknown, LabNotUp
from orchestrator.lab.host import HostSpec
from orchestrator.lab.lab import Lab, inventory_rows
from tests.labs import lab_or_skip

pytestmark = pytest.mark.lab
SPECS = (HostSpec(name="apc-0001", disk_mib=32),)


@pytest.fixture(scope="module")
def twins(lab: Lab) -> Lab:
    """Two tenants with equal host names and addresses."""
    lab.up(tenant="nord", specs=SPECS)
    lab.up(tenant="sued", specs=SPECS)
    return lab


@pytest.fixture
def other_lab(tmp_path: Path) -> Iterator[Lab]:
    made = lab_or_skip(tmp_path / "other")
    yield made
    made.down()


def test_ssh_through_the_jump_host_reaches_the_right_tenants_host(twins: Lab) -> None:
    for tenant in ("nord", "sued"):
        host = twins.host("apc-0001", tenant=tenant)
        machine_id = (host.root / "etc/machine-id").read_text()
        assert twins.ssh(tenant, "apc-0001", "cat", "/etc/machine-id") == machine_id
    north, south = (twins.host("apc-0001", tenant=tenant) for tenant in ("nord", "sued"))
    assert north.address == south.address
    assert (north.root / "etc/machine-id").read_text() != (south.root / "etc/machine-id").read_text()
    assert north.host_key != south.host_key
    assert north.mac != south.mac


def test_the_host_keys_of_one_tenant_do_not_open_the_other(twins: Lab) -> None:
    words = list(twins.access("nord").ssh_words("apc-0001", "true"))
    wrong = str(twins.access("sued").known_hosts_path)
    mixed = [word.replace(str(twins.access("nord").known_hosts_path), wrong) for word in words]
    done = subprocess.run(twins.inside(*mixed), capture_output=True, text=True, check=False)
    assert done.returncode == 255
    assert "Host key verification failed" in done.stderr or "host key is known" in done.stderr


def test_the_controller_returns_to_its_own_network(twins: Lab) -> None:
    before = Path("/proc/thread-self/ns/net").stat().st_ino
    with twins.controller():
        assert Path("/proc/thread-self/ns/net").stat().st_ino != before
    assert Path("/proc/thread-self/ns/net").stat().st_ino == before


def test_the_inventory_names_key_address_and_mac_of_every_machine(twins: Lab) -> None:
    rows = {row["name"]: row for row in inventory_rows(twins.access("nord"))["machines"]}
    host = twins.host("apc-0001", tenant="nord")
    public = (host.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text()
    assert public.startswith(rows["apc-0001"]["host_key"] + " ")
    assert rows["apc-0001"]["mac"] in host.run("ip", "link", "show", "eth0")
    assert rows["apc-0001"]["address"] in host.run("ip", "addr", "show", "eth0")
    assert rows["jump"]["role"] == "jump"


def test_up_again_adds_hosts_and_leaves_the_others_as_they_are(twins: Lab) -> None:
    before = twins.host("apc-0001", tenant="nord")
    pid = before.pid
    twins.up(tenant="nord", specs=(*SPECS, HostSpec(name="apc-0002", disk_mib=16)))
    assert twins.host("apc-0001", tenant="nord") == before
    assert before.pid == pid
    assert twins.ssh("nord", "apc-0002", "hostname") == "apc-0002\n"


def test_a_name_in_two_tenants_needs_the_tenant(twins: Lab) -> None:
    with pytest.raises(LabHostUnknown):
        twins.host("apc-0001")
    with pytest.raises(LabNotUp):
        twins.access("west")


def test_two_labs_stand_side_by_side(twins: Lab, other_lab: Lab) -> None:
    with ThreadPoolExecutor() as pool:
        ups = [pool.submit(each.up, tenant="nord", specs=SPECS) for each in (twins, other_lab)]
        assert all(up.result() for up in ups)
    mine, theirs = (each.ssh("nord", "apc-0001", "cat", "/etc/machine-id") for each in (twins, other_lab))
    assert mine != theirs
    other_lab.down()
    assert twins.ssh("nord", "apc-0001", "hostname") == "apc-0001\n"


def test_a_directory_with_other_files_is_not_taken(tmp_path: Path) -> None:
    lab_or_skip(tmp_path)
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(LabDirectoryTaken):
        Lab(tmp_path).up(tenant="nord")
    Lab(tmp_path).down()
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_the_command_runs_inside_the_controllers_network(twins: Lab) -> None:
    words = (sys.executable, "-m", "orchestrator.cli.lab", "exec", "--dir", str(twins.directory), "--", "ip", "addr")
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "10.76.0.1/16" in done.stdout

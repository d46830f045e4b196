"""Facts of Ansible, facter and ohai become one machine each, named as it calls itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inventory.model import AssetKind
from tests.inventory.builders import JINJA, codes, merged, nothing_known
from tests.inventory.sources.reading import only, part, read_json, said

GIB = 1024**3
ANSIBLE: dict[str, Any] = {
    "ansible_hostname": "app1",
    "ansible_fqdn": "app1.stadt.example",
    "ansible_architecture": "x86_64",
    "ansible_distribution": "Debian",
    "ansible_distribution_version": "9.13",
    "ansible_memtotal_mb": 4096,
    "ansible_processor_vcpus": 4,
    "ansible_product_serial": "NA",
    "ansible_product_uuid": "4c4c4544-0034-3010-8048-b6c04f503732",
    "ansible_system_vendor": "Dell Inc.",
    "ansible_form_factor": "Rack Mount Chassis",
    "ansible_interfaces": ["eth0", "docker0", "br-lan"],
    "ansible_eth0": {"macaddress": "00:50:56:aa:00:01"},
    "ansible_docker0": {"macaddress": "02:42:00:00:00:01"},
    "ansible_default_ipv4": {"address": "10.1.0.5", "macaddress": "00:50:56:aa:00:01"},
    "ansible_mounts": [
        {"mount": "/", "fstype": "ext4", "size_total": 10 * GIB, "size_available": 4 * GIB},
        {"mount": "/run", "fstype": "tmpfs", "size_total": GIB, "size_available": GIB},
    ],
    "ansible_date_time": {"date": "2024-05-06", "epoch": "1714979289"},
}
FACTER: dict[str, Any] = {
    "facterversion": "4.10.0",
    "is_virtual": True,
    "networking": {"fqdn": "foo.stadt.example", "ip": "10.1.0.6", "interfaces": {"eth0": {"mac": "00:50:56:aa:00:02"}}},
    "os": {"name": "Debian", "hardware": "x86_64", "release": {"full": "12.9"}, "distro": {"description": "Debian 12"}},
    "memory": {"system": {"total_bytes": 2 * GIB}},
    "processors": {"count": 2},
    "disks": {"sda": {"size_bytes": 100 * GIB}},
    "mountpoints": {"/": {"filesystem": "ext4", "size_bytes": 90 * GIB, "used_bytes": 10 * GIB}},
    "dmi": {"product": {"serial_number": "0", "uuid": "405f933a-6733-4e55-9eed-3f943a9c7379"}},
}


def test_ansible_facts_give_one_machine(tmp_path: Path) -> None:
    one = only(read_json(tmp_path, {"ansible_facts": ANSIBLE, "changed": False}, "ansible-facts"))
    assert (one.kind, one.name, one.values["fqdn"]) == (AssetKind.SERVER, "app1", "app1.stadt.example")
    assert part(one.values, "address", "mac", "os_name", "cpu_cores", "ram_mib", "serial", "disk_gib", "last_seen") == (
        "10.1.0.5", ("00:50:56:aa:00:01",), "Debian 9.13", 4, 4096, None, 10.0, "2024-05-06"
    )  # fmt: skip
    assert one.observed_us == 1_714_979_289_000_000
    assert one.values["disks"] == ("/ 10.0 GiB, 6.0 used",)


def test_a_fact_cache_without_its_frame_is_read_too(tmp_path: Path) -> None:
    assert only(read_json(tmp_path, ANSIBLE, "ansible-facts")).name == "app1"


def test_a_guest_is_a_virtual_machine_and_a_resolver_that_says_localhost_is_not_believed(tmp_path: Path) -> None:
    facts = ANSIBLE | {"ansible_virtualization_role": "guest", "ansible_fqdn": "localhost"}
    one = only(read_json(tmp_path, facts, "ansible-facts"))
    assert (one.kind, one.name, one.values.get("fqdn")) == (AssetKind.VM, "app1", None)


def test_a_windows_machine_lists_its_adapters_as_objects(tmp_path: Path) -> None:
    facts = {
        "ansible_hostname": "WIN1",
        "ansible_os_name": "Microsoft Windows Server 2016 Standard",
        "ansible_distribution_version": "10.0.14393.0",
        "ansible_totalmem": 8 * GIB,
        "ansible_ip_addresses": ["fe80::1", "10.1.0.7"],
        "ansible_interfaces": [{"interface_name": "Ethernet0", "macaddress": "00:50:56:AA:00:07"}],
    }
    values = said(read_json(tmp_path, facts, "ansible-facts"))
    assert part(values, "address", "mac", "ram_mib") == ("10.1.0.7", ("00:50:56:aa:00:07",), 8192)


def test_an_unreachable_machine_is_refused_with_that_reason(tmp_path: Path) -> None:
    reading = read_json(tmp_path, {"unreachable": True, "msg": "timed out"}, "ansible-facts")
    assert "did not reach" in reading.refusals[0].says


def test_facter_gives_one_machine(tmp_path: Path) -> None:
    one = only(read_json(tmp_path, FACTER, "facter"))
    assert (one.kind, one.name) == (AssetKind.VM, "foo")
    assert part(one.values, "address", "os_name", "ram_mib", "disk_gib", "disk_used_gib", "serial") == (
        "10.1.0.6", "Debian 12", 2048, 100.0, 10.0, None
    )  # fmt: skip


def test_machines_of_one_image_that_call_themselves_the_same_stay_two(tmp_path: Path) -> None:
    other = FACTER | {"dmi": {"product": {"uuid": "924c0772-c725-424a-8aca-62d6950bb85e"}}}
    found = [only(read_json(tmp_path, one, "facter")) for one in (FACTER, other)]
    assert len({one.source_id for one in found} - {""}) == 2
    assert len(merged(nothing_known(), *found).appeared) == 2


def test_ohai_gives_one_machine(tmp_path: Path) -> None:
    node = {
        "chef_packages": {}, "hostname": "srv9", "platform": "ubuntu", "platform_version": "18.04",
        "memory": {"total": "1048576kB"}, "cpu": {"total": 2}, "ipaddress": "10.1.0.9",
        "network": {"interfaces": {"eth0": {"addresses": {"00:50:56:AA:00:09": {"family": "lladdr"}}}}},
    }  # fmt: skip
    values = said(read_json(tmp_path, node, "ohai"))
    assert part(values, "ram_mib", "os_name", "mac") == (1024, "ubuntu 18.04", ("00:50:56:aa:00:09",))


@pytest.mark.parametrize(
    "facts", [{}, {"ansible_hostname": None}, {"ansible_hostname": JINJA}, {"ansible_hostname": []}]
)
def test_facts_without_a_usable_name_are_refused(tmp_path: Path, facts: dict[str, Any]) -> None:
    reading = read_json(tmp_path, {"ansible_facts": facts}, "ansible-facts")
    assert (reading.observations, len(codes(reading))) == ((), 1)


@pytest.mark.parametrize("key", sorted(ANSIBLE))
@pytest.mark.parametrize("odd", [None, [], {}, "x", 10**15, [[1]], True])
def test_a_fact_of_another_type_does_no_harm(tmp_path: Path, key: str, odd: object) -> None:
    reading = read_json(tmp_path, {"ansible_facts": ANSIBLE | {key: odd}}, "ansible-facts")
    assert len(reading.observations) + len(reading.refusals) == 1

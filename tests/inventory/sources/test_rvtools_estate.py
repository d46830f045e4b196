"""Hosts, clusters, datastores, load and health of an RVTools workbook."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.model import AssetKind, Value
from inventory.observation import Reading
from inventory.sources.rvtools import RvTools
from tests.inventory.builders import JINJA, merged, nothing_known
from tests.inventory.sources.workbooks import Sheets, a_workbook

INFO: Sheets = {
    "vInfo": [["VM", "Memory", "Host", "Cluster", "Datacenter", "Path"], ["srv", 1024, "esx-1", "c1", "RZ", "[ds1] a"]]
}


def read(folder: Path, sheets: Sheets) -> Reading:
    return RvTools().read(a_workbook(folder, {**INFO, **sheets}))


def of(reading: Reading, kind: AssetKind) -> dict[str, dict[str, Value]]:
    return {one.name: dict(one.values) for one in reading.observations if one.kind is kind}


@pytest.mark.parametrize(
    ("sheets", "finding"),
    [
        ({"vHealth": [["Name", "Message type", "Message"], ["srv", "Warning", "Zombie vmdk"]]}, "health: Zombie vmdk"),
        ({"vCPU": [["VM", "CPU ready %"], ["srv", "6,1"]]}, "waits 6.1 % of its time"),
        ({"vCPU": [["VM", "Reservation", "Limit"], ["srv", "2000", "-1"]]}, "processors reserved: 2000 MHz"),
        ({"vCPU": [["VM", "Limit"], ["srv", 1500]]}, "processors limited to 1500 MHz"),
        ({"vMemory": [["VM", "Ballooned", "Swapped"], ["srv", "100", "20"]]}, "120 MiB ballooned or swapped"),
        ({"vMemory": [["VM", "Size MiB", "Limit"], ["srv", 1024, 512]]}, "memory limited to 512 MiB"),
        ({"vMemory": [["VM", "Reservation"], ["srv", 1024]]}, "memory reserved: 1024 MiB"),
        ({"vDatastore": [["Name", "Capacity MiB", "In Use MiB"], ["DS1", 1000, 950]]}, "DS1 is 95 % full"),
        ({"vDatastore": [["Name", "Accessible"], ["ds1", "False"]]}, "ds1 cannot be reached"),
    ],
)
def test_what_stands_in_the_way_is_a_finding_of_the_machine(tmp_path: Path, sheets: Sheets, finding: str) -> None:
    found = of(read(tmp_path, sheets), AssetKind.VM)["srv"]["findings"]
    assert isinstance(found, tuple) and len(found) == 1 and finding in found[0]


@pytest.mark.parametrize(
    "sheets",
    [
        {"vCPU": [["VM", "CPU ready %", "Limit", "Reservation"], ["srv", "1,2", "0", "0"]]},
        {"vMemory": [["VM", "Size MiB", "Ballooned", "Limit"], ["srv", 1024, "0", "-1"]]},
        {"vMemory": [["VM", "Size MiB", "Limit"], ["srv", 1024, 2048]]},
        {"vDatastore": [["Name", "Capacity MiB", "In Use MiB"], ["ds1", 1000, 500], ["full", 10, 10]]},
        {"vHealth": [["Name", "Message"], ["other", "x"], ["srv", ""]]},
    ],
)
def test_what_is_as_it_should_be_is_none(tmp_path: Path, sheets: Sheets) -> None:
    assert "findings" not in of(read(tmp_path, sheets), AssetKind.VM)["srv"]


def test_a_host_is_a_server_with_its_hardware_cluster_and_datastores(tmp_path: Path) -> None:
    sheets: Sheets = {
        "vHost": [
            ["Host", "# Cores", "# Memory", "ESX Version", "Vendor", "Model", "Serial number", "in Maintenance Mode"],
            ["esx-1", "16", "262144", "VMware ESXi 6.7.0", "Dell Inc.", "R740", "None", "True"],
            ["", "1", "1", "", "", "", "", ""],
        ],
        "vCluster": [["Name", "NumHosts", "HA enabled"], ["C1", "2", "True"]],
        "vDatastore": [["Name", "Capacity MiB", "In Use MiB", "Hosts"], ["ds1", 2048, 1024, "esx-1, esx-2"]],
        "vHealth": [["Name", "Message"], ["ESX-1", "NTP is off"]],
    }
    assert of(read(tmp_path, sheets), AssetKind.SERVER) == {
        "esx-1": {
            "site": "RZ", "cluster": "c1", "vendor": "Dell Inc.", "model": "R740", "os_name": "VMware ESXi 6.7.0",
            "cpu_cores": 16, "ram_mib": 262144, "disks": ("datastore ds1 2.0 GiB, 1.0 used",),
            "findings": ("vCenter's health: NTP is off",),
            "tags": ("cluster HA=True", "cluster hosts=2", "maintenance mode=True", "role=hypervisor"),
        }
    }  # fmt: skip


def test_a_machine_says_where_its_disks_lie_and_what_memory_it_uses(tmp_path: Path) -> None:
    sheets: Sheets = {
        "vDisk": [["VM", "Disk", "Disk Path"], ["srv", "1", "[ds2] srv/srv.vmdk"]],
        "vDatastore": [["Name"], ["ds1"], ["ds2"], ["ds3"]],
        "vMemory": [["VM", "Active"], ["srv", "4096"]],
    }
    assert of(read(tmp_path, sheets), AssetKind.VM)["srv"]["tags"] == (
        "datastore=ds1", "datastore=ds2", "memory active=4096 MiB"
    )  # fmt: skip


def test_hosts_are_taken_with_their_machines_and_a_hostile_one_is_refused_alone(tmp_path: Path) -> None:
    reading = read(tmp_path, {"vHost": [["Host", "Model"], ["esx-1", JINJA], [JINJA, "x"]]})
    changes = merged(nothing_known(), *reading.observations)
    assert {(str(one.asset.kind), one.asset.name) for one in changes.appeared} == {
        ("site", "RZ"), ("vm", "srv"), ("server", "esx-1")
    }  # fmt: skip
    assert [one.code for one in reading.refusals] == ["INV-001"]

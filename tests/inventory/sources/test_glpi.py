"""GLPI's inventories, whole and partial, JSON and XML, say the same of a machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inventory.model import AssetKind
from inventory.sources.limits import BrokenFile
from tests.inventory.builders import knowing, merged
from tests.inventory.builders import said as claim
from tests.inventory.sources.reading import only, part, read_json, read_text

CONTENT: dict[str, Any] = {
    "versionclient": "GLPI-Agent_v1.7",
    "hardware": {"name": "apc-0417", "chassis_type": "Laptop", "memory": 7800, "lastloggeduser": "erika",
                 "uuid": "4c4c4544-0034-3010-8048-b6c04f503732", "vmsystem": "Physical"},
    "bios": {"ssn": "640HP72", "smanufacturer": "Dell Inc.", "smodel": "XPS 13", "assettag": "Not Specified"},
    "operatingsystem": {"full_name": "Windows 7 Professional", "version": "6.1.7601", "fqdn": "apc-0417.stadt.example"},
    "cpus": [{"core": 2}, {"core": 2}],
    "networks": [
        {"description": "Ethernet", "mac": "44:85:00:2b:90:bc", "ipaddress": "10.2.0.17", "virtualdev": False},
        {"description": "docker0", "mac": "02:42:00:00:00:01", "ipaddress": "172.17.0.1", "virtualdev": True},
    ],
    "drives": [
        {"letter": "C:", "total": 102400, "free": 51200, "filesystem": "NTFS",
         "encrypt_status": "Yes", "encrypt_name": "BitLocker"},
        {"letter": "D:", "total": 0, "free": 0, "type": "CD-ROM"},
    ],
    "storages": [{"disksize": 256060}],
    "softwares": [{"name": "7-Zip", "version": "19.00"}, {"name": "Word, Excel & Co"}],
    "users": [{"login": "erika"}],
    "virtualmachines": [{"name": "box", "uuid": "1"}],
    "remote_mgmt": [{"type": "teamviewer", "id": "123"}],
}  # fmt: skip
WHOLE: dict[str, Any] = {"deviceid": "apc-0417-2024-05-06-09-07-13", "itemtype": "Computer", "content": CONTENT}
XML = """<?xml version="1.0" encoding="UTF-8"?>
<REQUEST><CONTENT>
 <HARDWARE><NAME>mac-3</NAME><OSNAME>Mac OS X</OSNAME><LASTLOGGEDUSER>jo</LASTLOGGEDUSER></HARDWARE>
 <BIOS><SMANUFACTURER>Apple</SMANUFACTURER><SMODEL>MacBook5,1</SMODEL><SSN>W87051UGVUV</SSN></BIOS>
 <MEMORIES><CAPACITY>2000</CAPACITY></MEMORIES><MEMORIES><CAPACITY>2000</CAPACITY></MEMORIES>
 <NETWORKS><DESCRIPTION>lo0</DESCRIPTION><IPADDRESS>127.0.0.1</IPADDRESS><VIRTUALDEV>1</VIRTUALDEV></NETWORKS>
 <NETWORKS><DESCRIPTION>en0</DESCRIPTION><IPADDRESS>10.2.0.9</IPADDRESS><MACADDR>00:17:f2:d1:14:32</MACADDR></NETWORKS>
 <SOFTWARES><NAME>Aperçu</NAME><VERSION>5.0</VERSION></SOFTWARES>
</CONTENT><DEVICEID>mac-3-2016-09-07-09-28-29</DEVICEID><QUERY>INVENTORY</QUERY></REQUEST>"""


def test_a_whole_inventory_gives_one_notebook(tmp_path: Path) -> None:
    reading = read_json(tmp_path, WHOLE, "glpi-json")
    one = only(reading)
    assert (one.kind, one.name, one.source_id) == (AssetKind.NOTEBOOK, "apc-0417", WHOLE["deviceid"])
    assert part(one.values, "address", "mac", "serial", "asset_tag", "cpu_cores", "disk_gib", "last_seen") == (
        "10.2.0.17", ("44:85:00:2b:90:bc",), "640HP72", None, 4, 250.059, "2024-05-06"
    )  # fmt: skip
    assert one.values["software"] == ("7-Zip 19.00", "Word, Excel & Co")
    assert one.values["findings"] == ("encrypted volume C: BitLocker", "remote access by teamviewer")
    assert "1 virtual machines" in reading.notes[0]


def test_persons_are_not_taken(tmp_path: Path) -> None:
    assert "erika" not in repr(read_json(tmp_path, WHOLE, "glpi-json"))


def test_a_partial_inventory_changes_only_what_it_holds(tmp_path: Path) -> None:
    known = knowing(claim("apc-0417", AssetKind.NOTEBOOK, serial="640HP72", software=("old 1",), ram_mib=7800))
    part_of = {
        "deviceid": WHOLE["deviceid"], "itemtype": "Computer", "partial": True,
        "content": {"versionclient": "x", "softwares": [{"name": "new", "version": "2"}]},
    }  # fmt: skip
    (changed,) = merged(known, *read_json(tmp_path, part_of, "glpi-json").observations).changed
    assert changed.asset.kind is AssetKind.NOTEBOOK
    assert part(changed.asset.values, "serial", "ram_mib", "software") == ("640HP72", 7800, ("new 2",))


@pytest.mark.parametrize(
    ("item", "kind"),
    [("Printer", AssetKind.PRINTER), ("NetworkEquipment", AssetKind.NETWORK), ("Phone", AssetKind.PHONE)],
)
def test_a_device_of_the_network_scan_is_taken_by_its_type(tmp_path: Path, item: str, kind: AssetKind) -> None:
    device = {"name": "dev-1", "serial": "PHC", "mac": "00:68:eb:f2:be:10", "ips": ["10.3.0.1"]}
    document = {"deviceid": "x", "itemtype": item, "content": {"versionclient": "1", "network_device": device}}
    one = only(read_json(tmp_path, document, "glpi-json"))
    assert (one.kind, one.name, one.values["address"]) == (kind, "dev-1", "10.3.0.1")


def test_an_unmanaged_device_is_refused(tmp_path: Path) -> None:
    reading = read_json(tmp_path, WHOLE | {"itemtype": "Unmanaged"}, "glpi-json")
    assert (reading.observations, len(reading.refusals)) == ((), 1)


def test_the_older_xml_gives_the_same_kind_of_record(tmp_path: Path) -> None:
    one = only(read_text(tmp_path, XML, "glpi-xml"))
    assert (one.kind, one.name) == (AssetKind.NOTEBOOK, "mac-3")
    assert part(one.values, "ram_mib", "address", "mac", "serial", "software", "last_seen") == (
        4000, "10.2.0.9", ("00:17:f2:d1:14:32",), "W87051UGVUV", ("Aperçu 5.0",), "2016-09-07"
    )  # fmt: skip


def test_another_message_of_the_agent_is_no_inventory(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match="PROLOG"):
        read_text(tmp_path, XML.replace("INVENTORY", "PROLOG"), "glpi-xml")


@pytest.mark.parametrize("key", sorted(CONTENT))
@pytest.mark.parametrize("odd", [None, [], {}, "x", [None], [[1]], 7])
def test_a_section_of_another_type_does_no_harm(tmp_path: Path, key: str, odd: object) -> None:
    reading = read_json(tmp_path, WHOLE | {"content": CONTENT | {key: odd}}, "glpi-json")
    assert len(reading.observations) == 1


def test_databases_are_told_by_system_and_name(tmp_path: Path) -> None:
    server = {"type": "postgresql", "name": "PostgreSQL", "version": "14", "port": 5432}
    odd = [{"name": "ewo"}, {"name": "a b"}, {"name": "x@y"}, {"name": ""}, "no object"]
    content = {**CONTENT, "databases_services": [{**server, "databases": odd}, {"name": "MySQL"}]}
    one = only(read_json(tmp_path, {**WHOLE, "content": content}, "glpi-json"))
    assert one.values["databases"] == ("postgresql a_b", "postgresql ewo")
    assert one.values["services"] == ("MySQL", "tcp/5432 PostgreSQL 14")

"""opsi's hosts, hardware and products become one machine per host; its secrets stay out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inventory.model import AssetKind
from tests.inventory.builders import knowing, merged, nothing_known
from tests.inventory.builders import said as claim
from tests.inventory.sources.reading import only, part, read_json

HOST = "apc-0417.stadt.example"
CLIENT: dict[str, Any] = {
    "type": "OpsiClient", "id": HOST, "description": "Bürgeramt 1.12", "notes": "",
    "hardwareAddress": "00:50:56:aa:00:01",
    "ipAddress": "10.2.0.17", "inventoryNumber": "INV-17", "systemUUID": None, "lastSeen": "2024-05-06 07:08:09",
    "opsiHostKey": "0123456789abcdef0123456789abcdef", "oneTimePassword": "geheim",
}  # fmt: skip
HARDWARE: list[dict[str, Any]] = [
    {"hardwareClass": "COMPUTER_SYSTEM", "vendor": "FUJITSU", "model": "ESPRIMO P758", "serialNumber": "YM1"},
    {"hardwareClass": "CHASSIS", "chassisType": "Desktop"},
    {"hardwareClass": "MEMORY_MODULE", "capacity": 4294967296},
    {"hardwareClass": "MEMORY_MODULE", "capacity": 4294967296},
    {"hardwareClass": "PROCESSOR", "numberOfCores": 4},
    {"hardwareClass": "HARDDISK_DRIVE", "size": 107374182400},
    {"hardwareClass": "DISK_PARTITION", "driveLetter": "C:", "size": 107374182400, "freeSpace": 53687091200},
    {"hardwareClass": "NETWORK_CONTROLLER", "name": "Intel I219", "macAddress": "00:50:56:AA:00:01"},
    {"hardwareClass": "NETWORK_CONTROLLER", "name": "WAN Miniport (IP)", "macAddress": "42:18:21:21:21:21"},
    {"hardwareClass": "HARDDISK_DRIVE", "size": 999, "state": 0},
]
PRODUCTS: list[dict[str, Any]] = [
    {"productId": "firefox", "clientId": HOST, "installationStatus": "installed",
     "productVersion": "115", "packageVersion": "1"},
    {"productId": "acrobat", "clientId": HOST, "installationStatus": "unknown", "actionResult": "failed"},
    {"productId": "old", "clientId": HOST, "installationStatus": "not_installed"},
]  # fmt: skip


def audit(host: str = HOST) -> list[dict[str, Any]]:
    return [{"type": "AuditHardwareOnHost", "hostId": host, "state": 1, **one} for one in HARDWARE]


def test_hosts_hardware_and_products_in_one_list_are_one_machine(tmp_path: Path) -> None:
    one = only(read_json(tmp_path, [CLIENT, *audit(), *PRODUCTS], "opsi"))
    assert (one.kind, one.name, one.values["fqdn"]) == (AssetKind.WORKSTATION, "apc-0417", HOST)
    assert part(one.values, "asset_tag", "last_seen", "ram_mib", "cpu_cores", "disk_gib", "disk_used_gib", "mac") == (
        "INV-17", "2024-05-06", 8192, 4, 100.0, 50.0, ("00:50:56:aa:00:01",)
    )  # fmt: skip
    assert one.values["software"] == ("firefox 115-1",)
    assert one.values["findings"] == ("opsi: the last action on acrobat failed",)


def test_each_of_the_three_answers_is_a_source_of_its_own(tmp_path: Path) -> None:
    found = [read_json(tmp_path, some, "opsi") for some in ([CLIENT], audit(), PRODUCTS, [*audit(), *PRODUCTS])]
    assert [one.source for one in found] == ["opsi", "opsi-hardware", "opsi-products", "opsi"]
    changes = merged(nothing_known(), *(one for reading in found[:3] for one in reading.observations))
    assert (len(changes.appeared), changes.refusals) == (1, ())
    assert part(changes.appeared[0].asset.values, "asset_tag", "ram_mib", "software") == (
        "INV-17", 8192, ("firefox 115-1",)
    )  # fmt: skip


def test_keys_and_passwords_never_leave_the_file(tmp_path: Path) -> None:
    bad = CLIENT | {"id": "{{ x }}"}
    reading = read_json(tmp_path, {"jsonrpc": "2.0", "id": 1, "result": [CLIENT, bad]}, "opsi")
    assert len(reading.observations) == len(reading.refusals) == 1
    assert "0123456789abcdef" not in repr(reading) and "geheim" not in repr(reading)


def test_products_alone_do_not_make_a_server_a_workstation(tmp_path: Path) -> None:
    known = knowing(claim("apc-0417", AssetKind.VM, ram_mib=1024))
    (changed,) = merged(known, *read_json(tmp_path, PRODUCTS, "opsi").observations).changed
    assert (changed.asset.kind, changed.asset.values["ram_mib"]) == (AssetKind.VM, 1024)


def test_a_host_that_is_no_host_name_is_refused_once(tmp_path: Path) -> None:
    reading = read_json(tmp_path, audit("{{host_id}}"), "opsi")
    assert (reading.observations, [one.row for one in reading.refusals]) == ((), [("{{host_id}}",)])


def test_a_depot_is_a_server(tmp_path: Path) -> None:
    depot = CLIENT | {"type": "OpsiDepotserver", "id": "depot.stadt.example"}
    assert only(read_json(tmp_path, [depot], "opsi")).kind is AssetKind.SERVER

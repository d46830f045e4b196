"""What stands in the way of moving a virtual machine is found in whichever sheet says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.model import Value
from inventory.sources.rvtools import RvTools
from inventory.sources.rvtools_parts import address_of, fqdn_of
from tests.inventory.sources.workbooks import Sheets, a_workbook


def values(folder: Path, sheets: Sheets) -> dict[str, Value]:
    info: Sheets = {"vInfo": [["VM", "Memory", "Firmware", "Network #1"], ["srv", 1024, "efi", "VLAN 7"]]}
    (one,) = RvTools().read(a_workbook(folder, {**info, **sheets})).observations
    return dict(one.values)


@pytest.mark.parametrize(
    ("sheets", "finding"),
    [
        ({"vDisk": [["VM", "Disk", "Raw"], ["srv", "Hard disk 2", "True"]]}, "raw device"),
        (
            {"vDisk": [["VM", "Disk", "Sharing mode"], ["srv", "Hard disk 2", "sharingMultiWriter"]]},
            "move them together",
        ),
        ({"vDisk": [["VM", "Disk", "Disk Mode"], ["srv", "d", "independent_persistent"]]}, "independent"),
        (
            {"vSnapshot": [["VM", "Snapshot", "Date / time"], ["srv", "vor Update", "2019-01-02"]]},
            "snapshot vor Update",
        ),
        ({"vCD": [["VM", "Connected"], ["srv", True]]}, "CD drive connected"),
        ({"vUSB": [["VM", "Connected"], ["srv", "True"]]}, "USB device connected"),
        ({"vNetwork": [["VM", "Direct Path IO"], ["srv", "True"]]}, "passed through"),
        ({"vTools": [["VM", "Tools"], ["srv", "toolsNotInstalled"]]}, "not installed"),
    ],
)
def test_each_hindrance_is_a_finding(tmp_path: Path, sheets: Sheets, finding: str) -> None:
    findings = values(tmp_path, sheets)["findings"]
    assert isinstance(findings, tuple) and len(findings) == 1 and finding in findings[0]


def test_a_machine_without_hindrance_has_no_findings(tmp_path: Path) -> None:
    quiet: Sheets = {
        "vCD": [["VM", "Connected"], ["srv", False]],
        "vTools": [["VM", "Tools"], ["srv", "toolsOk"]],
        "vDisk": [["VM", "Disk", "Sharing mode", "Raw"], ["srv", "d", "sharingNone", "False"]],
    }
    assert "findings" not in values(tmp_path, quiet)


def test_networks_firmware_and_own_attributes_are_kept(tmp_path: Path) -> None:
    found = values(tmp_path, {"vNetwork": [["VM", "Network"], ["srv", "VLAN 8"]]})
    assert (found["networks"], found["firmware"]) == (("VLAN 7", "VLAN 8"), "efi")
    info = [["VM", "Annotation", "Kostenstelle", "Datacenter", "Host"], ["srv", "x", "4711", "RZ", "esx"]]
    *_site, one = RvTools().read(a_workbook(tmp_path, {"vInfo": info})).observations
    assert one.values["tags"] == ("Kostenstelle=4711",)


def test_hostile_texts_of_parts_are_left_out(tmp_path: Path) -> None:
    found = values(tmp_path, {"vNetwork": [["VM", "Network"], ["srv", "a\u202eb"], ["srv", "x\u200by"]]})
    assert found["networks"] == ("VLAN 7",)


def test_the_first_reachable_address_counts() -> None:
    assert address_of(["169.254.1.1", "127.0.0.1, 10.0.0.1"]) == "10.0.0.1"
    assert (address_of(["kein"]), fqdn_of("localhost.localdomain"), fqdn_of("a.b")) == ("kein", "", "a.b")

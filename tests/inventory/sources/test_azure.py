"""Azure Migrate's template and report give machines with their sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.model import AssetKind
from inventory.sources import read_file, recognise
from inventory.sources.limits import BrokenFile
from tests.inventory.builders import codes
from tests.inventory.sources.reading import only, part, read_text
from tests.inventory.sources.workbooks import a_workbook

TEMPLATE = (
    "*Server Name,IP addresses,*Cores,*Memory (In MB),*OS name,OS version,OS architecture,Server type,Hypervisor,"
    "Boot type,Number of disks,Disk 1 size (In GB),Disk 2 size (In GB),Storage in use (In GB)\n"
    "srv-1,10.0.0.1;10.0.0.2,4,8192,Windows Server 2008,R2,x64,Virtual,vmware,UEFI,2,100,50.5,70\n"
    ",,1,1,Windows XP,,,,,,,,,\n"
)
REPORT = ["Machine Name", "Operating System", "Cores", "Memory (in MB)", "IP Addresses", "MAC Addresses", "Boot Type",
          "Power Stats", "Last Updated Time", "Machine ID", "Is SQL Service Present"]  # fmt: skip
MACHINE = ["SQL1", "Microsoft Windows Server 2012 (64-bit)", 2, 4096, "[2404:f801::1,10.0.0.3];",
           "[00:50:56:8b:74:7a];",
           "BIOS", "OFF", "2023-08-25T12:48:17.0Z", "/subscriptions/1/vmwaresites/x/machines/1", True]  # fmt: skip


def test_a_server_of_the_template(tmp_path: Path) -> None:
    reading = read_text(tmp_path, TEMPLATE, "azure-migrate-csv")
    (one,) = reading.observations
    assert (one.kind, one.name) == (AssetKind.VM, "srv-1")
    assert part(one.values, "address", "ram_mib", "os_name", "firmware", "disk_gib", "disk_used_gib", "arch") == (
        "10.0.0.1", 8192, "Windows Server 2008 R2", "efi", 150.5, 70.0, "x64"
    )  # fmt: skip
    assert codes(reading) == ["INV-009"]


def test_memory_in_gb_and_another_order_of_columns_are_understood(tmp_path: Path) -> None:
    text = "*OS name,*Cores,*Memory (In GB),*Server name\nRHEL 7,2,16,srv-2\n"
    one = only(read_text(tmp_path, text, "azure-migrate-csv"))
    assert (one.kind, one.values["ram_mib"]) == (AssetKind.SERVER, 16384)


def test_a_machine_of_the_report(tmp_path: Path) -> None:
    path = a_workbook(
        tmp_path, {"Properties": [["Tenant ID"], ["x"]], "Discovery_Report": [REPORT, MACHINE, ["", "x"]]}
    )
    assert recognise(path).name == "azure-migrate-report"
    reading = read_file(path)
    (one,) = reading.observations
    assert (one.kind, one.name) == (AssetKind.VM, "SQL1")
    assert part(one.values, "address", "mac", "power", "firmware", "last_seen", "services") == (
        "10.0.0.3", ("00:50:56:8b:74:7a",), "off", "bios", "2023-08-25", ("SQL Server",)
    )  # fmt: skip
    assert len(reading.refusals) == 1


def test_a_report_without_its_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match="Machine Name"):
        read_file(a_workbook(tmp_path, {"Discovery_Report": [["a", "b"]]}))

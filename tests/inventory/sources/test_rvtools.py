"""An RVTools export."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from inventory.observation import Observation, Reading
from inventory.sources.limits import FileUnreadable, SheetMissing, TooMuch
from inventory.sources.rvtools import RvTools
from tests.inventory.builders import JINJA, a_file, codes, merged, nothing_known
from tests.inventory.sources.workbooks import Sheets, a_workbook, an_archive, parts_with, small_sheet, text_cell

HEADINGS = (
    "VM", "Powerstate", "Template", "SRM Placeholder", "DNS Name", "CPUs", "Memory", "Primary IP Address", "Datacenter",
    "Cluster", "Host", "OS according to the configuration file", "OS according to the VMware Tools", "VM UUID",
    "In Use MiB", "Annotation",
)  # fmt: skip
UUID = "4203abcd-1234-5678-abcd-1234567890ab"
SRV = (
    "srv-1", "poweredOn", False, False, "srv-1.stadt.example", 4, 8192, "10.1.2.3", "RZ Nord", "c1", "esx-1",
    "Other Linux", "Debian 12", UUID, 1024, "note",
)  # fmt: skip
DISKS: list[list[object]] = [
    ["VM", "Disk", "Capacity MiB"],
    ["srv-1", "1", 10240],
    ["srv-1", "2", 5120.0],
    ["other", "1", 1],
]
PARTITIONS: list[list[object]] = [["VM", "Disk", "Capacity MiB", "Consumed MiB"], ["srv-1", "/", 1, 2048]]
NETWORK: list[list[object]] = [
    ["VM", "Mac Address", "IPv4 Address"],
    ["srv-1", "00:50:56:00:00:01", ""],
    ["srv-1", "00:50:56:00:00:02", ""],
]


def read(folder: Path, sheets: Sheets) -> Reading:
    path = a_workbook(folder, sheets)
    assert RvTools().recognises(path) is any(name.casefold().endswith("vinfo") for name in sheets)
    return RvTools().read(path)


def machines(reading: Reading) -> list[Observation]:
    return [one for one in reading.observations if one.kind == "vm"]


def srv(**changed: object) -> tuple[object, ...]:
    """The row with other cells under the headings whose first word is given, in lower case."""
    words = (heading.split()[0].lower() for heading in HEADINGS[:4])
    return (*(changed.get(word, cell) for word, cell in zip(words, SRV, strict=False)), *SRV[4:])


def test_a_machine_is_joined_from_its_four_sheets(tmp_path: Path) -> None:
    sheets: Sheets = {"vInfo": [HEADINGS, SRV], "vDisk": DISKS, "vPartition": PARTITIONS, "vNetwork": NETWORK}
    (one,) = machines(read(tmp_path, sheets))
    assert (one.name, one.place.row, dict(one.values)) == (
        "srv-1",
        2,
        {
            "power": "on", "fqdn": "srv-1.stadt.example", "cpu_cores": 4, "ram_mib": 8192, "address": "10.1.2.3",
            "mac": ("00:50:56:00:00:01", "00:50:56:00:00:02"), "os_name": "Debian 12", "hypervisor": "esx-1",
            "cluster": "c1", "site": "RZ Nord", "uuid": UUID, "note": "note", "disk_gib": 15.0, "disk_used_gib": 2.0,
            "disks": ("/ 0.0 GiB, 2.0 used", "1 10.0 GiB", "2 5.0 GiB"),
        },
    )  # fmt: skip


def test_its_data_centre_appears_as_a_site(tmp_path: Path) -> None:
    changes = merged(nothing_known(), *read(tmp_path, {"vInfo": [HEADINGS, SRV]}).observations)
    assert [(str(one.asset.kind), one.asset.name) for one in changes.appeared] == [("site", "RZ Nord"), ("vm", "srv-1")]


@pytest.mark.parametrize(
    "headings",
    [
        ("VM", "CPUs", "Memory", "Provisioned MB", "In Use MB"),
        ("VM", "CPUs", "Memory", "Provisioned MiB", "In Use MiB"),
        ("vInfoVMName", "vInfoCPUs", "vInfoMemory", "vInfoProvisionedMiB", "vInfoInUseMiB"),
        ("VM", "CPUs", "Memory (MiB)", "Total disk capacity MiB", "In Use MiB"),
    ],
)
def test_headings_of_several_versions_are_understood(tmp_path: Path, headings: tuple[str, ...]) -> None:
    (one,) = read(tmp_path, {"vInfo": [headings, ("srv", 2, "8,192", 2048, "1024")]}).observations
    assert dict(one.values) == {"cpu_cores": 2, "ram_mib": 8192, "disk_gib": 2.0, "disk_used_gib": 1.0}


@pytest.mark.parametrize("flag", [True, "True", "TRUE", 1])
def test_templates_and_placeholders_are_passed_over_with_a_note(tmp_path: Path, flag: object) -> None:
    reading = read(tmp_path, {"vInfo": [HEADINGS, srv(template=flag), srv(srm=flag, vm="srv-2"), srv(vm="srv-3")]})
    assert [one.name for one in machines(reading)] == ["srv-3"]
    assert [note.split("is ")[-1] for note in reading.notes] == [
        "a template.",
        "a placeholder of Site Recovery Manager.",
    ]


def test_machines_of_one_name_are_all_refused_and_their_rows_named(tmp_path: Path) -> None:
    reading = read(
        tmp_path, {"vInfo": [HEADINGS, SRV, srv(vm="SRV-1"), srv(vm="srv-2", template=True), srv(vm="srv-2")]}
    )
    assert [one.name for one in machines(reading)] == ["srv-2"]
    assert [one.place.row for one in reading.refusals] == [2, 3]
    assert "rows 2, 3" in reading.refusals[0].says


def test_sheets_are_joined_by_id_where_both_have_one(tmp_path: Path) -> None:
    info = [("VM", "VM UUID"), ("a", UUID), ("b", "")]
    disks = [("VM", "VM UUID", "Capacity MiB"), ("renamed", UUID, 1024)]
    assert [one.values.get("disk_gib") for one in read(tmp_path, {"vInfo": info, "vDisk": disks}).observations] == [
        1.0,
        None,
    ]


def test_an_address_that_cannot_be_reached_is_passed_over_for_the_next(tmp_path: Path) -> None:
    info = [("VM", "Primary IP Address"), ("a", "fe80::1"), ("b", "169.254.0.1"), ("c", "127.0.0.1; 10.0.0.9")]
    network = [("VM", "IPv4 Address"), ("a", "10.0.0.1")]
    reading = read(tmp_path, {"vInfo": info, "vNetwork": network})
    assert [one.values.get("address") for one in reading.observations] == ["10.0.0.1", None, "10.0.0.9"]


@pytest.mark.parametrize("heading", HEADINGS)
def test_jinja_in_any_column_is_refused_or_kept_as_text(tmp_path: Path, heading: str) -> None:
    row = tuple(JINJA if one == heading else cell for one, cell in zip(HEADINGS, SRV, strict=True))
    reading = read(tmp_path, {"vInfo": [HEADINGS, row]})
    kept = [name for one in reading.observations for name, value in one.values.items() if value == JINJA]
    assert len(reading.refusals) == (heading in {
        "VM", "Powerstate", "DNS Name", "CPUs", "Memory", "Primary IP Address", "Datacenter", "VM UUID", "In Use MiB"
    })  # fmt: skip
    assert set(kept) <= {"hypervisor", "cluster", "os_name", "note"}


def test_formulas_count_as_the_value_last_computed_and_dates_do_no_harm(tmp_path: Path) -> None:
    rows = [("VM", "CPUs", "Creation date"), ("srv", "=1+1", datetime.date(1900, 1, 1)), ("=1+1", 1, "30.02.1904")]
    reading = read(tmp_path, {"vInfo": rows})
    assert [(one.name, dict(one.values)) for one in reading.observations] == [("srv", {})]
    assert codes(reading) == ["INV-009"]


def test_a_numeric_name_stays_a_name(tmp_path: Path) -> None:
    assert [one.name for one in read(tmp_path, {"vInfo": [("VM", "CPUs"), (4711, 1)]}).observations] == ["4711"]


def test_a_workbook_without_vinfo_is_refused_saying_so(tmp_path: Path) -> None:
    exports: list[Sheets] = [{"Other": [["VM"]]}, {"vInfo": [["Name of it"], ["srv"]]}, {"vInfo": []}]
    for sheets in exports:
        with pytest.raises(SheetMissing):
            read(tmp_path, sheets)


def test_more_than_twenty_thousand_machines_are_refused(tmp_path: Path) -> None:
    rows = "".join(f"<row r='{at}'>{text_cell(f'A{at}', f'v{at}')}</row>" for at in range(3, 20_005))
    with pytest.raises(TooMuch):
        RvTools().read(an_archive(tmp_path, parts_with(small_sheet(rows))))


def test_a_file_that_only_pretends_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable):
        RvTools().read(a_file(tmp_path, b"PK\x03\x04<html>", "export.xlsx"))
    assert not RvTools().recognises(a_file(tmp_path, b"VM;CPUs\n"))


def test_the_key_of_the_vcenter_is_kept_only_with_the_vcenter(tmp_path: Path) -> None:
    info = [["VM", "VM ID", "VI SDK Server"], ["a", "vm-1", "vc.stadt.example"], ["b", "vm-2", ""]]
    assert [one.source_id for one in machines(read(tmp_path, {"vInfo": info}))] == ["vc.stadt.example/vm-1", ""]

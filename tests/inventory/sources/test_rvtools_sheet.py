"""Headings of every version mean the same, and rows of other sheets find their machine."""

from __future__ import annotations

import pytest

from inventory.sources.rvtools_sheet import Sheet, bare, by_machine, sheet_of, text_of


def sheet(name: str, *rows: tuple[object, ...]) -> Sheet:
    return sheet_of(name, list(enumerate(rows, start=1)))


@pytest.mark.parametrize(
    ("heading", "meaning"),
    [("vInfoVMName", "vmname"), ("Memory (MiB)", "memory"), ("In Use MB", "inuse"), ("Network #1", "network#1")],
)
def test_a_heading_is_compared_without_prefix_unit_and_signs(heading: str, meaning: str) -> None:
    assert bare(heading, "vInfo") == meaning


def test_of_two_headings_with_one_meaning_the_first_counts() -> None:
    found = sheet("vInfo", ("VM", "Name"), ("a", "b"))
    assert found.lines[0].get("vm") == "a"
    assert sheet_of("vInfo", []) == Sheet()


def test_rows_are_joined_by_the_best_key_that_both_sheets_have() -> None:
    machines = sheet("vInfo", ("VM", "VM ID", "Datacenter"), ("a", "vm-1", "X"), ("a", "vm-2", "Y"))
    by_id = by_machine(machines, sheet("vDisk", ("VM", "VM ID"), ("a", "vm-2")))
    assert {row: len(lines) for row, lines in by_id.items()} == {2: 0, 3: 1}
    by_place = by_machine(machines, sheet("vDisk", ("VM", "Datacenter"), ("A", "X")))
    assert {row: len(lines) for row, lines in by_place.items()} == {2: 1, 3: 0}
    assert by_machine(machines, sheet("vDisk", ("Disk",), ("1",))) == {}


def test_numbers_and_truth_are_text() -> None:
    assert (text_of(8.0), text_of(True), text_of(1.5), text_of(" a ")) == ("8", "True", "1.5", "a")

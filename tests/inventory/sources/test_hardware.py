"""Adapters, addresses, names and marks that only look like some are told apart from real ones."""

from __future__ import annotations

import pytest

from inventory.model import AssetKind
from inventory.sources.hardware import (
    day_of,
    first_address,
    full_name,
    machine_kind_of,
    real_macs,
    real_mark,
    real_name,
    short_name,
    size_text,
)

MAC = "00:50:56:aa:00:01"


@pytest.mark.parametrize(
    "adapter", ["WAN Miniport (IP)", "docker0", "veth12ab", "virbr0", "lo", "tun0", "VirtualBox Host-Only", "br-7f"]
)
def test_virtual_adapters_carry_no_address_of_the_machine(adapter: str) -> None:
    assert real_macs([(adapter, MAC), ("eth0", "00:50:56:AA:00:02")]) == ("00:50:56:aa:00:02",)


def test_what_is_no_hardware_address_is_dropped() -> None:
    assert real_macs([("eth0", "00:00:00:00:00:00"), ("eth1", "x"), ("eth2", None), ("eth3", MAC), ("eth4", MAC)]) == (
        MAC,
    )


def test_the_first_reachable_address_counts_and_version_4_before_6() -> None:
    assert first_address(["127.0.0.1", "fe80::1", "2001:db8::1", "10.0.0.1"]) == "10.0.0.1"
    assert (first_address(["2001:db8::1"]), first_address(["169.254.1.1", "x", None])) == ("2001:db8::1", "")


@pytest.mark.parametrize("raw", ["localhost", "LOCALHOST.localdomain", "unknown", "(none)", "", None])
def test_some_names_name_no_machine(raw: object) -> None:
    assert real_name(raw) == ""


def test_a_name_is_cut_at_its_first_dot() -> None:
    assert (short_name("a.b.c"), full_name("a.b.c"), full_name("a")) == ("a", "a.b.c", "")


@pytest.mark.parametrize("raw", ["Not Specified", "To Be Filled By O.E.M.", "0", "", None, "0000000000", "XXXXXXXXXX"])
def test_placeholders_are_no_marks(raw: object) -> None:
    assert real_mark(raw) == ""


@pytest.mark.parametrize(
    ("case", "maker", "system", "kind"),
    [
        ("Laptop", "Dell Inc.", "", AssetKind.NOTEBOOK),
        ("Laptop", "VMware, Inc.", "", AssetKind.VM),
        ("Rack Mount Chassis", "HPE", "Windows 10", AssetKind.SERVER),
        ("Tower", "Fujitsu", "", AssetKind.WORKSTATION),
        ("", "", "Windows Server 2019", AssetKind.SERVER),
        ("", "", "Windows 10", AssetKind.WORKSTATION),
    ],
)
def test_the_kind_follows_maker_then_case_then_system(case: str, maker: str, system: str, kind: AssetKind) -> None:
    assert machine_kind_of(case=case, maker=maker, system=system) is kind


def test_sizes_and_days_are_written_one_way() -> None:
    assert size_text("C:", size_mib=102400, used_mib=51200) == "C: 100.0 GiB, 50.0 used"
    assert size_text("sda", size_mib=1024) == "sda 1.0 GiB"
    assert (day_of("2024-05-06 07:08"), day_of("0000-00-00 00:00"), day_of("x")) == ("2024-05-06", "", "")

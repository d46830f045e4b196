"""What may identify a machine, and what never does."""

from __future__ import annotations

import pytest

from inventory.marks import host_mark, is_address, is_own_mac, is_own_name, is_placeholder, key_of, marks_of
from inventory.model import AssetKind


def test_all_machines_share_one_group_of_names_and_procedures_have_their_own() -> None:
    assert key_of(AssetKind.VM, "GIS") == key_of(AssetKind.PRINTER, "gis")
    assert key_of(AssetKind.PROCEDURE, "GIS") != key_of(AssetKind.VM, "GIS")


@pytest.mark.parametrize(
    "text",
    ["", "0", "None", "XXXXXXXXXX", "0000000000", "Not Specified", "System Serial Number", "To be filled by O.E.M.",
     "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
)  # fmt: skip
def test_a_placeholder_identifies_nothing(text: str) -> None:
    assert is_placeholder(text)
    assert list(marks_of(AssetKind.SERVER, {"serial": text, "uuid": text})) == []


@pytest.mark.parametrize("mac", ["02:42:ac:11:00:02", "52:54:00:00:00:01", "0a:00:27:00:00:05", "00:50:56:c0:00:08"])
def test_addresses_of_virtual_adapters_and_those_no_maker_gave_identify_nothing(mac: str) -> None:
    assert not is_own_mac(mac)
    assert list(marks_of(AssetKind.VM, {"mac": (mac,)})) == []


def test_addresses_that_a_maker_or_hypervisor_gave_once_identify() -> None:
    assert list(marks_of(AssetKind.VM, {"mac": ("00:50:56:9a:00:01",)})) == [("mac", "00:50:56:9a:00:01")]


@pytest.mark.parametrize("name", ["localhost", "localhost.localdomain", "localhost4.localdomain4", "unknown", "srv-1"])
def test_words_for_this_machine_and_names_without_a_domain_are_no_dns_names(name: str) -> None:
    assert not is_own_name(name)


def test_a_uuid_is_one_in_both_orders_of_its_bytes() -> None:
    turned = "00112233-4455-6677-8899-aabbccddeeff", "33221100-5544-7766-8899-AABBCCDDEEFF"
    assert len({mark for text in turned for mark in marks_of(AssetKind.VM, {"uuid": text})}) == 1


def test_the_name_of_a_host_is_compared_without_its_domain_but_an_address_is_left_whole() -> None:
    assert (host_mark("SRV-1.stadt.example"), host_mark("10.0.0.5")) == ("srv-1", "10.0.0.5")
    assert is_address("10.0.0.5") and is_address("fe80::1") and not is_address("srv-5")


def test_what_is_no_machine_bears_no_marks() -> None:
    assert list(marks_of(AssetKind.PROCEDURE, {"serial": "S-1"})) == []

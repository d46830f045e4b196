"""What hangs on objects of a NetBox: hardware addresses and contacts, renamed roles, and lists that are denied."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from inventory.marks import marks_of
from inventory.observation import Observation
from inventory.sources.netbox import Mark, Pull, pull
from inventory.sources.netbox_around import CONTACTS, MACS, NAMED_BY_MACHINES
from inventory.sources.netbox_http import NetboxForbids, NetboxLies, NetboxServer, Patience
from inventory.sources.netbox_rows import Scope
from tests.netboxes import V2, Netbox, nested, running

TOWN = Scope(tenant="stadt")


@pytest.fixture
def netbox() -> Iterator[Netbox]:
    with running(Netbox()) as made:
        made.put("core/object-changes", {"action": {"value": "create"}})
        yield made


def read(netbox: Netbox, *, since: Mark | None = None) -> Pull:
    patience = Patience(connect_s=30, silence_s=30, answer_s=60, tries=2)
    return pull(NetboxServer(netbox.url, V2, patience=patience, sleep=lambda _s: None), TOWN, since=since)


def by_name(found: Pull) -> dict[str, Observation]:
    return {one.name: one for one in found.reading.observations}


def later(netbox: Netbox) -> None:
    netbox.now += timedelta(minutes=60)


def test_hardware_addresses_of_interfaces_are_taken_and_virtual_ones_identify_nothing(netbox: Netbox) -> None:
    apc, srv = netbox.device("apc-1"), netbox.vm("srv-1")
    netbox.mac("D8:9E:F3:00:00:02", apc["id"])
    netbox.mac("D8:9E:F3:00:00:01", apc["id"])
    netbox.mac("02:00:00:00:00:01", srv["id"], holder="virtual_machine")
    netbox.put("dcim/mac-addresses", {"mac_address": "D8:9E:F3:00:00:09", "assigned_object": None})
    found = by_name(read(netbox))
    assert found["apc-1"].values["mac"] == ("d8:9e:f3:00:00:01", "d8:9e:f3:00:00:02")
    assert found["srv-1"].values["mac"] == ("02:00:00:00:00:01",)
    assert not [text for mark, text in marks_of(found["srv-1"].kind, found["srv-1"].values) if mark == "mac"]


def test_of_contacts_only_a_pseudonym_is_taken_that_of_the_first_to_ask(netbox: Netbox) -> None:
    apc = netbox.device("apc-1")
    site = netbox.site("Rathaus")
    netbox.contact(apc["id"], 3, priority="secondary")
    netbox.contact(apc["id"], 17)
    netbox.contact(site["id"], 4, type_="dcim.site", priority="")
    found = read(netbox)
    assert (by_name(found)["apc-1"].values["contact"], by_name(found)["Rathaus"].values["contact"]) == (
        "netbox-17",
        "netbox-4",
    )
    assert "Meier" not in repr(found) and "anna" not in repr(found)


@pytest.mark.parametrize(
    ("roles", "asked"),
    [
        ({3: "Fachverantwortung", 17: "Technische Betreuung"}, "netbox-17"),
        ({3: "Billing", 17: "Owner"}, "netbox-17"),
        ({3: "Rechnungswesen IT", 17: "Einheit"}, "netbox-17"),
        ({3: "IT", 17: "Amtsleitung"}, "netbox-3"),
    ],
)
def test_who_runs_a_machine_is_asked_before_others_and_who_bills_it_last(
    netbox: Netbox, roles: dict[int, str], asked: str
) -> None:
    apc = netbox.device("apc-1")
    for contact, role in roles.items():
        netbox.contact(apc["id"], contact, role=role, priority="primary" if contact == 3 else "tertiary")
    assert by_name(read(netbox))["apc-1"].values["contact"] == asked


def test_a_new_address_or_contact_brings_its_machine_though_that_was_not_saved(netbox: Netbox) -> None:
    for number in (1, 2, 3):
        netbox.device(f"apc-{number}")
    netbox.mac("D8:9E:F3:00:00:01", 1)
    later(netbox)
    mark = read(netbox).mark
    later(netbox)
    netbox.mac("D8:9E:F3:00:00:02", 1)
    netbox.contact(3, 17)
    later(netbox)
    found = read(netbox, since=mark)
    assert {one.name for one in found.remotes} == {"apc-1", "apc-3"} and not found.whole
    assert by_name(found)["apc-1"].values["mac"] == ("d8:9e:f3:00:00:01", "d8:9e:f3:00:00:02")


@pytest.mark.parametrize("path", NAMED_BY_MACHINES)
def test_after_a_role_or_platform_was_renamed_everything_is_read(netbox: Netbox, path: str) -> None:
    netbox.device("apc-1")
    netbox.put(path, {"name": "before"})
    later(netbox)
    mark = read(netbox).mark
    later(netbox)
    assert not read(netbox, since=mark).whole
    netbox.put(path, {"id": 1, "name": "after"})
    assert read(netbox, since=mark).whole


def test_a_token_that_may_not_see_addresses_or_contacts_gets_the_rest_and_is_told(netbox: Netbox) -> None:
    apc = netbox.device("apc-1")
    netbox.mac("D8:9E:F3:00:00:01", apc["id"])
    netbox.forbids |= {MACS, CONTACTS, *NAMED_BY_MACHINES}
    found = read(netbox)
    assert found.denied == (MACS, CONTACTS) and "mac" not in by_name(found)["apc-1"].values
    later(netbox)
    netbox.device("apc-2")
    later(netbox)
    assert read(netbox, since=found.mark).denied == (MACS, CONTACTS)


def test_services_are_not_left_out_for_procedures_hang_on_them(netbox: Netbox) -> None:
    netbox.forbids.add("ipam/services")
    with pytest.raises(NetboxForbids):
        read(netbox)


def test_an_ignored_filter_for_changes_is_noticed_with_small_tables_too(netbox: Netbox) -> None:
    netbox.put("dcim/platforms", nested(1, "Debian"))
    later(netbox)
    mark = read(netbox).mark
    later(netbox)
    netbox.ignores.add("last_updated__gte")
    with pytest.raises(NetboxLies, match="ignores the filter for changes"):
        read(netbox, since=mark)

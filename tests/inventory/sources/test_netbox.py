"""A whole reading of a NetBox, and what changed since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from inventory.model import AssetKind
from inventory.observation import Observation
from inventory.sources.netbox import Mark, Pull, plain_own, pull
from inventory.sources.netbox_http import NetboxLies, NetboxServer, NetboxUnavailable, Patience
from inventory.sources.netbox_rows import Scope
from tests.netboxes import V2, Netbox, nested, running, saying, well

TOWN = Scope(tenant="stadt")


@pytest.fixture
def netbox() -> Iterator[Netbox]:
    with running(Netbox()) as made:
        made.site("Rathaus", facility="Altes Rathaus")
        made.put("core/object-changes", {"action": {"value": "create"}})
        yield made


def read(netbox: Netbox, scope: Scope = TOWN, *, since: Mark | None = None) -> Pull:
    patience = Patience(connect_s=2, silence_s=2, answer_s=5, tries=2)
    return pull(NetboxServer(netbox.url, V2, patience=patience, sleep=lambda _s: None), scope, since=since)


def by_name(found: Pull) -> dict[str, Observation]:
    return {one.name: one for one in found.reading.observations}


def later(netbox: Netbox, minutes: float = 60) -> None:
    netbox.now += timedelta(minutes=minutes)


def test_machines_sites_and_procedures_come_as_observations(netbox: Netbox) -> None:
    address = {"id": 1, "address": "10.1.0.7/24", "dns_name": "apc-1.stadt.example"}
    apc = netbox.device("apc-1", serial="SN-1", asset_tag="I-7", primary_ip=address, location=nested(1, "Zi. 12"))
    netbox.vm("srv-1", device=nested(3, "esx-1"))
    netbox.service("Einwohnerwesen", apc["id"])
    netbox.service("ssh", apc["id"])
    found = by_name(read(netbox))
    assert (found["apc-1"].kind, dict(found["apc-1"].values)) == (
        AssetKind.WORKSTATION,
        {
            "vendor": "Werkbank",
            "model": "Kontor 200",
            "asset_tag": "I-7",
            "room": "Zi. 12",
            "site": "Rathaus",
            "os_name": "Windows 7",
            "serial": "SN-1",
            "address": "10.1.0.7",
            "fqdn": "apc-1.stadt.example",
            "procedures": ("Einwohnerwesen",),
        },
    )
    assert found["srv-1"].kind is AssetKind.VM and found["srv-1"].values["disk_gib"] == 50
    assert found["srv-1"].values["cpu_cores"] == 2 and found["srv-1"].values["hypervisor"] == "esx-1"
    assert found["Rathaus"].values == {"title": "Altes Rathaus"}
    assert found["Einwohnerwesen"].kind is AssetKind.PROCEDURE and "ssh" not in found


def test_only_the_tenants_own_machines_and_sites_are_taken(netbox: Netbox) -> None:
    netbox.device("apc-1")
    netbox.device("fremd-1", tenant=nested(2, "Amt", slug="amt"))
    netbox.site("Amtshaus", tenant=nested(2, "Amt", slug="amt"))
    assert set(by_name(read(netbox))) == {"apc-1", "Rathaus"}
    assert set(by_name(read(netbox, Scope()))) == {"apc-1", "fremd-1", "Rathaus", "Amtshaus"}


def test_a_filter_that_the_server_ignores_is_noticed_by_the_rows(netbox: Netbox) -> None:
    netbox.device("fremd-1", tenant=nested(2, "Amt", slug="amt"))
    netbox.ignores.add("tenant")
    with pytest.raises(NetboxLies, match="ignores the filter for the tenant"):
        read(netbox)
    netbox.ignores.add("last_updated__gte")
    later(netbox)
    with pytest.raises(NetboxLies, match="ignores the filter for changes"):
        read(netbox, Scope(), since=Mark(read_at="2026-11-20T09:00:00+00:00", change=1))


def test_a_role_says_the_kind_unless_it_is_configured_otherwise(netbox: Netbox) -> None:
    netbox.device("d-1", role=nested(5, "Notebook", slug="nb"))
    netbox.device("d-2", role=nested(6, "Sonstiges", slug="sonst"), platform=nested(7, "Windows Server 2008", slug="w"))
    netbox.device("d-3", role=nested(8, "Kiosk", slug="kiosk"))
    found = by_name(read(netbox, Scope(tenant="stadt", roles={"kiosk": AssetKind.THIN_CLIENT})))
    assert [found[name].kind for name in ("d-1", "d-2", "d-3")] == ["notebook", "server", "thin_client"]


def test_custom_fields_are_taken_by_name_but_never_how_a_machine_is_reached(netbox: Netbox) -> None:
    custom = {"department": {"value": "f", "label": "Finanzen"}, "users": 3, "access": "root", "host_key": "ssh-rsa AA"}
    netbox.device(
        "apc-1", custom_fields={**custom, "mig_state": {"value": "moved", "label": "Moved"}, "mig_wave": None}
    )
    found = read(netbox)
    assert {"department": "Finanzen", "users": 3}.items() <= by_name(found)["apc-1"].values.items()
    assert not {"access", "host_key", "role"} & set(by_name(found)["apc-1"].values)
    assert [one.own for one in found.remotes if one.name == "apc-1"] == [{"mig_state": "moved", "mig_wave": None}]
    assert plain_own({"a": {"id": 7, "name": "x"}, "b": {"value": "v"}, "c": 1.5}) == {"a": 7, "b": "v", "c": None}


def test_hostile_and_nameless_rows_are_refused_with_their_place_and_the_rest_is_taken(netbox: Netbox) -> None:
    netbox.device(None)
    netbox.device("{{ lookup('pipe','id') }}")
    netbox.device("apc-1", primary_ip={"id": 1, "address": "127.0.0.1/8", "dns_name": ""})
    netbox.device("apc-2", serial=["x"], platform="no object", site=7)
    netbox.device("apc-3", description="{{ 7*7 }}")
    found = read(netbox)
    refused = [(one.place.row, one.place.column) for one in found.reading.refusals]
    assert refused == [(1, "name"), (2, "name"), (3, "primary_ip"), (4, "serial")]
    assert by_name(found)["apc-3"].values["note"] == "{{ 7*7 }}"
    assert str(found.reading.refusals[0].place).startswith("127.0.0.1:")


def test_later_only_what_changed_comes_deletions_and_changed_addresses_and_services_included(netbox: Netbox) -> None:
    for number in range(1, 6):
        netbox.device(f"apc-{number}")
    later(netbox)
    mark = read(netbox).mark
    assert mark == Mark(read_at="2026-11-20T09:00:00+00:00", change=1)
    later(netbox)
    netbox.put("dcim/devices", {**netbox.tables["dcim/devices"][2], "name": "apc-2-neu"})
    netbox.address("10.1.0.3/24", device=3)
    netbox.service("Wohngeld", 4)
    netbox.delete("dcim/devices", 5)
    later(netbox)
    found = read(netbox, since=mark)
    assert {one.name for one in found.remotes} == {"apc-2-neu", "apc-3", "apc-4"}
    assert by_name(found)["apc-4"].values["procedures"] == ("Wohngeld",)
    assert found.gone == frozenset({("dcim.device", 5)}) and not found.whole
    later(netbox)
    again = read(netbox, since=found.mark)
    assert (again.reading.observations, again.gone, again.whole) == ((), frozenset(), False)


def test_everything_is_read_when_the_change_log_cannot_be_relied_on(netbox: Netbox) -> None:
    netbox.device("apc-1")
    later(netbox)
    mark = read(netbox).mark
    later(netbox, 90 * 24 * 60)
    assert read(netbox, since=mark).whole
    netbox.forbids.add("core/object-changes")
    blind = read(netbox, since=Mark(read_at="2027-02-18T00:00:00+00:00", change=1))
    assert blind.whole and blind.mark.change == 0
    assert not read(netbox, since=blind.mark).whole


def test_a_reading_that_breaks_off_gives_nothing(netbox: Netbox) -> None:
    netbox.device("apc-1")
    netbox.faults += [well, well, saying(503), saying(503)]
    with pytest.raises(NetboxUnavailable):
        read(netbox)

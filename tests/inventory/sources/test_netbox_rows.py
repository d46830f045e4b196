"""Rows of NetBox as observations."""

from __future__ import annotations

from typing import Any

from inventory.model import AssetKind
from inventory.observation import Observation
from inventory.sources.netbox_rows import Around, Scope, device_row, procedures_of, site_row, slug_of, vm_row


def test_a_row_that_says_little_gives_little() -> None:
    one = device_row("nb.example", {"id": 4, "name": "srv-4"}, scope=Scope(), around=Around())
    assert isinstance(one, Observation)
    assert (one.kind, dict(one.values), str(one.place)) == (AssetKind.WORKSTATION, {}, "nb.example dcim.device, row 4")


def test_the_height_of_a_device_is_that_of_its_type_in_whole_units() -> None:
    for height, kept in ((2, 2), (1.5, 2), (0, None), (-1, None), ("2", None), (1e9, None)):
        row = {"id": 4, "name": "srv-4", "device_type": {"model": "R1", "u_height": height}}
        one = device_row("nb.example", row, scope=Scope(), around=Around())
        assert isinstance(one, Observation) and one.values.get("rack_units") == kept


def test_a_row_of_strange_types_never_breaks_the_reading() -> None:
    strange: tuple[Any, ...] = (None, 7, "x", [], {}, [{}], {"name": 1, "slug": []}, True)
    names = ("name", "role", "device_type", "site", "platform", "primary_ip", "cluster", "custom_fields", "serial")
    for value in strange:
        row = {"id": 1, **dict.fromkeys(names, value)}
        for read in (device_row, vm_row):
            assert isinstance(read("nb", row, scope=Scope(roles={}), around=Around()), Observation | tuple)
        assert isinstance(site_row("nb", row), Observation | tuple)
        assert slug_of(value) == ""


def test_services_named_as_a_protocol_are_no_procedures() -> None:
    rows = [
        {"name": name, "parent_object_type": "dcim.device", "parent_object_id": 1}
        for name in ("SSH", "MESO", " MESO ", "https", None, "")
    ]
    assert procedures_of(rows) == {("dcim.device", 1): ("MESO",)}


def test_custom_fields_of_the_towns_own_become_attributes_and_kahns_own_do_not() -> None:
    custom = {
        "kostenstelle": 4711, "leasing": True, "klasse": {"value": "a", "label": "Klasse A"}, "orte": ["Süd", "Nord"],
        "nothing": None, "mig_state": "moved", "room": "2.14", "object": {"id": 4, "name": "x"}, "Bad-Name": "x",
    }  # fmt: skip
    one = device_row("nb", {"id": 4, "name": "srv-4", "custom_fields": custom}, scope=Scope(), around=Around())
    assert isinstance(one, Observation)
    assert {name: value for name, value in one.values.items() if name.startswith("attr.")} == {
        "attr.kostenstelle": "4711", "attr.leasing": "yes", "attr.klasse": "Klasse A", "attr.orte": "Süd, Nord",
    }  # fmt: skip
    assert one.values["room"] == "2.14"


def test_no_number_of_custom_fields_is_too_many() -> None:
    custom = {f"field_{number}": "x" * 9_000 for number in range(500)}
    one = device_row("nb", {"id": 4, "name": "srv-4", "custom_fields": custom}, scope=Scope(), around=Around())
    assert isinstance(one, Observation)
    assert len(one.values) == 40 and all(len(str(value)) == 500 for value in one.values.values())

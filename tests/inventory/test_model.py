"""Assets, dependencies and snapshots as values."""

from __future__ import annotations

import pytest

from inventory.model import (
    FIELDS,
    Asset,
    AssetId,
    AssetKind,
    InvalidValue,
    Snapshot,
    TenantId,
    Value,
    check_name,
    check_text,
    field_named,
    has_field,
    name_group,
    name_key,
)
from tests.inventory.builders import own

STADT = TenantId("stadt")


def an_asset(name: str = "apc-1", *, kind: AssetKind = AssetKind.WORKSTATION, **values: Value) -> Asset:
    return Asset(id=AssetId(f"{kind}-{name}"), tenant=STADT, kind=kind, name=name, values=values)


def test_an_asset_takes_only_fields_of_its_kind() -> None:
    with pytest.raises(InvalidValue, match="no such field"):
        an_asset("Bauamt", kind=AssetKind.DEPARTMENT, serial="X1")
    with pytest.raises(InvalidValue, match="no such field"):
        an_asset(ansible_connection="local")


def test_the_values_of_an_asset_cannot_be_changed() -> None:
    asset = an_asset(serial="X1")
    with pytest.raises(TypeError):
        asset.values["serial"] = "X2"  # type: ignore[index]


def test_unknown_fields_read_as_empty_never_as_an_error() -> None:
    asset = an_asset()
    assert (asset.text("serial"), asset.texts("procedures"), asset.number("disk_gib")) == ("", (), 0.0)


@pytest.mark.parametrize("name", ["", " ", " apc", "apc ", "a\x00b", "a\x1b[31m", "a\u202eb", "x" * 121, "\ud800"])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue):
        check_name(name)


def test_text_may_have_lines_and_umlauts_but_no_control_characters() -> None:
    check_text("note", "Straße\n\tzwei")
    with pytest.raises(InvalidValue, match=r"U\+0007"):
        check_text("note", "bell\x07")


def test_names_that_look_the_same_have_the_same_key() -> None:
    assert name_key("Bürgerbüro  EINS") == name_key("bu\u0308rgerbu\u0308ro eins")


def test_all_machines_share_one_group_of_names() -> None:
    assert name_group(AssetKind.SERVER) == name_group(AssetKind.NOTEBOOK) != name_group(AssetKind.PROCEDURE)


def test_the_order_in_which_assets_come_never_matters() -> None:
    one, two = an_asset("a"), an_asset("b")
    assert Snapshot(tenant=STADT, assets=(two, one), dependencies=()) == Snapshot(
        tenant=STADT, assets=(one, two), dependencies=()
    )


def test_a_field_refers_only_to_kinds_that_exist_and_every_choice_has_choices() -> None:
    assert all(field.refers_to <= set(AssetKind) and field.kinds for field in FIELDS.values())
    assert all(bool(field.choices) == (field.type == "choice") for field in FIELDS.values())


def test_an_attribute_of_a_towns_own_is_a_field_of_every_kind_of_asset() -> None:
    for kind in AssetKind:
        assert an_asset(kind=kind, **own(kostenstelle="4711")).text("attr.kostenstelle") == "4711"
    assert field_named("attr.kostenstelle") == field_named("attr.kostenstelle")


@pytest.mark.parametrize(
    "name", ["attr.", "attr.Kosten", "attr.1", "attr.a b", "attr.a-b", "attr.ä", "ansible_host", f"attr.{'a' * 41}"]
)
def test_what_cannot_be_the_name_of_an_attribute_is_no_field(name: str) -> None:
    assert field_named(name) is None and not has_field(AssetKind.SERVER, name)
    with pytest.raises(InvalidValue, match="no such field"):
        Asset(id=AssetId("a"), tenant=STADT, kind=AssetKind.SERVER, name="a", values={name: "x"})

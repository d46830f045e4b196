"""Names that point at other assets."""

from __future__ import annotations

from inventory.marks import key_of
from inventory.model import AssetKind, Value
from inventory.references import Names, referred, respelled, unknown_reference

SITE, SERVER, PROCEDURE = AssetKind.SITE, AssetKind.SERVER, AssetKind.PROCEDURE
NAMES = Names(
    spelled={key_of(SITE, "Rathaus"): "Rathaus", key_of(SERVER, "gis"): "gis", key_of(PROCEDURE, "GIS"): "GIS"},
    given_up={key_of(SERVER, "old"): "new"},
)


def test_every_name_in_a_reference_field_is_found_with_its_group() -> None:
    values: dict[str, Value] = {
        "site": "Rathaus",
        "note": "Bauhof",
        "successor": "srv-2",
        "procedures": ("GIS", "Kasse"),
    }
    assert sorted(referred(values)) == [
        ("procedures", "procedure", "GIS"),
        ("procedures", "procedure", "Kasse"),
        ("site", "site", "Rathaus"),
        ("successor", "machine", "srv-2"),
    ]


def test_references_are_spelled_as_the_asset_they_point_at_and_follow_its_renaming() -> None:
    assert respelled({"site": "RATHAUS", "successor": "OLD", "note": "old"}, NAMES) == {
        "site": "Rathaus", "successor": "new", "note": "old"
    }  # fmt: skip
    assert respelled({"procedures": ("gis", "GIS", "Kasse")}, NAMES) == {"procedures": ("GIS", "Kasse")}


def test_a_name_that_points_at_nothing_is_named_with_its_field() -> None:
    known = dict(NAMES.spelled)
    assert unknown_reference({"site": "rathaus", "successor": "old"}, known, NAMES.given_up) is None
    assert unknown_reference({"site": "Bauhof"}, known, NAMES.given_up) == ("site", "Bauhof")


def test_a_dependency_names_an_asset_of_any_group_or_of_the_group_written_before_it() -> None:
    assert NAMES.candidates("rathaus") == (("site", "rathaus"),)
    assert NAMES.candidates("GIS") == (("procedure", "gis"), ("machine", "gis"))
    assert NAMES.candidates("machine: GIS") == (("machine", "gis"),)
    assert NAMES.candidates("nobody") == NAMES.candidates("machine:Rathaus") == ()

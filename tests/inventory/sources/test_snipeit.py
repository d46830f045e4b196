"""Snipe-IT's assets are named by their tag unless their name is their own; persons stay out."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.model import AssetKind
from inventory.observation import Observation, Reading
from inventory.sources.limits import BrokenFile
from tests.inventory.sources.reading import part, read_text

HEAD = (
    "Company,Name,Asset Tag,Category,Manufacturer,Location,Model,Model Number,Asset Notes,Purchase Date,Purchase Cost,"
    "Checkout Type,Checked Out To: Username,Checked Out To: Email,Status\n"
)


def row(name: str = "", tag: str = "T-1", category: str = "Laptops", model: str = "X1") -> str:
    rest = '20A,gut,7/24/22,"1,266.13",User,erika,e@x.example,Archived'
    return f"Stadt,{name},{tag},{category},Lenovo,Rathaus,{model},{rest}\n"


def machines(reading: Reading) -> list[Observation]:
    return [one for one in reading.observations if one.kind is not AssetKind.SITE]


def test_an_asset_is_taken_without_the_person_who_has_it(tmp_path: Path) -> None:
    reading = read_text(tmp_path, HEAD + row("nb-17"), "snipe-it")
    (one,) = machines(reading)
    assert (one.kind, one.name) == (AssetKind.NOTEBOOK, "nb-17")
    assert part(one.values, "asset_tag", "model", "site", "purchased", "cost_eur", "lifecycle") == (
        "T-1", "X1 20A", "Rathaus", "2022-07-24", "1266.13", "Archived"
    )  # fmt: skip
    assert "erika" not in repr(one.values)


def test_a_name_that_many_assets_share_is_a_title_only(tmp_path: Path) -> None:
    reading = read_text(tmp_path, HEAD + row("Notebook", "T-1") + row("Notebook", "T-2") + row("", ""), "snipe-it")
    assert [(one.name, one.values["title"]) for one in machines(reading)] == [("T-1", "Notebook"), ("T-2", "Notebook")]
    assert len(reading.refusals) == 1


@pytest.mark.parametrize(
    ("category", "model", "kind", "is_guess"),
    [
        ("Desktops", "M70", AssetKind.WORKSTATION, False),
        ("Network Switch", "S1", AssetKind.NETWORK, False),
        ("Möbel", "MacBook Pro", AssetKind.NOTEBOOK, False),
        ("Möbel", "Stuhl", AssetKind.WORKSTATION, True),
    ],
)
def test_the_kind_is_that_of_category_or_model(
    tmp_path: Path, category: str, model: str, kind: AssetKind, is_guess: bool
) -> None:
    (one,) = machines(read_text(tmp_path, HEAD + row("a", category=category, model=model), "snipe-it"))
    assert (one.kind, one.kind_is_guess) == (kind, is_guess)


def test_locations_become_sites_and_models_are_refused(tmp_path: Path) -> None:
    head = "name,address,address2,city,state,country,zip,manager,manager username,currency\n"
    text = head + "Bauhof,Weg 1,,Stadt,,DE,01234,Jo,jo,EUR\n"
    (site,) = read_text(tmp_path, text, "snipe-it").observations
    assert (site.kind, site.values["title"]) == (AssetKind.SITE, "Weg 1, 01234 Stadt")
    with pytest.raises(BrokenFile, match="lists models"):
        read_text(tmp_path, "Name,Category,Model Number,Fieldset,Requestable\nX,L,1,F,Y\n", "snipe-it")

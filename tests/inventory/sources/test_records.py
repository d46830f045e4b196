"""One row's cells to one observation."""

from __future__ import annotations

from inventory.model import AssetKind
from inventory.observation import Observation, Place, Refusal
from inventory.sources.records import Cell, Claim, mentioned, observed
from tests.inventory.builders import said

CLAIM = Claim(kind=AssetKind.SERVER, place=Place(file="list.csv", row=7), source="test", row=("srv", "viel"))


def cell(field: str, raw: object) -> Cell:
    return Cell(field=field, raw=raw, column=field.upper())


def test_empty_cells_say_nothing() -> None:
    found = observed(CLAIM, cell("name", "srv"), [cell("note", ""), cell("room", None), cell("users", "3")])
    assert isinstance(found, Observation) and dict(found.values) == {"users": 3}


def test_every_wrong_cell_of_a_row_is_named_and_the_row_refused_whole() -> None:
    found = observed(CLAIM, cell("name", "-x"), [cell("users", "viele"), cell("note", "fine")])
    assert isinstance(found, tuple)
    assert [(one.place.row, one.place.column, one.row) for one in found] == [
        (7, "NAME", ("srv", "viel")),
        (7, "USERS", ("srv", "viel")),
    ]


def test_a_row_without_a_name_is_refused() -> None:
    found = observed(CLAIM, cell("name", " "), [])
    assert isinstance(found, tuple) and found[0].code == "INV-009"


def test_what_machines_name_exists_once() -> None:
    rows = [
        said("a", site="Rathaus", procedures=("GIS", "Kasse")),
        said("b", row=3, site="Rathaus", procedures=("GIS",)),
    ]
    kinds = {"site": AssetKind.SITE, "procedures": AssetKind.PROCEDURE}
    assert [(str(one.kind), one.name, one.place.row) for one in mentioned(rows, kinds)] == [
        ("site", "Rathaus", 2),
        ("procedure", "GIS", 2),
        ("procedure", "Kasse", 2),
    ]


def test_a_row_may_have_only_so_many_attributes_of_its_own() -> None:
    def row(count: int) -> Observation | tuple[Refusal, ...]:
        return observed(CLAIM, cell("name", "srv"), [cell(f"attr.a{at}", "x") for at in range(count)])

    assert isinstance(row(40), Observation)
    refused = row(41)
    assert isinstance(refused, tuple) and "more than 40 attributes" in refused[0].says

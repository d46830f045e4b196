"""Where procedures keep their data, and with whom they exchange it."""

from __future__ import annotations

import pytest

from inventory.exchange import Database, Interface, data_of, database_of, interface_of, partners
from inventory.model import AssetKind
from tests.inventory.builders import knowing, said

PROCEDURE = AssetKind.PROCEDURE


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ewo", Database(name="ewo")),
        ("PostgreSQL 9.6 ewo@srv-db", Database(name="ewo", system="PostgreSQL 9.6", machine="srv-db")),
        ("Oracle EWO @ srv db 2", Database(name="EWO", system="Oracle", machine="srv db 2")),
        ("@srv-db", Database(name="", machine="srv-db")),
        ("", Database(name="")),
    ],
)
def test_a_database_is_read_from_its_text(text: str, found: Database) -> None:
    assert database_of(text) == found


def test_an_interface_is_a_partner_and_what_is_exchanged() -> None:
    assert interface_of("Melderegister  des Landes: XMeld: 1.3") == Interface(
        partner="Melderegister des Landes", what="XMeld: 1.3"
    )
    assert interface_of("Kasse") == Interface(partner="Kasse")


def test_data_lies_on_the_machine_that_is_named_or_on_the_only_one_that_has_the_database() -> None:
    known = knowing(
        said("srv-1", databases=("PostgreSQL ewo", "PostgreSQL test")),
        said("srv-2", databases=("MySQL test",)),
        said("A", PROCEDURE, databases=("EWO",)),
        said("B", PROCEDURE, databases=("test", "ewo@SRV-2")),
        said("C", PROCEDURE, databases=("nowhere", "ewo@gone")),
    )
    found = [(one.procedure.name, one.machine.name, one.database.name) for one in data_of(known.assets)]
    assert sorted(found) == [("A", "srv-1", "EWO"), ("B", "srv-2", "ewo")]


def test_partners_are_told_by_either_side_and_those_that_move_along_are_none() -> None:
    known = knowing(
        said("MESO", PROCEDURE, interfaces=("Land: XMeld", "Kasse")),
        said("Kasse", PROCEDURE, interfaces=("Bank: SEPA",)),
        said("Wahlen", PROCEDURE, interfaces=("meso: Wählerverzeichnis",)),
    )
    by_name = {one.name: one for one in known.assets}
    assert partners(known.assets, [by_name["MESO"]]) == ("Kasse", "Land", "Wahlen")
    assert partners(known.assets, [by_name["MESO"], by_name["Kasse"]]) == ("Bank", "Land", "Wahlen")
    assert partners(known.assets, []) == ()

"""When a claim speaks of an asset that is already known."""

from __future__ import annotations

import pytest

from inventory.identity import is_placeholder, key_of, marks_of, match
from inventory.model import AssetKind, Snapshot
from inventory.observation import Observation
from tests.inventory.builders import knowing, said

UUID_1, UUID_2 = "4203abcd-0000-0000-0000-000000000001", "4203abcd-0000-0000-0000-000000000002"


def matched(snapshot: Snapshot, *rows: Observation) -> dict[str, str]:
    """New name -> known name."""
    return {rows[at].name: asset.name for at, asset in match(snapshot, rows).known.items()}


def test_a_name_identifies_whatever_its_case_blanks_and_coding_of_umlauts() -> None:
    known = knowing(said("Bürger  PC"))
    assert matched(known, said("bu\u0308rger pc")) == {"bu\u0308rger pc": "Bürger  PC"}


def test_all_machines_share_one_group_of_names_and_procedures_have_their_own() -> None:
    assert key_of(AssetKind.VM, "GIS") == key_of(AssetKind.PRINTER, "gis")
    assert key_of(AssetKind.PROCEDURE, "GIS") != key_of(AssetKind.VM, "GIS")


def test_a_uuid_identifies_a_machine_under_another_name() -> None:
    assert matched(knowing(said("old", uuid=UUID_1)), said("new", uuid=UUID_1)) == {"new": "old"}


def test_a_uuid_is_stronger_than_a_serial_number() -> None:
    known = knowing(said("a", uuid=UUID_1), said("b", serial="S-1234"))
    assert matched(known, said("c", uuid=UUID_1, serial="S-1234")) == {"c": "a"}


@pytest.mark.parametrize(
    "text",
    ["", "0", "None", "XXXXXXXXXX", "0000000000", "Not Specified", "System Serial Number", "To be filled by O.E.M.",
     "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
)  # fmt: skip
def test_a_placeholder_identifies_nothing(text: str) -> None:
    assert is_placeholder(text)
    assert marks_of(AssetKind.SERVER, {"serial": text, "uuid": text}) == ()
    assert matched(knowing(said("a", serial=text)), said("b", serial=text)) == {}


def test_a_serial_number_on_two_machines_identifies_neither() -> None:
    assert matched(knowing(said("a", serial="S-1"), said("b", serial="S-1")), said("c", serial="S-1")) == {}
    assert matched(knowing(said("a", serial="S-1")), said("c", serial="S-1"), said("d", serial="S-1")) == {}


def test_neither_hardware_address_nor_ip_address_identifies() -> None:
    known = knowing(said("a", mac=("00:50:56:00:00:01",), address="10.0.0.1"))
    assert matched(known, said("b", mac=("00:50:56:00:00:01",), address="10.0.0.1")) == {}


def test_a_mark_does_not_rename_a_machine_to_a_name_that_another_keeps() -> None:
    known = knowing(said("a", serial="S-1"), said("b", serial="S-2"))
    found = match(known, [said("b", serial="S-1")])
    assert (found.known, found.contradictions[0].name) == ({}, "b")


def test_two_machines_may_swap_their_names() -> None:
    known = knowing(said("a", serial="S-1"), said("b", serial="S-2"))
    assert matched(known, said("b", serial="S-1"), said("a", serial="S-2")) == {"b": "a", "a": "b"}


def test_a_rebuilt_machine_under_an_old_name_is_new_when_the_old_one_lives_on_under_another() -> None:
    known = knowing(said("srv", uuid=UUID_1))
    assert matched(known, said("srv-old", uuid=UUID_1), said("srv", uuid=UUID_2)) == {"srv-old": "srv"}


def test_a_mark_moved_to_another_row_of_the_same_list_is_a_contradiction_not_a_rename() -> None:
    found = match(knowing(said("a", serial="S-1")), [said("a"), said("x", serial="S-1")])
    assert (found.known[0].name, found.contradictions[1].name) == ("a", "a")

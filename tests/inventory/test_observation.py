"""Claims with their origin."""

from __future__ import annotations

from inventory.model import InvalidValue
from inventory.observation import Place, refusal_of


def test_a_place_reads_as_a_person_would_say_it() -> None:
    assert str(Place(file="list.csv", row=3, column="RAM")) == "list.csv, row 3, column 'RAM'"
    assert str(Place(file="list.csv")) == "list.csv"


def test_a_refusal_carries_code_reason_remedy_and_the_row_to_give_back() -> None:
    error = InvalidValue(field="ram_mib", value="{x}", why="it is no number")
    refusal = refusal_of(error, Place(file="list.csv", row=3), ("a", "{x}"))
    assert (refusal.code, refusal.row) == ("INV-001", ("a", "{x}"))
    assert refusal.says == "The ram_mib '{x}' is not valid: it is no number." and refusal.remedy

"""Claims with their origin."""

from __future__ import annotations

from inventory.model import InvalidValue
from inventory.observation import Place, Refusal, columns_refused, entries_refused, refusal_of


def test_a_place_reads_as_a_person_would_say_it() -> None:
    assert str(Place(file="list.csv", row=3, column="RAM")) == "list.csv, row 3, column 'RAM'"
    assert str(Place(file="list.csv")) == "list.csv"


def test_a_refusal_carries_code_reason_remedy_and_the_row_to_give_back() -> None:
    error = InvalidValue(field="ram_mib", value="{x}", why="it is no number")
    refusal = refusal_of(error, Place(file="list.csv", row=3), ("a", "{x}"))
    assert (refusal.code, refusal.row) == ("INV-001", ("a", "{x}"))
    assert refusal.says == "The ram_mib '{x}' is not valid: it is no number." and refusal.remedy


def test_a_row_with_two_troubles_is_one_entry_and_a_whole_column_is_none() -> None:
    def refused(*, row: int = 0, column: str = "", cells: tuple[str, ...] = ()) -> Refusal:
        return Refusal(place=Place(file="a.csv", row=row, column=column), code="X", says="", remedy="", row=cells)

    twice = [refused(row=3, column=name, cells=("a", "b")) for name in ("ram_mib", "users")]
    some = [*twice, refused(row=4, cells=("c",)), refused(row=1, column="colour"), refused()]
    assert (entries_refused(some), columns_refused(some)) == (3, 1)

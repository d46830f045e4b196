"""A mapping profile is checked at birth, so that a stored one can be trusted."""

from __future__ import annotations

import pytest

from inventory.mapping import InvalidProfile, MappedColumn, MappingProfile, heading_key, is_machine_field

NAME = MappedColumn(heading="Gerät", field="name")


def profile(*columns: MappedColumn, name: str = "amt", kind: str = "") -> MappingProfile:
    return MappingProfile(name=name, columns=columns, kind=kind)


@pytest.mark.parametrize(
    ("columns", "name", "kind", "why"),
    [
        ((NAME,), "Ämter 1", "", "short word"),
        ((NAME,), "amt", "toaster", "no kind"),
        ((MappedColumn(heading="a", field="serial"),), "amt", "", "no column holds the name"),
        ((NAME, MappedColumn(heading="b", field="colour")), "amt", "", "no field"),
        ((NAME, MappedColumn(heading="b", field="name")), "amt", "", "two columns"),
        ((NAME, MappedColumn(heading="GERÄT ", field="serial")), "amt", "", "twice"),
        ((NAME, MappedColumn(heading="b", field="ram_mib", unit="bit")), "amt", "", "unit"),
        ((NAME, MappedColumn(heading="b", field="owner")), "amt", "", "no field"),
    ],
)
def test_a_profile_that_cannot_be_used_is_refused(
    columns: tuple[MappedColumn, ...], name: str, kind: str, why: str
) -> None:
    with pytest.raises(InvalidProfile, match=why):
        profile(*columns, name=name, kind=kind)


def test_columns_may_be_left_out_more_than_once() -> None:
    found = profile(NAME, MappedColumn(heading="b", field="-"), MappedColumn(heading="c", field="-"), kind="printer")
    assert found.by_heading()[heading_key(" gerät")] is NAME


def test_only_fields_of_machines_can_stand_in_a_list_of_machines() -> None:
    assert (is_machine_field("serial"), is_machine_field("protection"), is_machine_field("x")) == (True, False, False)

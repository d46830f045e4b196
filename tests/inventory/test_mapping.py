"""A mapping profile is checked at birth, so that a stored one can be trusted."""

from __future__ import annotations

import pytest

from inventory.mapping import InvalidProfile, MappedColumn, MappingProfile, attribute_for, heading_key, is_machine_field
from inventory.model import is_attribute

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


def test_a_column_may_be_kept_as_an_attribute_up_to_a_bound() -> None:
    own = [MappedColumn(heading=f"h{at}", field=f"attr.a{at}") for at in range(41)]
    assert profile(NAME, *own[:40]).by_heading()["h3"].field == "attr.a3"
    with pytest.raises(InvalidProfile, match="more than 40 attributes"):
        profile(NAME, *own)
    with pytest.raises(InvalidProfile, match="no field"):
        profile(NAME, MappedColumn(heading="b", field="attr.Ä"))


@pytest.mark.parametrize(
    ("heading", "attribute"),
    [
        ("Kostenstelle", "attr.kostenstelle"),
        ("Kosten-Träger Nr.", "attr.kosten_traeger_nr"),
        ("2. Standort", "attr.x_2_standort"),
        ("§§", "attr.column"),
        ("x" * 90, f"attr.{'x' * 38}"),
        ("1" * 90, f"attr.x_{'1' * 38}"),
        ("Ώμέγα Ñ ß", "attr.n_ss"),
    ],
)
def test_a_heading_becomes_the_name_of_an_attribute(heading: str, attribute: str) -> None:
    assert attribute_for(heading) == attribute and is_attribute(attribute)

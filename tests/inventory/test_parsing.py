"""Text to values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.model import FIELDS, AssetKind, Field, InvalidValue, Value, field_named
from inventory.parsing import parse_date, parse_integer, parse_number, parse_value, parse_yes_no, split_list
from tests.inventory.builders import JINJA

ANYTHING = st.one_of(
    st.text(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.text()),
    st.dictionaries(st.text(), st.text()),
)


def value_of(field: str, raw: object, *, german: bool = False) -> Value:
    return parse_value(FIELDS[field], raw, german=german)


def refused(field: str, raw: object) -> bool:
    try:
        value_of(field, raw)
    except InvalidValue:
        return True
    return False


@pytest.mark.parametrize(
    "text", ["1024", "1.024", "1,024", "1 024", "1'024", "1.024,00", "1,024.00", " 1024 ", "1024.0"]
)
def test_a_whole_number_is_understood_with_german_and_english_separators(text: str) -> None:
    assert parse_integer("ram_mib", text) == 1024


@pytest.mark.parametrize(
    "raw", ["1.5", "-1", "1e3", "x", "", "08x", 2**63, True, float("nan"), float("inf"), None, "١٢"]
)
def test_what_is_no_whole_number_is_refused(raw: object) -> None:
    with pytest.raises(InvalidValue):
        parse_integer("ram_mib", raw)


@pytest.mark.parametrize("text", ["-1", "\u22121", "- 1", "-1.024", "-0,5"])
def test_a_number_below_zero_is_refused_for_what_it_is(text: str) -> None:
    with pytest.raises(InvalidValue, match="numbers lie between 0 and"):
        parse_number("rack_units", text, german=True)
    assert parse_integer("rack_units", "-0") == 0
    with pytest.raises(InvalidValue, match="it is no number"):
        parse_number("rack_units", "--1")


def test_a_german_number_has_a_decimal_comma_and_points_between_thousands() -> None:
    texts = ("970,0", "1.362,2", "1.024", ",5")
    assert [parse_number("disk_gib", text, german=True) for text in texts] == [970.0, 1362.2, 1024.0, 0.5]


def test_a_number_with_two_readings_is_refused_outside_german_files() -> None:
    assert parse_number("disk_gib", "1.024") == 1.024
    with pytest.raises(InvalidValue) as raised:
        parse_number("disk_gib", "1,024")
    assert "comma" in str(raised.value)


def test_a_date_is_kept_in_iso_form_and_must_exist() -> None:
    assert parse_date("purchased", "17.01.2009") == parse_date("purchased", "2009-01-17 00:00:00") == "2009-01-17"
    for text in ("31.02.2009", "17.01.09", "2009-13-01", "0000-00-00", "01/02/2009", "morgen"):
        with pytest.raises(InvalidValue):
            parse_date("purchased", text)


def test_yes_and_no_are_understood_in_both_languages() -> None:
    assert [parse_yes_no("x", word) for word in ("ja", "Yes", "X", "nein", "FALSE", "0")] == [True] * 3 + [False] * 3
    with pytest.raises(InvalidValue):
        parse_yes_no("x", "vielleicht")


def test_choices_are_understood_in_german_and_english() -> None:
    assert value_of("power", "eingeschaltet") == value_of("power", "poweredOn") == "on"
    assert value_of("protection", "very high") == value_of("protection", "Sehr hoch") == "sehr hoch"
    assert value_of("strategy", "Verlagern") == "rehost"
    assert refused("power", "kaputt")


def test_a_list_is_split_at_bars_and_only_without_them_at_commas() -> None:
    assert split_list("Jugend, Sport|GIS| ") == ("Jugend, Sport", "GIS")
    assert split_list("GIS, Kasse,,") == ("GIS", "Kasse")
    assert value_of("procedures", "GIS|GIS|Kasse") == ("GIS", "Kasse")


def test_amounts_become_decimal_text() -> None:
    assert value_of("cost_eur", "12.850,00 €", german=True) == "12850.00"
    assert value_of("cost_eur", "648.5") == "648.50"


def test_jinja_is_text_in_text_fields_and_nothing_in_technical_ones() -> None:
    takes_it = {name for name in FIELDS if not refused(name, JINJA)}
    assert takes_it == {
        "title", "note", "building", "room", "databases", "interfaces",
            "serial", "asset_tag", "vendor", "model", "os_name", "os_version", "arch",
        "hypervisor", "cluster", "owner", "disks", "networks", "services", "software", "environment",
        "lifecycle", "findings", "tags",
    }  # fmt: skip
    assert value_of("note", JINJA) == JINJA


def test_control_characters_and_endless_cells_are_refused_everywhere() -> None:
    for name in FIELDS:
        for raw in ("a\0b", "a\x1b]0;titleb", "a\u202eb", "1" * 2001):
            assert refused(name, raw), (name, raw[:10])


def test_country_and_serial_traps_stay_text() -> None:
    assert [value_of("serial", raw) for raw in ("no", "1e3", "08", 8)] == ["no", "1e3", "08", "8"]


@given(name=st.sampled_from(sorted(FIELDS)), raw=ANYTHING, german=st.booleans())
def test_parsing_never_raises_anything_but_invalid_value(name: str, raw: object, german: bool) -> None:
    try:
        value = value_of(name, raw, german=german)
    except InvalidValue as wrong:
        assert wrong.facts["field"] == name and wrong.facts["why"]
    else:
        assert isinstance(value, str | int | float | bool | tuple)


@given(name=st.sampled_from(sorted(FIELDS)), raw=ANYTHING)
def test_a_parsed_value_is_parsed_to_itself(name: str, raw: object) -> None:
    try:
        value = value_of(name, raw)
    except InvalidValue:
        return
    assert value_of(name, value) == value


def test_every_type_of_field_has_a_parser() -> None:
    word = Field(name="flag", type="yes_no", kinds=frozenset({AssetKind.SITE}), means="", german="")
    assert parse_value(word, "ja") is True and parse_value(word, False) is False


def test_an_attribute_is_text_of_bounded_length() -> None:
    known = field_named("attr.kostenstelle")
    assert known is not None and parse_value(known, 4711.0, german=True) == "4711"
    assert parse_value(known, "x" * 500) == "x" * 500
    for raw in ("x" * 501, "a\x00b", ["a"]):
        with pytest.raises(InvalidValue):
            parse_value(known, raw)


def test_a_contact_is_a_short_name_never_a_persons() -> None:
    assert value_of("contact", " Leitung-Buergerservice ") == "leitung-buergerservice"
    for raw in ("Erika Mustermann", "Müller", "a@b.de", "-x", "x" * 62):
        with pytest.raises(InvalidValue):
            value_of("contact", raw)

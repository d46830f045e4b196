"""Which names assets may have."""

from __future__ import annotations

import unicodedata

import pytest

from inventory.model import AssetKind, InvalidValue
from inventory.naming import parse_name
from tests.inventory.builders import JINJA

SERVER, SITE, PROCEDURE = AssetKind.SERVER, AssetKind.SITE, AssetKind.PROCEDURE


@pytest.mark.parametrize(
    "name", ["APC-0001", "srv_1.stadt.example", "Bürger-PC (alt)", "łužyca", "10.1.2.3", "vm #2", "_tmp"]
)
def test_machines_are_named_in_latin_letters_digits_and_few_signs(name: str) -> None:
    assert parse_name(SERVER, name) == name


@pytest.mark.parametrize(
    "name",
    ["-oProxyCommand=x", "a;id", "a\nb", "a\0b", "../x", "a/b", "a\\b", "*", "!x", "~re", "a:&b", "a,b", "a|b", JINJA,
     "{% for %}", "<script>", "$(id)", "`id`", "a'b", 'a"b', "=cmd", "+x", "@x", "a@b", ".hidden", "", " ", "x" * 121],
)  # fmt: skip
def test_signs_that_mean_something_to_a_shell_path_pattern_or_template_are_in_no_machine_name(name: str) -> None:
    with pytest.raises(InvalidValue):
        parse_name(SERVER, name)


@pytest.mark.parametrize("name", ["localhost", "LocalHost", "localhost.localdomain", "all", "ungrouped", "127.0.0.1"])
def test_words_that_mean_another_machine_are_no_machine_name(name: str) -> None:
    with pytest.raises(InvalidValue):
        parse_name(SERVER, name)


def test_a_letter_of_another_alphabet_cannot_stand_in_for_a_latin_one() -> None:
    for kind in (SERVER, SITE):
        with pytest.raises(InvalidValue):
            parse_name(kind, "R\u0430thaus")  # the second letter is Cyrillic


def test_umlauts_are_the_same_however_they_are_coded() -> None:
    decomposed = unicodedata.normalize("NFD", "Bürgerbüro")
    assert parse_name(SITE, decomposed) == parse_name(SITE, "Bürgerbüro") == "Bürgerbüro"


@pytest.mark.parametrize("name", ["DMS/Ratsinfo", "Jugend, Schule, Sport", "Personal & Organisation", "(H&H) Doppik"])
def test_places_and_procedures_are_named_as_people_do(name: str) -> None:
    assert parse_name(PROCEDURE, name) == name


@pytest.mark.parametrize(
    "name", [JINJA, "a|b", "<b>", "-x", "=x", "@x", "a\tb", "a\u200bb", "a\u202eb", "{# x #}", "../etc"]
)
def test_no_name_begins_like_an_option_or_formula_or_holds_a_template(name: str) -> None:
    with pytest.raises(InvalidValue):
        parse_name(PROCEDURE, name)

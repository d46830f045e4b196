"""Texts in the language of the reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.errors import because
from inventory.merge import DuplicateName
from inventory.model import InvalidValue
from inventory.observation import Place, refusal_of
from inventory.sources.json_text import json_document
from inventory.sources.limits import BrokenFile
from orchestrator.settings import NoHome
from orchestrator.texts import _, error_lines, spoken_place, spoken_refusal, use_language


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    use_language("en")


def test_english_is_what_stands_in_the_sources() -> None:
    assert _("Not confirmed, so nothing was done.") == "Not confirmed, so nothing was done."


def test_german_is_spoken_once_chosen() -> None:
    use_language("de")
    assert _("Not confirmed, so nothing was done.") == "Nicht bestätigt, deshalb wurde nichts getan."


def test_an_unknown_language_or_text_stays_english() -> None:
    use_language("fr")
    assert _("yes") == "yes"
    use_language("de")
    assert _("no such text anywhere") == "no such text anywhere"


def test_an_error_is_shown_in_german_with_its_facts() -> None:
    use_language("de")
    says, remedy = error_lines(NoHome(config="kahn.toml", home="/tmp/x"))
    assert says == "In /tmp/x gibt es keine kahn.toml."
    assert "`kahn init DIR`" in remedy


def test_nothing_stays_nothing_in_every_language() -> None:
    use_language("de")
    assert _("") == ""


def test_a_refusal_is_told_in_german_with_its_reason_and_its_place() -> None:
    use_language("de")
    place = Place(file="liste.csv", row=3, column="RAM")
    for why, german in (
        ("it is no number", "Zahl"),
        (because("it is longer than {a} characters", a=40), "länger als 40 Zeichen"),
    ):
        refusal = spoken_refusal(refusal_of(InvalidValue(field="ram_mib", value="viel", why=why), place))
        assert german in refusal.says and "it is" not in refusal.says
    assert spoken_place(place) == "liste.csv, Zeile 3, Spalte 'RAM'"
    twice = refusal_of(DuplicateName(name="srv", first=place, second=place), place)
    assert "Zeile 3" in spoken_refusal(twice).says


def test_what_is_wrong_with_a_document_is_told_in_german() -> None:
    use_language("de")
    with pytest.raises(BrokenFile) as broken:
        json_document(Path("a.json"), '{"a": 1, "a": 2}')
    assert "der Schlüssel 'a' steht zweimal in einem Eintrag" in error_lines(broken.value)[0]


def test_what_a_source_wrote_is_never_taken_for_a_text_to_translate() -> None:
    use_language("de")
    refusal = refusal_of(InvalidValue(field="note", value="yes", why="{field}"), Place(file="a"))
    assert "'yes'" in spoken_refusal(refusal).says and "{field}" in spoken_refusal(refusal).says

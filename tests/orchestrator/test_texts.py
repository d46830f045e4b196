"""Texts in the language of the reader."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.settings import NoHome
from orchestrator.texts import _, error_lines, use_language


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

"""What is said of one thing."""

from __future__ import annotations

import catalogue
from orchestrator.singular import NUMBERS, SINGULAR, counted, facts_in
from orchestrator.texts import _, use_language


def test_each_text_for_one_leaves_out_its_number_and_nothing_else() -> None:
    german = catalogue.translations()
    assert set(SINGULAR) <= set(german)  # no text for several is left behind that nobody says any more
    for many, one in SINGULAR.items():
        assert facts_in(many) - facts_in(one) == {NUMBERS[many]} and facts_in(one) <= facts_in(many)
        assert facts_in(german[one]) == facts_in(one)


def test_one_is_said_in_the_singular_and_any_other_number_is_not() -> None:
    text = counted("{count} assets in {place}", number="count", one="one asset in {place}")
    assert text.format(count=1, place="a") == "one asset in a"
    assert [text.format(count=number, place="a") for number in (0, 2)] == ["0 assets in a", "2 assets in a"]


def test_both_languages_know_it() -> None:
    text = "{count} changes written. Next: kahn plan propose"
    assert _(text).format(count=1).startswith("One change")
    use_language("de")
    try:
        assert _(text).format(count=1).startswith("Eine Änderung")
        assert _(text).format(count=3).startswith("3 Änderungen")
    finally:
        use_language("en")

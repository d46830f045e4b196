"""The base class of expected errors."""

from __future__ import annotations

from inventory.errors import ExpectedError, because, expected_errors
from inventory.model import InvalidValue


class Nested(InvalidValue):
    """An error below another one, without a code of its own before it gets one."""

    code, says, remedy = "TST-001", "The {thing} is missing.", "Bring the {thing}."


def test_an_error_says_its_code_what_is_wrong_and_the_remedy_filled_with_facts() -> None:
    error = Nested(thing="key")
    assert str(error) == "TST-001: The key is missing. Bring the key."
    assert error.facts == {"thing": "key"}


def test_facts_are_never_taken_for_templates() -> None:
    assert "{{7*7}} {0} {thing.__class__}" in str(Nested(thing="{{7*7}} {0} {thing.__class__}"))


def test_every_loaded_error_is_listed_by_code_however_deep_it_lies() -> None:
    listed = expected_errors()
    assert {InvalidValue, Nested} <= set(listed)
    assert [error.code for error in listed] == sorted(error.code for error in listed)
    assert ExpectedError not in listed


def test_a_reason_is_its_english_text_and_can_be_told_in_another_language() -> None:
    reason = because("it is none of {a}", a="x, {y}")
    assert reason == "it is none of x, {y}" and f"{reason}." == "it is none of x, {y}."
    assert (reason.says, reason.facts) == ("it is none of {a}", {"a": "x, {y}"})

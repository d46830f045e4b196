"""Errors of the lab: one code each, all of them fill their templates."""

from __future__ import annotations

from inventory.errors import ExpectedError
from orchestrator.lab import errors

FACTS = dict.fromkeys(
    (
        *("console", "directory", "fault", "feature", "known", "lacks", "limit", "name"),
        *("reason", "seconds", "tenant", "tool", "value", "what", "wish"),
    ),
    "x",
)


def lab_errors() -> tuple[type[ExpectedError], ...]:
    return tuple(found for found in vars(errors).values() if isinstance(found, type) and found is not ExpectedError)


def test_codes_are_distinct_and_of_the_lab() -> None:
    codes = [error.code for error in lab_errors()]
    assert len(set(codes)) == len(codes) == 12
    assert all(code.startswith("LAB-") for code in codes)


def test_every_error_fills_what_it_says_and_its_remedy() -> None:
    assert all("{" not in str(error(**FACTS)) for error in lab_errors())

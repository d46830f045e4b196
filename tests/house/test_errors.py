"""Every expected error has one stable code, says what is wrong and names a remedy, and stands in docs/errors.md."""

from __future__ import annotations

import re
from collections import Counter
from string import Formatter

import pages
from tests.house.sources import ROOT, nothing_in

CODE = re.compile(r"([A-Z]{3,4})-[0-9]{3}")


def name_of(error: type) -> str:
    return f"{error.__module__}.{error.__name__}"


def test_no_two_errors_share_a_code() -> None:
    codes = Counter(error.code for error in pages.our_errors())
    nothing_in(f"{error.code}: {name_of(error)}" for error in pages.our_errors() if codes[error.code] > 1)


def test_a_code_names_a_known_room_and_a_number() -> None:
    known = {error: CODE.fullmatch(error.code) for error in pages.our_errors()}
    nothing_in(
        f"{name_of(error)}: {error.code}" for error, fit in known.items() if not fit or fit[1] not in pages.ROOMS
    )


def test_an_error_says_what_is_wrong_and_names_a_remedy_and_a_meaning() -> None:
    nothing_in(
        name_of(error)
        for error in pages.our_errors()
        if not (error.says.endswith((".", "?", "}")) and error.remedy.endswith((".", "}")) and error.__doc__)
    )


def test_both_sentences_are_templates_that_can_be_filled() -> None:
    for error in pages.our_errors():
        for template in (error.says, error.remedy):
            names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
            assert all(re.fullmatch(r"[a-z_][a-z_0-9.\[\]]*", name) for name in names), (name_of(error), template)


def test_exit_codes_are_those_of_the_errors_page() -> None:
    nothing_in(
        f"{error.code}: {error.exit_code}" for error in pages.our_errors() if error.exit_code not in pages.EXIT_CODES
    )


def test_the_errors_page_names_every_code() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    nothing_in(error.code for error in pages.our_errors() if f"### {error.code} {error.__name__}" not in page)

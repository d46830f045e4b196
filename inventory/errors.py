"""The one base class of every expected error: a stable code, what it says, and a remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class ExpectedError(Exception):
    """Something that goes wrong in ordinary life and that a person can mend.

    Subclasses set ``code`` (stable, documented), ``says`` and ``remedy`` (English templates, translated when shown)
    and ``exit_code`` (see docs/errors.md). Facts are given by keyword and fill both templates.
    """

    code: ClassVar[str] = ""
    says: ClassVar[str] = ""
    remedy: ClassVar[str] = ""
    exit_code: ClassVar[int] = 2

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(f"{self.code}: {self.says.format(**facts)} {self.remedy.format(**facts)}".strip())


class Reason(str):
    """A reason with facts in it, as a fact of an error: English text, and the parts by which a face translates it."""

    says: str
    """Template, in English."""
    facts: Mapping[str, object]


def because(says: str, **facts: object) -> Reason:
    """The reason with its facts filled in."""
    found = Reason(says.format(**facts))
    found.says, found.facts = says, facts
    return found


def expected_errors() -> tuple[type[ExpectedError], ...]:
    """Every expected error class that is loaded, by code; the errors page is generated from it."""
    found: list[type[ExpectedError]] = []
    waiting = list(ExpectedError.__subclasses__())
    while waiting:
        cls = waiting.pop()
        waiting.extend(cls.__subclasses__())
        if cls.code:
            found.append(cls)
    return tuple(sorted(found, key=lambda cls: cls.code))
